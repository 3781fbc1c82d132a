/*
 * alarm: a list of what is open and what ought to be, and the page that brings the one to the
 * other.
 *
 *   raise ──▶ ought to be open ──store──▶ open ──clear──▶ ought to be closed ──store──▶ forgotten
 *
 * There is one entry a kind and subject, so the list is as short as the configuration.
 */
#include "flow/alarm.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/intake.h"
#include "model/json.h"

enum {
	OWN_BYTES_MAX = 16384,
	WORD_MAX = 200, /* bytes of an id, a title … that are read back */
};

static const struct {
	const char *key, *type, *severity;
	const char *before, *after; /* the title, around the subject */
} kinds[] = {
	[ALARM_SINK_REFUSES] = { "sink-refuses", "tocsin_sink_refuses", "high", "Sink ",
				 " refuses what it is sent" },
	[ALARM_AUDIT] = { "audit", "tocsin_audit", "high",
			  "Tocsin's own audit found a mistake in its store", "" },
};

struct own {
	char *id, *type, *severity, *title, *message; /* owned */
	int64_t opened_at;
	bool is_open;   /* as it ought to be */
	bool is_stored; /* as open */
	bool is_in_batch;
};

struct alarm {
	const struct roster *roster;
	struct store *store;
	struct own *list;
	size_t count, room;
	/* While a page is being stored. */
	const struct queue *queue;
	struct alert *items;
	size_t item_count;
	bool is_storing, has_stored;
	struct target *targets; /* room for all sinks */
};

/* ---- the list ---- */

static void own_release(struct own *o)
{
	mem_free(&o->id);
	mem_free(&o->type);
	mem_free(&o->severity);
	mem_free(&o->title);
	mem_free(&o->message);
}

static struct own *add_own(struct alarm *a)
{
	if (a->count == a->room) {
		a->room = a->room * 2 + 4;
		a->list = mem_resize(a->list, a->room, sizeof(*a->list));
	}
	a->list[a->count] = (struct own){ .id = NULL };
	return &a->list[a->count++];
}

static void remove_own(struct alarm *a, size_t at)
{
	own_release(&a->list[at]);
	a->list[at] = a->list[--a->count];
}

static struct own *find_own(const struct alarm *a, const char *id)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i].id, id) == 0)
			return &a->list[i];
	return NULL;
}

static char *id_of(enum alarm_kind kind, const char *subject)
{
	return mem_printf("%s:%s%s%s", ROSTER_OWN_SOURCE, kinds[kind].key,
			  subject[0] != '\0' ? ":" : "", subject);
}

static struct own *find_alarm(const struct alarm *a, enum alarm_kind kind, const char *subject)
{
	char *id = id_of(kind, subject);
	struct own *o = find_own(a, id);

	mem_free(&id);
	return o;
}

/* The sink that an alert is about; NULL: none, or it is configured no longer. */
static const struct sink_settings *sink_of(const struct alarm *a, const char *id)
{
	const struct settings *s = a->roster->settings;

	for (size_t i = 0; i < s->sink_count; i++) {
		char *own = id_of(ALARM_SINK_REFUSES, s->sinks[i].name);
		bool is_it = strcmp(own, id) == 0;

		mem_free(&own);
		if (is_it)
			return &s->sinks[i];
	}
	return NULL;
}

/* ---- raise and clear ---- */

void alarm_raise(struct alarm *a, enum alarm_kind kind, const char *subject,
		 const char *message)
{
	struct own *o = find_alarm(a, kind, subject);

	if (o == NULL) {
		o = add_own(a);
		o->id = id_of(kind, subject);
		o->type = mem_strdup(kinds[kind].type);
		o->severity = mem_strdup(kinds[kind].severity);
		o->title = mem_printf("%s%s%s", kinds[kind].before, subject, kinds[kind].after);
		o->message = mem_printf("%.*s", ALARM_MESSAGE_MAX, message);
		o->opened_at = clock_now();
	}
	o->is_open = true;
}

void alarm_clear(struct alarm *a, enum alarm_kind kind, const char *subject)
{
	struct own *o = find_alarm(a, kind, subject);

	if (o == NULL)
		return;
	o->is_open = false;
	if (!o->is_stored && !o->is_in_batch)
		remove_own(a, (size_t)(o - a->list));
}

bool alarm_is_open(const struct alarm *a, enum alarm_kind kind, const char *subject)
{
	const struct own *o = find_alarm(a, kind, subject);

	return o != NULL && o->is_open;
}

void alarm_forget_gone(struct alarm *a)
{
	char *audit = id_of(ALARM_AUDIT, "");

	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i].id, audit) != 0 && sink_of(a, a->list[i].id) == NULL)
			a->list[i].is_open = false;
	mem_free(&audit);
}

/* ---- as an alert ---- */

static void add_text(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, ",\"%s\":", key);
	json_add_string(out, text);
}

static void write_own(const struct alarm *a, const struct own *o, struct buf *out)
{
	const struct sink_settings *sink = sink_of(a, o->id);
	char at[CLOCK_TEXT_MAX];

	buf_adds(out, "{\"id\":");
	json_add_string(out, o->id);
	add_text(out, "org_id", ROSTER_OWN_SOURCE);
	add_text(out, "type", o->type);
	add_text(out, "severity", o->severity);
	add_text(out, "status", o->is_open ? "open" : "resolved");
	add_text(out, "title", o->title);
	add_text(out, "message", o->message);
	clock_iso(o->opened_at, false, at);
	add_text(out, "created_at", at);
	clock_iso(clock_now(), false, at);
	add_text(out, "resolved_at", o->is_open ? NULL : at);
	buf_adds(out, ",\"metadata\":{");
	if (sink != NULL) {
		buf_adds(out, "\"sink\":");
		json_add_string(out, sink->name);
	}
	buf_adds(out, "}}");
}

/* ---- who is told ---- */

/* Sinks that are up, or those that are down, too; never the one that it is about. */
static size_t choose_sinks(struct alarm *a, const char *id, bool down_too)
{
	const struct settings *s = a->roster->settings;
	const struct sink_settings *about = sink_of(a, id);
	size_t count = 0;

	for (size_t i = 0; i < s->sink_count; i++) {
		struct queue_status status;

		queue_status(a->queue, i, &status);
		bool is_up = status.down_since == 0 && status.paused_at == 0;

		if (&s->sinks[i] != about && (down_too || is_up))
			a->targets[count++] =
				(struct target){ .sink = a->roster->sinks[i].number };
	}
	return count;
}

static void decide(void *arg, const struct known *known, const struct alert *seen,
		   struct decision *out)
{
	struct alarm *a = arg;
	size_t count = choose_sinks(a, seen->id, false);

	if (count == 0)
		count = choose_sinks(a, seen->id, true);
	intake_steps(known, seen, 0, out);
	for (size_t i = 0; i < out->step_count; i++) {
		if (out->steps[i].follow)
			continue;
		out->steps[i].targets = a->targets;
		out->steps[i].target_count = count;
	}
}

/* Nothing holds what the daemon has to say itself. */
static bool follows(void *arg, int route, int sink, enum event_kind kind, struct wish *wish)
{
	const struct alarm *a = arg;

	(void)wish;
	return intake_follows(a->roster, route, sink, kind);
}

/* ---- into the store ---- */

static void on_stored(void *arg, const struct page_result *result)
{
	struct alarm *a = arg;

	a->is_storing = false;
	a->has_stored = result->ok;
	for (size_t i = a->count; i-- > 0;) {
		struct own *o = &a->list[i];

		if (!o->is_in_batch)
			continue;
		o->is_in_batch = false;
		if (result->ok)
			o->is_stored = !o->is_stored;
		if (!o->is_stored && !o->is_open)
			remove_own(a, i);
	}
	for (size_t i = 0; i < a->item_count; i++)
		alert_release(&a->items[i]);
	mem_free(&a->items);
}

/* Their own bytes are alerts that can be read, or we write them wrong. */
static void fill_items(struct alarm *a)
{
	struct buf bytes;
	struct err err;

	buf_init(&bytes, OWN_BYTES_MAX);
	a->items = mem_array(a->count, sizeof(*a->items));
	a->item_count = 0;
	for (size_t i = 0; i < a->count; i++) {
		struct own *o = &a->list[i];

		if (o->is_open == o->is_stored)
			continue;
		buf_clear(&bytes);
		write_own(a, o, &bytes);
		if (!alert_read(&a->items[a->item_count++], bytes.data, bytes.len, &err))
			BUG("own alert %s: %s", o->id, err.text);
		o->is_in_batch = true;
	}
	buf_release(&bytes);
}

static bool has_changes(const struct alarm *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->list[i].is_open != a->list[i].is_stored)
			return true;
	return false;
}

/* Which sinks refuse what they are sent (invariant 7). */
static void look_at_sinks(struct alarm *a, const struct queue *queue)
{
	const struct settings *s = a->roster->settings;

	for (size_t i = 0; i < s->sink_count; i++) {
		struct queue_status sink;
		char message[ALARM_MESSAGE_MAX];

		queue_status(queue, i, &sink);
		snprintf(
			message, sizeof(message),
			"%s. Its rows are kept, and one is tried again from time to time: look at "
			"its template, and at what its receiver takes.",
			sink.reason[0] != '\0' ? sink.reason : "One payload after another");
		if (sink.refuses)
			alarm_raise(a, ALARM_SINK_REFUSES, s->sinks[i].name, message);
		else
			alarm_clear(a, ALARM_SINK_REFUSES, s->sinks[i].name);
	}
}

bool alarm_tick(struct alarm *a, const struct queue *queue)
{
	look_at_sinks(a, queue);
	if (a->is_storing || !has_changes(a))
		return false;
	fill_items(a);
	a->targets =
		mem_resize(a->targets, a->roster->settings->sink_count, sizeof(*a->targets));
	struct page_batch batch = { .source = a->roster->own_source,
				    .now = clock_now(),
				    .items = a->items,
				    .item_count = a->item_count,
				    .decide = decide,
				    .follows = follows,
				    .decide_arg = a,
				    .done = on_stored,
				    .arg = a };

	a->queue = queue;
	a->is_storing = true;
	a->has_stored = false;
	store_page(a->store, &batch);
	return a->has_stored;
}

/* ---- life ---- */

/* One that the last run left open. */
static void take_open(void *arg, const char *bytes, size_t len)
{
	struct alarm *a = arg;
	struct alert alert;
	struct err err;

	if (!alert_read(&alert, bytes, len, &err))
		return;
	if (strlen(alert.id) <= WORD_MAX)
		*add_own(a) = (struct own){
			.id = mem_strdup(alert.id),
			.type = mem_printf("%.*s", WORD_MAX, alert.type),
			.severity = mem_printf("%.*s", WORD_MAX, alert.severity_text),
			.title = mem_printf("%.*s", WORD_MAX, alert.title),
			.message = mem_printf("%.*s", ALARM_MESSAGE_MAX, alert.message),
			.opened_at = alert.created_at,
			.is_open = true,
			.is_stored = true,
		};
	alert_release(&alert);
}

struct alarm *alarm_new(const struct roster *roster, struct store *store, struct err *err)
{
	struct alarm *a = mem_new(sizeof(*a));

	a->roster = roster;
	a->store = store;
	if (!store_active_alerts(store, roster->own_source, take_open, a, err))
		alarm_free(&a);
	else
		alarm_forget_gone(a);
	return a;
}

void alarm_free(struct alarm **alarm)
{
	struct alarm *a = *alarm;

	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++)
		own_release(&a->list[i]);
	mem_free(&a->list);
	mem_free(&a->targets);
	mem_free(alarm);
}
