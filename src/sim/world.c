/*
 * world: an array of records by number, beside it the shelves that order them.
 *
 *   world_open ──▶ compact ──▶ own text ◀── world_put
 *                     │ change of   │
 *                     └─ anything ──┘ but status and severity; never back
 *
 * A record is 32 bytes and a place 16, so a million alerts are below 100 MB with room to grow.
 * Whatever moves a record's status or severity goes through become(), which also moves its
 * place, so that the two cannot disagree.
 */
#include "sim/world.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sim/dice.h"
#include "sim/own.h"
#include "sim/patch.h"
#include "sim/tale.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
/* The youngest RECENT_MIN, or one in RECENT_PART, are those still worked on. */
enum { HISTORY_DAYS = 90, RECENT_MIN = 20, RECENT_PART = 50 };

struct record {
	int64_t created_at;
	int64_t resolved_at; /* 0: not resolved; only for a compact one */
	struct own *own;     /* NULL: compact */
	uint8_t type;
	uint8_t severity;
	uint8_t status;
	bool removed;
};

struct world {
	uint64_t seed;
	enum world_order order;
	struct record *records;
	size_t count;
	size_t room;
	struct owns owns;
	struct shelves shelves;
	world_watcher *told; /* NULL: nobody watches */
	void *told_arg;
};

struct world *world_new(uint64_t seed, enum world_order order)
{
	struct world *w = mem_new(sizeof(*w));

	w->seed = seed;
	w->order = order;
	w->shelves.descending = order == ORDER_NEWEST;
	return w;
}

void world_free(struct world **w)
{
	struct world *world = *w;

	if (world == NULL)
		return;
	for (size_t i = 0; i < world->count; i++)
		own_free(&world->owns, &world->records[i].own);
	owns_release(&world->owns);
	shelves_release(&world->shelves);
	mem_free(&world->records);
	mem_free(w);
}

void world_watch(struct world *w, world_watcher *told, void *arg)
{
	w->told = told;
	w->told_arg = arg;
}

static void tell(const struct world *w, uint32_t number, bool is_new)
{
	if (w->told != NULL)
		w->told(w->told_arg, number, is_new);
}

static struct record *record_of(const struct world *w, uint32_t number)
{
	assert(number < w->count);
	return &w->records[number];
}

static struct place place_of(const struct world *w, uint32_t number)
{
	int64_t key = record_of(w, number)->created_at;

	if (w->order == ORDER_MIXED)
		key = (int64_t)(dice_mix(w->seed ^ dice_mix(number ^ UINT64_C(1) << 40)) >> 1);
	return (struct place){ .key = key, .number = number };
}

static bool append(struct world *w, const struct record *record, uint32_t *number)
{
	if (w->count == WORLD_ALERTS_MAX)
		return false;
	if (w->count == w->room) {
		w->room = w->room == 0 ? 64 : w->room * 2;
		w->records = mem_resize(w->records, w->room, sizeof(*w->records));
	}
	*number = (uint32_t)w->count;
	w->records[w->count++] = *record;
	return true;
}

/* ---- birth ------------------------------------------------------------------------------- */

static bool append_birth(struct world *w, const struct birth *birth, uint32_t *number)
{
	enum alert_type type = birth->type;
	enum alert_severity severity = birth->severity;

	if (type == TYPE_OTHER)
		type = tale_type(w->seed, (uint32_t)w->count);
	if (severity == SEVERITY_OTHER)
		severity = tale_severity(w->seed, (uint32_t)w->count, type);
	return append(w,
		      &(struct record){ .created_at = birth->created_at,
					.resolved_at = birth->status == STATUS_RESOLVED
							       ? birth->resolved_at
							       : 0,
					.type = (uint8_t)type,
					.severity = (uint8_t)severity,
					.status = (uint8_t)birth->status },
		      number);
}

static void shelve(struct world *w, uint32_t number)
{
	const struct record *r = record_of(w, number);

	shelves_add(&w->shelves, r->status, r->severity, place_of(w, number));
}

static bool bear(struct world *w, const struct birth *birth, uint32_t *number)
{
	assert(birth->status != STATUS_OTHER);
	if (!append_birth(w, birth, number))
		return false;
	shelve(w, *number);
	return true;
}

bool world_open(struct world *w, const struct birth *birth, uint32_t *number)
{
	if (!bear(w, birth, number))
		return false;
	tell(w, *number, true);
	return true;
}

bool world_put(struct world *w, const char *text, size_t len, int64_t now, uint32_t *number)
{
	struct glimpse glimpse;
	struct record record;

	glimpse_read(&glimpse, text, len);
	record = (struct record){ .created_at =
					  glimpse.has_created_at ? glimpse.created_at : now,
				  .type = TYPE_OTHER,
				  .severity = (uint8_t)glimpse.severity,
				  .status = (uint8_t)glimpse.status };
	if (!append(w, &record, number)) {
		mem_free(&glimpse.id);
		return false;
	}
	record_of(w, *number)->own =
		own_new(&w->owns, *number, glimpse.id, mem_dup(text, len), len);
	shelve(w, *number);
	tell(w, *number, true);
	return true;
}

/* What has become by now of an alert that opened at created_at. */
static struct birth past_birth(struct dice *c, int64_t created_at, int64_t now, bool recent)
{
	int64_t percent = dice_between(c, 0, 100);
	int64_t took_ms = dice_between(c, 60000, day_ms);
	struct birth birth = { .created_at = created_at,
			       .type = TYPE_OTHER,
			       .severity = SEVERITY_OTHER,
			       .status = STATUS_RESOLVED,
			       .resolved_at = created_at + took_ms };

	if (birth.resolved_at > now)
		birth.resolved_at = now;
	if (percent < (recent ? 40 : 2))
		birth.status = STATUS_OPEN;
	else if (percent < (recent ? 60 : 4))
		birth.status = STATUS_ACKNOWLEDGED;
	return birth;
}

void world_add_history(struct world *w, size_t count, int64_t now)
{
	struct dice c = { .state = w->seed };
	int64_t span_ms = HISTORY_DAYS * day_ms;
	size_t recent = count / RECENT_PART > RECENT_MIN ? count / RECENT_PART : RECENT_MIN;

	for (size_t i = 0; i < count; i++) {
		/* i of count equal slices of the span, somewhere in its slice: ascending */
		int64_t from =
			now - span_ms + (int64_t)((double)i / (double)count * (double)span_ms);
		int64_t to = from + span_ms / (int64_t)count;
		struct birth birth =
			past_birth(&c, dice_between(&c, from, to), now, i + recent >= count);
		const struct record *r;
		uint32_t number;

		if (!append_birth(w, &birth, &number))
			break;
		r = record_of(w, number);
		shelves_append(&w->shelves, r->status, r->severity, place_of(w, number));
	}
	shelves_sort(&w->shelves);
}

/* ---- change ------------------------------------------------------------------------------ */

static void become(struct world *w, uint32_t number, enum alert_status status,
		   enum alert_severity severity)
{
	struct record *r = record_of(w, number);

	if (r->status == status && r->severity == severity)
		return;
	shelves_remove(&w->shelves, r->status, r->severity, place_of(w, number));
	r->status = (uint8_t)status;
	r->severity = (uint8_t)severity;
	shelve(w, number);
}

/* Takes over text. */
static void become_own(struct world *w, uint32_t number, char *text, size_t len)
{
	struct record *r = record_of(w, number);
	struct glimpse glimpse;

	glimpse_read(&glimpse, text, len);
	own_free(&w->owns, &r->own);
	r->own = own_new(&w->owns, number, glimpse.id, text, len);
	become(w, number, glimpse.status, glimpse.severity);
}

static void set_compact_status(struct world *w, uint32_t number, enum alert_status status,
			       int64_t now)
{
	record_of(w, number)->resolved_at = status == STATUS_RESOLVED ? now : 0;
	become(w, number, status, record_of(w, number)->severity);
}

/* The status that changes sets and which says nothing of resolved_at; OTHER for none. */
static enum alert_status plain_status(const struct json *changes)
{
	const struct json_value *root = json_root(changes);
	const struct json_value *status = json_get(root, "status");

	if (json_kind(status) != JSON_STRING || json_get(root, "resolved_at") != NULL)
		return STATUS_OTHER;
	return word_to_status(json_text(status, NULL));
}

static bool patch_with(struct buf *out, const struct buf *text, const char *changes,
		       struct err *err)
{
	struct json *json = json_parse(changes, strlen(changes), NULL);
	bool done = json != NULL && patch_add(out, text->data, text->len, json, err);

	json_free(&json);
	return done;
}

/* Adds the resolved_at that goes with a status. */
static bool patch_resolved_at(struct buf *out, const struct buf *text, enum alert_status status,
			      int64_t now, struct err *err)
{
	char changes[CLOCK_TEXT_MAX + 32] = "{\"resolved_at\":null}";
	char at[CLOCK_TEXT_MAX];
	struct buf b;
	bool done;

	if (status != STATUS_RESOLVED)
		return patch_with(out, text, changes, err);
	clock_iso(now, false, at);
	buf_init(&b, sizeof(changes));
	buf_addf(&b, "{\"resolved_at\":\"%s\"}", at);
	done = patch_with(out, text, b.data, err);
	buf_release(&b);
	return done;
}

static bool change_text(struct world *w, uint32_t number, const struct json *changes,
			int64_t now, struct err *err)
{
	enum alert_status status = plain_status(changes);
	struct buf old;
	struct buf changed;
	struct buf settled;
	bool done;

	buf_init(&old, WORLD_ALERT_MAX);
	buf_init(&changed, WORLD_ALERT_MAX);
	buf_init(&settled, WORLD_ALERT_MAX);
	world_add_alert(w, number, &old);
	done = patch_add(&changed, old.data, old.len, changes, err);
	if (done && status != STATUS_OTHER)
		done = patch_resolved_at(&settled, &changed, status, now, err);
	else if (done)
		buf_add(&settled, changed.data, changed.len);
	if (done && (changed.overflow || settled.overflow))
		done = err_set(err, "is too large");
	if (done) {
		size_t len;
		char *text = buf_take(&settled, &len);

		become_own(w, number, text, len);
	}
	buf_release(&old);
	buf_release(&changed);
	buf_release(&settled);
	return done;
}

static bool change(struct world *w, uint32_t number, const struct json *changes, int64_t now,
		   struct err *err)
{
	enum alert_status status = plain_status(changes);

	assert(world_exists(w, number));
	if (json_kind(json_root(changes)) != JSON_OBJECT)
		return err_set(err, "the changes are not an object");
	if (record_of(w, number)->own != NULL || status == STATUS_OTHER ||
	    json_count(json_root(changes)) != 1)
		return change_text(w, number, changes, now, err);
	set_compact_status(w, number, status, now);
	return true;
}

bool world_change(struct world *w, uint32_t number, const struct json *changes, int64_t now,
		  struct err *err)
{
	if (!change(w, number, changes, now, err))
		return false;
	tell(w, number, false);
	return true;
}

bool world_open_with(struct world *w, const struct birth *birth, const struct json *changes,
		     int64_t now, uint32_t *number)
{
	bool changed;

	if (!bear(w, birth, number))
		return false;
	changed = change(w, *number, changes, now, NULL);
	tell(w, *number, true);
	return changed;
}

void world_set_status(struct world *w, uint32_t number, enum alert_status status, int64_t now)
{
	struct buf changes;
	struct json *json;
	bool ignored;

	assert(status != STATUS_OTHER);
	buf_init(&changes, 64);
	buf_addf(&changes, "{\"status\":\"%s\"}", word_status(status));
	json = json_parse(changes.data, changes.len, NULL);
	ignored = world_change(w, number, json, now, NULL);
	(void)ignored;
	json_free(&json);
	buf_release(&changes);
}

void world_remove(struct world *w, uint32_t number)
{
	struct record *r = record_of(w, number);

	assert(!r->removed);
	shelves_remove(&w->shelves, r->status, r->severity, place_of(w, number));
	own_free(&w->owns, &r->own);
	r->removed = true;
}

/* ---- looking ----------------------------------------------------------------------------- */

size_t world_find(const struct world *w, const char *id, uint32_t numbers[WORLD_SAME_ID_MAX])
{
	size_t count = 0;
	uint32_t number;

	if (tale_number(w->seed, id, &number) && number < w->count && world_exists(w, number) &&
	    record_of(w, number)->own == NULL)
		numbers[count++] = number;
	for (const struct own *own = own_find(&w->owns, id, NULL);
	     own != NULL && count < WORLD_SAME_ID_MAX; own = own_find(&w->owns, id, own))
		numbers[count++] = own->number;
	return count;
}

bool world_exists(const struct world *w, uint32_t number)
{
	return !record_of(w, number)->removed;
}

enum alert_status world_status(const struct world *w, uint32_t number)
{
	return record_of(w, number)->status;
}

void world_add_id(const struct world *w, uint32_t number, struct buf *out)
{
	const struct record *r = record_of(w, number);
	char id[TALE_ID_MAX];

	if (r->own != NULL) {
		json_add_string(out, r->own->id);
		return;
	}
	tale_id(w->seed, number, id);
	json_add_string(out, id);
}

void world_add_alert(const struct world *w, uint32_t number, struct buf *out)
{
	const struct record *r = record_of(w, number);

	if (r->own != NULL)
		buf_add(out, r->own->text, r->own->len);
	else
		tale_add(out, &(struct tale){ .seed = w->seed,
					      .number = number,
					      .type = r->type,
					      .severity = r->severity,
					      .status = r->status,
					      .created_at = r->created_at,
					      .resolved_at = r->resolved_at });
}

const struct shelves *world_shelves(const struct world *w)
{
	return &w->shelves;
}
