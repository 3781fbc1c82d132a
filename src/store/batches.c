/*
 * batches: who is in a digest, and what becomes of them.
 *
 * A digest of a sink where people read lists the most severe and counts the rest, so it may
 * have very many members; one of any other sink holds as many as a send may tell. A sink that
 * takes one at a time gets singles, the most severe first.
 *
 * An open and its close are never parted: a row that waits behind a member joins it, though the
 * digest is full, as long as it was not sent. Only one that is twice full makes it wait behind.
 * What goes out one by one stands in the line of its alert again (invariant 6).
 *
 * Where alerts name whom the sink writes to, each digest is for the same people: nobody is shown
 * what is another's, nor told of it by a count. A storm is counted for all of them together, and
 * told to each by what is his.
 *
 * `rank` is set in members that have not ended, and in them alone: so those that are left are
 * found without reading those that are over.
 */
#include "store/batches.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/again.h"
#include "store/groups.h"
#include "store/inner.h"
#include "store/move.h"
#include "store/order.h"
#include "store/people.h"

enum {
	BATCH_MAX = 100,   /* where nobody has said */
	CLOSE_MAX = 200,   /* in one tick: of very many people there may be very many */
	MEMBERS_MAX = 500, /* of a digest in which each is listed */
	RANK_MAX = 9,
	NOTED_MAX_MS = 24 * 3600 * 1000, /* what was dropped longer ago is of another day */
	REST_BYTES_MAX = 32 << 10,       /* as JSON, names escaped */
};

struct batch {
	int64_t id, grp, people, count, listed;
	int sink;
	enum hold_reason why;
	struct rest tally;
};

/* Who may be in one batch. */
struct kin {
	int sink;
	enum hold_reason why;
	int64_t grp, people;
};

bool batches_taken_by(const struct sink_facts *sink)
{
	return sink->batch_max != 1;
}

/* So many fit. Those that go one by one are put in order all together. */
static int64_t room_of(const struct sink_facts *sink)
{
	if (!batches_taken_by(sink) || sink->listed_max != 0)
		return INT64_MAX;
	if (sink->batch_max == 0)
		return BATCH_MAX;
	return sink->batch_max < MEMBERS_MAX ? sink->batch_max : MEMBERS_MAX;
}

/* Of what it does not list, any number is told by a count; the rest must all be sent. */
static bool has_room(const struct batch *b)
{
	return b->listed != 0 || b->count < MEMBERS_MAX;
}

/* ---- the row of a batch ---- */

static void read_batch(struct stmt *q, struct batch *b)
{
	size_t len;

	*b = (struct batch){ .id = stmt_int(q, 0),
			     .sink = (int)stmt_int(q, 1),
			     .grp = stmt_int(q, 3),
			     .count = stmt_int(q, 4),
			     .listed = stmt_int(q, 5) };
	(void)hold_reason_parse(stmt_word(q, 2), &b->why);
	const char *tally = stmt_text(q, 6, &len);

	if (tally != NULL)
		rest_read(&b->tally, tally, len);
	b->people = stmt_int(q, 7);
}

static bool find_forming(struct store *s, const struct kin *kin, struct batch *b)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_FORMING);

	stmt_bind_int(q, 1, kin->sink);
	stmt_bind_text(q, 2, hold_reason_name(kin->why));
	stmt_bind_int(q, 3, kin->grp);
	stmt_bind_int(q, 4, kin->people);
	bool is_there = stmt_row(q);

	if (is_there)
		read_batch(q, b);
	stmt_end(q);
	return is_there;
}

/* A batch that a row may still join: it has not been tried. */
static bool find_unsent(struct store *s, int64_t id, struct batch *b)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_UNSENT);

	stmt_bind_int(q, 1, id);
	bool is_there = stmt_row(q);

	if (is_there)
		read_batch(q, b);
	stmt_end(q);
	return is_there;
}

/* Is one of the same group forming for anybody? */
static bool is_also_forming(struct store *s, const struct batch *b)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_FORMING_ALSO);

	stmt_bind_int(q, 1, b->sink);
	stmt_bind_text(q, 2, hold_reason_name(b->why));
	stmt_bind_int(q, 3, b->grp);
	bool is_some = stmt_row(q);

	stmt_end(q);
	return is_some;
}

/* What was dropped since the last one, so far without a digest that counts it. */
static bool find_noted(struct store *s, const struct kin *kin, int64_t now, struct batch *b)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_NOTED);

	stmt_bind_int(q, 1, kin->sink);
	stmt_bind_text(q, 2, hold_reason_name(kin->why));
	stmt_bind_int(q, 3, kin->people);
	bool is_there = stmt_row(q);

	if (is_there)
		read_batch(q, b);
	bool is_old = is_there && stmt_int(q, 8) + NOTED_MAX_MS < now;

	stmt_end(q);
	if (is_old)
		b->tally = (struct rest){ .count = 0 };
	return is_there;
}

static void set_state(struct store *s, int64_t batch, const char *state, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_STATE);

	stmt_bind_int(q, 1, batch);
	stmt_bind_text(q, 2, state);
	stmt_bind_int(q, 3, now);
	stmt_run(q);
}

static void make_batch(struct store *s, const struct kin *kin, int64_t now, struct batch *b)
{
	if (kin->grp == 0 && find_noted(s, kin, now, b)) {
		set_state(s, b->id, "forming", now);
		return;
	}
	struct stmt *q = db_use(s->db, SQL_BATCH_ADD);

	*b = (struct batch){ .sink = kin->sink,
			     .why = kin->why,
			     .grp = kin->grp,
			     .people = kin->people,
			     .listed = s->sinks[kin->sink].listed_max };
	stmt_bind_int(q, 1, kin->sink);
	stmt_bind_text(q, 2, hold_reason_name(kin->why));
	stmt_bind_int(q, 3, kin->grp);
	stmt_bind_int(q, 4, b->listed);
	stmt_bind_int(q, 5, now);
	stmt_bind_int(q, 6, kin->people);
	stmt_run(q);
	b->id = db_last_id(s->db);
}

static void save_tally(struct store *s, const struct batch *b)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_COUNT);
	struct buf text;

	buf_init(&text, REST_BYTES_MAX);
	rest_write(&b->tally, &text);
	stmt_bind_int(q, 1, b->id);
	stmt_bind_int(q, 2, b->count);
	stmt_bind_bytes(q, 3, text.data, text.len);
	stmt_run(q);
	buf_release(&text);
}

void batches_note_dropped(struct store *s, const struct dropping *d, int64_t now)
{
	const struct kin kin = { .sink = store_sink_now(s, delivery_key_sink(d->id)),
				 .why = d->why,
				 .people = people_of(s, d->id) };
	struct batch b;

	if (!find_noted(s, &kin, now, &b)) {
		make_batch(s, &kin, now, &b);
		set_state(s, b.id, "noted", now);
	}
	rest_add(&b.tally, d->severity, d->type, 1);
	save_tally(s, &b);
}

void batches_forget(struct store *s, int64_t batch)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_DROP);

	stmt_bind_int(q, 1, batch);
	stmt_run(q);
}

static void set_member(struct store *s, int64_t id, int64_t batch, int rank)
{
	struct stmt *q = db_use(s->db, SQL_MEMBER_SET);

	stmt_bind_int(q, 1, id);
	stmt_bind_some(q, 2, batch);
	if (batch != 0)
		stmt_bind_int(q, 3, rank < RANK_MAX ? rank : RANK_MAX);
	else
		stmt_bind_text(q, 3, NULL);
	stmt_run(q);
	store_note_event(s, delivery_key_event(id));
}

/* Members that have not ended, the most severe first, up to a limit. */
size_t batches_members(struct store *s, int64_t batch, int64_t *ids, size_t limit)
{
	struct stmt *q = db_use(s->db, SQL_MEMBERS);
	size_t count = 0;

	stmt_bind_int(q, 1, batch);
	stmt_bind_int(q, 2, (int64_t)limit);
	while (stmt_row(q))
		ids[count++] = stmt_int(q, 0);
	return count;
}

/* ---- closing ---- */

static void bear(struct store *s, const struct tick *tick, int64_t id, struct bearing *out)
{
	struct stmt *q = db_use(s->db, SQL_CLAIM_EVENT);
	size_t len;

	*out = (struct bearing){ .rank = 0 };
	stmt_bind_int(q, 1, delivery_key_event(id));
	if (stmt_row(q)) {
		const char *body = stmt_text(q, 7, &len);

		tick->bears(tick->arg, body, len, out);
	}
	stmt_end(q);
}

static int64_t listed_of(const struct batch *b)
{
	return b->listed != 0 && b->listed < b->count ? b->listed : b->count;
}

/* What it counts and does not list. */
static void add_rest(struct store *s, const struct tick *tick, const struct batch *b,
		     struct buf *out)
{
	struct rest rest = b->tally;
	size_t listed = (size_t)listed_of(b);
	int64_t *ids = mem_array(listed, sizeof(*ids));
	size_t count = batches_members(s, b->id, ids, listed);
	struct bearing bearing;

	for (size_t i = 0; i < count; i++) {
		bear(s, tick, ids[i], &bearing);
		rest_add(&rest, bearing.severity, bearing.type, -1);
	}
	rest_write(&rest, out);
	mem_free(&ids);
}

/* Only the last digest of a window may end the storm. */
static const char *storm_word(struct store *s, const struct batch *b, bool is_last)
{
	if (b->why != HOLD_STORM)
		return NULL;
	return !is_last || groups_goes_on(s, b->grp) ? "going on" : "over";
}

static void lead(struct store *s, const struct batch *b, int64_t leader, const char *storm,
		 const struct buf *rest, int64_t now)
{
	bool is_orphan = s->sinks[b->sink].is_absent && s->sinks[b->sink].heir == 0;
	struct stmt *q = db_use(s->db, SQL_BATCH_LEAD);

	stmt_bind_int(q, 1, leader);
	stmt_bind_int(q, 2, now);
	stmt_bind_text(q, 3, delivery_state_name(is_orphan ? DELIVERY_ORPHANED : DELIVERY_DUE));
	stmt_run(q);
	q = db_use(s->db, SQL_BATCH_WAITS);
	stmt_bind_int(q, 1, b->id);
	stmt_bind_int(q, 2, leader);
	stmt_bind_int(q, 3, now);
	stmt_bind_text(q, 4, storm);
	if (rest->len != 0)
		stmt_bind_bytes(q, 5, rest->data, rest->len);
	else
		stmt_bind_text(q, 5, NULL);
	stmt_run(q);
	if (s->sinks[b->sink].heir != 0)
		adopt_note(s, leader);
}

static void close_batch(struct store *s, const struct batch *b, const struct tick *tick,
			bool is_last, int64_t now)
{
	const char *storm = storm_word(s, b, is_last);
	struct buf rest;
	int64_t leader;

	if (!batches_taken_by(&s->sinks[b->sink]) ||
	    (b->count == 1 && b->tally.count == 1 && storm == NULL)) {
		batches_let_go(s, b->id, b->count <= BATCH_MAX, now);
		return;
	}
	if (batches_members(s, b->id, &leader, 1) == 0) {
		batches_forget(s, b->id);
		return;
	}
	buf_init(&rest, REST_BYTES_MAX);
	if (b->tally.count > listed_of(b))
		add_rest(s, tick, b, &rest);
	lead(s, b, leader, storm, &rest, now);
	buf_release(&rest);
}

void batches_close(struct store *s, const struct tick *tick, int64_t now)
{
	struct batch b;

	for (int i = 0; i < CLOSE_MAX; i++) {
		struct stmt *q = db_use(s->db, SQL_BATCH_ANY_FORMING);
		bool is_some = stmt_row(q);

		if (is_some)
			read_batch(q, &b);
		stmt_end(q);
		if (!is_some)
			return;
		close_batch(s, &b, tick, true, now);
		if (!is_also_forming(s, &b))
			(void)groups_end(s, b.grp, now);
	}
}

/* ---- joining ---- */

static void add_member(struct store *s, struct batch *b, const struct joining *j)
{
	set_member(s, j->id, b->id, j->bearing.rank);
	b->count++;
	rest_add(&b->tally, j->bearing.severity, j->bearing.type, 1);
	save_tally(s, b);
}

void batches_join(struct store *s, const struct joining *j, const struct tick *tick,
		  int64_t now)
{
	const struct kin kin = { .sink = delivery_key_sink(j->id),
				 .why = j->why,
				 .grp = j->grp,
				 .people = j->people };
	struct stored_row older;
	struct batch b;

	if (j->after != 0) {
		if (order_find(s, j->after, &older) && older.batch != 0 &&
		    find_unsent(s, older.batch, &b) && has_room(&b) && b.people == j->people)
			add_member(s, &b, j);
		else
			order_free(s, j->id, now);
		return;
	}
	bool is_there = find_forming(s, &kin, &b);
	bool is_full = is_there && b.count >= room_of(&s->sinks[kin.sink]);

	if (is_full)
		close_batch(s, &b, tick, false, now);
	if (!is_there || is_full)
		make_batch(s, &kin, now, &b);
	add_member(s, &b, j);
}

void batches_begin_storm(struct store *s, int64_t id, int64_t grp, int64_t now)
{
	const struct kin kin = { .sink = delivery_key_sink(id),
				 .why = HOLD_STORM,
				 .grp = grp,
				 .people = people_of(s, id) };
	struct buf none;
	struct batch b;

	if (!batches_taken_by(&s->sinks[kin.sink]))
		return;
	make_batch(s, &kin, now, &b);
	set_member(s, id, b.id, 0);
	b.count = 1;
	save_tally(s, &b);
	buf_init(&none, 1);
	lead(s, &b, id, "began", &none, now);
	buf_release(&none);
}

/* ---- sending ---- */

static const char *text_of(struct stmt *q, int column)
{
	const char *text = stmt_word(q, column);

	return text[0] != '\0' ? mem_strdup(text) : "";
}

static int by_key(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void batches_claim(struct store *s, struct claim *claim)
{
	struct stmt *q = db_use(s->db, SQL_BATCH_FIND);
	int64_t listed = 0;
	size_t room = 0;

	stmt_bind_int(q, 1, claim->batch);
	if (stmt_row(q)) {
		claim->why = text_of(q, 0);
		claim->storm = text_of(q, 1);
		claim->rest = text_of(q, 2);
		listed = stmt_int(q, 3);
	}
	stmt_end(q);
	q = db_use(s->db, SQL_MEMBERS);
	stmt_bind_int(q, 1, claim->batch);
	stmt_bind_int(q, 2, listed != 0 ? listed : MEMBERS_MAX);
	while (stmt_row(q)) {
		if (claim->member_count == room) {
			room = room * 2 + 16;
			claim->members =
				mem_resize(claim->members, room, sizeof(*claim->members));
		}
		int64_t id = stmt_int(q, 0);

		claim->members[claim->member_count++] =
			(struct claim){ .id = id,
					.event = delivery_key_event(id),
					.sink = claim->sink,
					.route = (int)stmt_int(q, 1),
					.origin = delivery_key_origin(id),
					.ordinal = delivery_key_ordinal(id),
					.possible_repeat = stmt_int(q, 2) != 0,
					.handle = "",
					.progress = "" };
	}
	/* Where each is listed they come as they happened. */
	if (listed == 0 && claim->member_count > 1)
		qsort(claim->members, claim->member_count, sizeof(*claim->members), by_key);
}
