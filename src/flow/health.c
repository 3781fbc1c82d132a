/* health: readiness and its reasons, sources' budgets, what is in flight. */
#include "flow/health.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/json.h"

enum { REASONS_MAX = 64 << 10, SAID_EVERY_MS = 60 * 1000 };

/* "who: what", a line of the reasons for not being ready. */
static void add_reason(struct buf *lines, const char *who, const char *what)
{
	size_t from = lines->len;

	buf_addf(lines, "%.90s%s%.300s", who, what[0] != '\0' ? ": " : "", what);
	for (size_t i = from; i < lines->len; i++)
		if ((unsigned char)lines->data[i] < ' ')
			lines->data[i] = ' ';
	buf_addc(lines, '\n');
}

static void add_source_reason(const struct source *source, struct buf *lines)
{
	struct source_status s;
	char who[96];

	source_status(source, &s);
	snprintf(who, sizeof(who), "source %.64s", s.name);
	if (s.error[0] != '\0')
		add_reason(lines, who, s.error);
	else if (!s.ever_complete)
		add_reason(lines, who, "no complete pass since start");
}

/* A sink that is down is the world's affair; one that refuses what it is sent is somebody's. */
static void add_sink_reason(const struct health_view *v, size_t i, struct buf *lines)
{
	struct queue_status q;
	char who[96];

	queue_status(v->queue, i, &q);
	if (!q.refuses)
		return;
	snprintf(who, sizeof(who), "sink %.64s", v->settings->sinks[i].name);
	add_reason(lines, who,
		   q.reason[0] != '\0' ? q.reason : "refused five payloads in a row");
}

bool health_reasons(const struct health_view *v, struct buf *lines)
{
	struct deliver_status delivery;
	size_t from = lines->len;

	deliver_status(v->deliver, &delivery);
	if (v->is_stopping)
		add_reason(lines, "it stops", "");
	if (v->store_lost[0] != '\0')
		add_reason(lines, "the store is gone", v->store_lost);
	else if (delivery.store_failing)
		add_reason(lines, "the store does not take writes", delivery.store_error);
	if (v->is_room_low)
		add_reason(lines, "the disk has less than store_reserve left",
			   "no new alerts are taken in");
	for (size_t i = 0; i < v->settings->source_count; i++)
		add_source_reason(v->sources[i], lines);
	for (size_t i = 0; i < v->settings->sink_count; i++)
		add_sink_reason(v, i, lines);
	return lines->len == from && !lines->overflow;
}

/* The lines as strings of JSON. */
static bool write_reasons(const struct health_view *v, struct buf *out)
{
	struct buf lines;

	buf_init(&lines, REASONS_MAX);
	bool ready = health_reasons(v, &lines);

	buf_adds(out, "\"reasons\":[");
	for (char *line = lines.data, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL) /* the last one did not fit */
			break;
		*end = '\0';
		if (line != lines.data)
			buf_addc(out, ',');
		json_add_string(out, line);
	}
	buf_addc(out, ']');
	buf_release(&lines);
	return ready;
}

static void add_count(struct buf *out, const char *key, int64_t value)
{
	if (value < 0)
		buf_addf(out, "\"%s\":null", key);
	else
		buf_addf(out, "\"%s\":%lld", key, (long long)value);
}

static void write_rate(const struct source_status *s, struct buf *out)
{
	buf_adds(out, "\"rate\":{");
	add_count(out, "limit", s->limit);
	buf_addc(out, ',');
	add_count(out, "remaining", s->remaining);
	buf_addc(out, ',');
	add_count(out, "allowed", s->allowed);
	buf_addc(out, ',');
	add_count(out, "used", s->used);
	buf_addc(out, '}');
}

/* A pass of one page is over before it could be told. */
static void write_walk(const struct source_walk *w, struct buf *out)
{
	if (w->kind == NULL) {
		buf_adds(out, "\"pass\":null");
		return;
	}
	buf_addf(out, "\"pass\":{\"kind\":\"%s\",\"pages\":%zu,\"items\":%zu,", w->kind,
		 w->pages, w->items);
	add_count(out, "total", w->total);
	buf_addc(out, ',');
	add_count(out, "left_ms", w->left_ms);
	buf_addc(out, '}');
}

static void write_list(const struct directory_status *d, enum context_kind kind,
		       struct buf *out)
{
	bool is_read = kind != CONTEXT_USAGE;

	buf_addf(out, "{\"list\":\"%s\",", context_name(kind));
	add_count(out, "count", is_read ? d->count : -1);
	buf_addc(out, ',');
	add_count(out, "read_at", d->completed_at != 0 ? d->completed_at : -1);
	buf_adds(out, ",\"error\":");
	json_add_string(out, d->error[0] != '\0' ? d->error : NULL);
	buf_addc(out, '}');
}

/* What the source keeps of what is behind its alerts. */
static void write_lists(const struct source_status *s, struct buf *out)
{
	const char *comma = "";

	buf_adds(out, ",\"context\":[");
	for (size_t i = 0; i < CONTEXT_KINDS; i++) {
		if (!s->context[i].is_kept)
			continue;
		buf_adds(out, comma);
		write_list(&s->context[i], (enum context_kind)i, out);
		comma = ",";
	}
	buf_addc(out, ']');
}

static void write_source(const struct source_status *s, struct buf *out)
{
	buf_adds(out, "{\"name\":");
	json_add_string(out, s->name);
	buf_addc(out, ',');
	write_rate(s, out);
	buf_addc(out, ',');
	write_walk(&s->walk, out);
	write_lists(s, out);
	buf_adds(out, ",\"error\":");
	json_add_string(out, s->error[0] != '\0' ? s->error : NULL);
	buf_addc(out, '}');
}

static void write_sources(const struct health_view *v, struct buf *out)
{
	buf_adds(out, "\"sources\":[");
	for (size_t i = 0; i < v->settings->source_count; i++) {
		struct source_status s;

		source_status(v->sources[i], &s);
		if (i > 0)
			buf_addc(out, ',');
		write_source(&s, out);
	}
	buf_addc(out, ']');
}

static void write_sinks(const struct health_view *v, struct buf *out)
{
	buf_adds(out, "\"sinks\":[");
	for (size_t i = 0; i < v->settings->sink_count; i++) {
		struct queue_status q;

		queue_status(v->queue, i, &q);
		buf_adds(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		json_add_string(out, v->settings->sinks[i].name);
		buf_addf(out, ",\"in_flight\":%zu}", q.under_way);
	}
	buf_addc(out, ']');
}

bool health_write(const struct health_view *v, struct buf *out)
{
	char started[CLOCK_TEXT_MAX], said[CLOCK_TEXT_MAX];
	int64_t now = clock_now();

	/* By the minute: this row is written when something in it has changed. */
	clock_iso(now - now % SAID_EVERY_MS, false, said);
	clock_iso(v->started_at, false, started);
	buf_addf(out,
		 "{\"version\":\"%s\",\"pid\":%ld,\"started_at\":\"%s\",\"said_at\":\"%s\",",
		 TOCSIN_VERSION, v->pid, started, said);
	bool ready = write_reasons(v, out);

	buf_addf(out, ",\"ready\":%s,\"reload_error\":", ready ? "true" : "false");
	json_add_string(out, v->reload_error);
	buf_addc(out, ',');
	write_sources(v, out);
	buf_addc(out, ',');
	write_sinks(v, out);
	buf_addc(out, '}');
	return ready;
}
