/* health: readiness and its reasons, sources' budgets, what is in flight. */
#include "flow/health.h"

#include <stdio.h>

#include "base/clock.h"
#include "model/json.h"

/* "who: what", one of the reasons for not being ready. */
static void add_reason(struct buf *out, bool *ready, const char *who, const char *what)
{
	char text[400];

	snprintf(text, sizeof(text), "%.90s: %.300s", who, what);
	if (!*ready)
		buf_addc(out, ',');
	json_add_string(out, text);
	*ready = false;
}

static void add_source_reason(const struct source *source, struct buf *out, bool *ready)
{
	struct source_status s;
	char who[96];

	source_status(source, &s);
	snprintf(who, sizeof(who), "source %.64s", s.name);
	if (s.error[0] != '\0')
		add_reason(out, ready, who, s.error);
	else if (!s.ever_complete)
		add_reason(out, ready, who, "no complete pass since start");
}

static bool write_reasons(const struct health_view *v, struct buf *out)
{
	struct deliver_status delivery;
	bool ready = true;

	buf_adds(out, "\"reasons\":[");
	deliver_status(v->deliver, &delivery);
	if (delivery.store_failing)
		add_reason(out, &ready, "the store does not take writes", delivery.store_error);
	if (v->is_room_low)
		add_reason(out, &ready, "the disk has less than store_reserve left",
			   "no new alerts are taken in");
	for (size_t i = 0; i < v->settings->source_count; i++)
		add_source_reason(v->sources[i], out, &ready);
	buf_addc(out, ']');
	return ready;
}

static void add_count(struct buf *out, const char *key, int64_t value)
{
	if (value < 0)
		buf_addf(out, "\"%s\":null", key);
	else
		buf_addf(out, "\"%s\":%lld", key, (long long)value);
}

static void write_sources(const struct health_view *v, struct buf *out)
{
	buf_adds(out, "\"sources\":[");
	for (size_t i = 0; i < v->settings->source_count; i++) {
		struct source_status s;

		source_status(v->sources[i], &s);
		buf_adds(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		json_add_string(out, s.name);
		buf_adds(out, ",\"rate\":{");
		add_count(out, "limit", s.limit);
		buf_addc(out, ',');
		add_count(out, "remaining", s.remaining);
		buf_adds(out, "},\"error\":");
		json_add_string(out, s.error[0] != '\0' ? s.error : NULL);
		buf_addc(out, '}');
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
	char started[CLOCK_TEXT_MAX];

	clock_iso(v->started_at, false, started);
	buf_addf(out, "{\"version\":\"%s\",\"pid\":%ld,\"started_at\":\"%s\",", TOCSIN_VERSION,
		 v->pid, started);
	bool ready = write_reasons(v, out);

	buf_addf(out, ",\"ready\":%s,", ready ? "true" : "false");
	write_sources(v, out);
	buf_addc(out, ',');
	write_sinks(v, out);
	buf_addc(out, '}');
	return ready;
}
