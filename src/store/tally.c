/*
 * tally: one walk, leg by leg: what is held, then of each sink what is due and what is dead.
 *
 *   HELD ─▶ TIMED ─▶ DUE of sink 1 ─▶ DEAD of sink 1 ─▶ DUE of sink 2 ─▶ … ─▶ over
 *
 * Each leg is one index, read in its order from where the last step ended; a step keeps no
 * statement open, for that would keep the log from shrinking. Rows due at one instant can be
 * very many (a page, a hold that ended), and the index orders them by id below that: so the leg
 * first goes on among those of the instant where it stands, then to later ones.
 */
#include "store/tally.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/inner.h"

enum { QUERY_COST = 20 }; /* rows that could be read in the time of one more query */

enum leg { LEG_HELD, LEG_TIMED, LEG_DUE, LEG_DEAD };

struct tally {
	struct store *s;
	struct tally_counts *standing, *counting; /* by number; owned */
	bool stands;
	bool walks;
	int sinks[DELIVERY_SINK_MAX];
	size_t sink_count;
	int64_t commits, version; /* of the store, when the walk began */
	/* Where it is. */
	enum leg leg;
	size_t sink;        /* index in sinks */
	int64_t at;         /* an instant, or a row's `after`; 0: before the first */
	int64_t id;         /* the last row there */
	bool is_among_tied; /* there may be more rows at `at` */
	size_t left;        /* rows of this step */
};

struct tally *tally_new(struct store *s)
{
	struct tally *t = mem_new(sizeof(*t));

	t->s = s;
	t->standing = mem_array(DELIVERY_SINK_MAX + 1, sizeof(*t->standing));
	t->counting = mem_array(DELIVERY_SINK_MAX + 1, sizeof(*t->counting));
	t->commits = -1;
	return t;
}

void tally_free(struct tally **t)
{
	if (*t == NULL)
		return;
	mem_free(&(*t)->standing);
	mem_free(&(*t)->counting);
	mem_free(t);
}

bool tally_is_stale(struct tally *t)
{
	return t->commits != db_commits(t->s->db)->count || t->version != store_version(t->s);
}

const struct tally_counts *tally_of(const struct tally *t, int sink)
{
	return t->stands ? &t->standing[sink] : NULL;
}

/* ---- the legs ---- */

static void start_leg(struct tally *t, enum leg leg)
{
	t->leg = leg;
	t->at = t->id = 0;
	t->is_among_tied = false;
}

static struct tally_counts *counts_here(struct tally *t)
{
	return &t->counting[t->sinks[t->sink]];
}

static void count_row(struct tally *t, int64_t at, int64_t id)
{
	int sink = delivery_key_sink(id);

	t->at = at;
	t->id = id;
	switch (t->leg) {
	case LEG_HELD:
	case LEG_TIMED: t->counting[sink].held++; return;
	case LEG_DEAD: counts_here(t)->dead++; return;
	case LEG_DUE:
		if (counts_here(t)->due++ == 0)
			counts_here(t)->oldest_due_at = at;
		return;
	}
}

/* Reads what the step has left; true when that was all there is. The limit is the last bound. */
static bool read_rows(struct tally *t, struct stmt *q, int limit)
{
	size_t count = 0, most = t->left;

	stmt_bind_int(q, limit, (int64_t)most);
	for (; stmt_row(q); count++)
		count_row(t, stmt_int(q, 0), stmt_int(q, 1));
	t->left -= count;
	t->left -= t->left < QUERY_COST ? t->left : QUERY_COST;
	return count < most;
}

static bool read_held(struct tally *t, enum sql sql)
{
	struct stmt *q = db_use(t->s->db, sql);

	stmt_bind_int(q, 1, t->at);
	stmt_bind_int(q, 2, t->id);
	return read_rows(t, q, 3);
}

static bool read_dead(struct tally *t)
{
	struct stmt *q = db_use(t->s->db, SQL_TALLY_DEAD);

	stmt_bind_int(q, 1, t->sinks[t->sink]);
	stmt_bind_int(q, 2, t->id);
	return read_rows(t, q, 3);
}

static bool read_due(struct tally *t)
{
	struct stmt *q;

	if (t->is_among_tied) {
		q = db_use(t->s->db, SQL_TALLY_DUE_TIED);
		stmt_bind_int(q, 1, t->sinks[t->sink]);
		stmt_bind_int(q, 2, t->at);
		stmt_bind_int(q, 3, t->id);
		t->is_among_tied = !read_rows(t, q, 4);
		return false;
	}
	q = db_use(t->s->db, SQL_TALLY_DUE);
	stmt_bind_int(q, 1, t->sinks[t->sink]);
	stmt_bind_int(q, 2, t->at);
	t->is_among_tied = !read_rows(t, q, 3);
	return !t->is_among_tied;
}

/* Is the leg over? */
static bool read_leg(struct tally *t)
{
	switch (t->leg) {
	case LEG_HELD: return read_held(t, SQL_TALLY_HELD);
	case LEG_TIMED: return read_held(t, SQL_TALLY_TIMED);
	case LEG_DUE: return read_due(t);
	case LEG_DEAD: return read_dead(t);
	}
	BUG("leg %d", t->leg);
}

/* ---- the walk ---- */

/* What waits for the leader of its digest: few digests, each of which knows how many it has. */
static void count_members(struct tally *t)
{
	struct stmt *q = db_use(t->s->db, SQL_TALLY_BATCHES);

	while (stmt_row(q)) {
		int64_t sink = stmt_int(q, 0);

		if (sink >= 1 && sink <= DELIVERY_SINK_MAX)
			t->counting[sink].held += stmt_int(q, 1);
	}
}

static void begin(struct tally *t)
{
	struct stmt *q = db_use(t->s->db, SQL_SINK_LIST);

	t->version = store_version(t->s);
	t->commits = db_commits(t->s->db)->count;
	t->sink_count = 0;
	while (stmt_row(q)) {
		int64_t number = stmt_int(q, 0);

		if (number < 1 || number > DELIVERY_SINK_MAX ||
		    t->sink_count == DELIVERY_SINK_MAX)
			continue;
		t->sinks[t->sink_count++] = (int)number;
		t->counting[number] = (struct tally_counts){ .oldest_due_at = INT64_MAX };
	}
	t->walks = true;
	t->sink = 0;
	count_members(t);
	start_leg(t, LEG_HELD);
}

/* False: that was the last leg. */
static bool next_leg(struct tally *t)
{
	switch (t->leg) {
	case LEG_HELD: start_leg(t, LEG_TIMED); break;
	case LEG_TIMED: start_leg(t, LEG_DUE); break;
	case LEG_DUE: start_leg(t, LEG_DEAD); break;
	case LEG_DEAD:
		t->sink++;
		start_leg(t, LEG_DUE);
		break;
	}
	return t->sink < t->sink_count;
}

static void end(struct tally *t)
{
	struct tally_counts *counted = t->counting;

	t->counting = t->standing;
	t->standing = counted;
	t->stands = true;
}

bool tally_step(struct tally *t, size_t rows)
{
	bool goes_on = true;

	db_clear(t->s->db);
	if (!t->walks)
		begin(t);
	t->left = rows;
	while (t->left > 0 && goes_on && db_failure(t->s->db) == DB_FINE)
		if (read_leg(t))
			goes_on = next_leg(t);
	bool failed = db_failure(t->s->db) != DB_FINE;

	if (goes_on && !failed)
		return false;
	t->walks = false;
	if (!failed)
		end(t);
	return true;
}
