/*
 * groups: counting rows that go out together, or that are too many.
 *
 * A group is open from its first row for `wait`, or until it is full; then the next row opens
 * another one. The rows themselves say until when they wait, so a group that is full moves its
 * rows' time to now.
 *
 *   calm ── more than `over` rows within a window ──▶ on ── a window with no more than that ──▶ calm
 *
 * While it is calm a window begins with the first row after the last one; while it is on, windows
 * follow each other from the moment that it began. A window without any row ends it unsaid.
 */
#include "store/groups.h"

#include "store/inner.h"

struct group_row {
	int64_t until, count, over, within_ms;
	bool is_on;
};

static bool find(struct store *s, int64_t key, struct group_row *row)
{
	struct stmt *q = db_use(s->db, SQL_GROUP_FIND);

	stmt_bind_int(q, 1, key);
	bool is_there = stmt_row(q);

	*row = (struct group_row){ .count = 0 };
	if (is_there)
		*row = (struct group_row){ .until = stmt_int(q, 0),
					   .count = stmt_int(q, 1),
					   .is_on = stmt_int(q, 2) != 0,
					   .over = stmt_int(q, 3),
					   .within_ms = stmt_int(q, 4) };
	stmt_end(q);
	return is_there;
}

static void put(struct store *s, int64_t key, const struct group_row *row)
{
	struct stmt *q = db_use(s->db, SQL_GROUP_PUT);

	stmt_bind_int(q, 1, key);
	stmt_bind_int(q, 2, row->until);
	stmt_bind_int(q, 3, row->count);
	stmt_bind_int(q, 4, row->is_on);
	stmt_bind_int(q, 5, row->over);
	stmt_bind_int(q, 6, row->within_ms);
	stmt_run(q);
}

static void forget(struct store *s, int64_t key)
{
	struct stmt *q = db_use(s->db, SQL_GROUP_DROP);

	stmt_bind_int(q, 1, key);
	stmt_run(q);
}

/* ---- groups ---- */

static void end_wait(struct store *s, int64_t key, int64_t until, int64_t now)
{
	struct stmt *q = db_use(s->db, SQL_GROUP_HURRY);

	stmt_bind_int(q, 1, key);
	stmt_bind_int(q, 2, until);
	stmt_bind_int(q, 3, now);
	stmt_run(q);
}

int64_t groups_join(struct store *s, const struct wish *wish, int64_t now)
{
	int64_t key = wish->group.key;
	struct group_row row;

	/* One that ends later than it may was opened by a clock that has jumped back. */
	if (!find(s, key, &row) || row.until <= now || row.until > now + wish->group.wait_ms)
		row = (struct group_row){ .until = now + wish->group.wait_ms };
	row.count++;
	if (row.count < wish->group.max) {
		put(s, key, &row);
		return row.until;
	}
	end_wait(s, key, row.until, now);
	forget(s, key);
	return now;
}

/* ---- storms ---- */

enum storm_says groups_count_storm(struct store *s, const struct wish *wish, int64_t now,
				   int64_t *until)
{
	int64_t key = wish->storm.key, within_ms = wish->storm.within_ms;
	struct group_row row;
	bool is_known = find(s, key, &row) && row.until <= now + within_ms;
	bool is_over = !is_known || now >= row.until;

	if (is_over && !(is_known && row.is_on && row.count > 0))
		row = (struct group_row){ .until = now + within_ms };
	row.over = wish->storm.over;
	row.within_ms = within_ms;
	row.count++;
	*until = row.until;
	enum storm_says says = STORM_IS_CALM;

	if (row.is_on) {
		says = STORM_HOLDS;
	} else if (row.count > row.over) {
		says = STORM_BEGINS;
		row.is_on = true;
		row.count = 0;
		row.until = now + within_ms;
	}
	put(s, key, &row);
	return says;
}

bool groups_goes_on(struct store *s, int64_t key)
{
	struct group_row row;

	return find(s, key, &row) && row.is_on && row.count > row.over;
}

bool groups_end(struct store *s, int64_t key, int64_t now)
{
	struct group_row row;

	if (!find(s, key, &row))
		return false;
	if (!row.is_on) {
		if (row.over == 0 && row.until <= now)
			forget(s, key);
		return false;
	}
	if (row.count <= row.over) {
		forget(s, key);
		return false;
	}
	row.count = 0;
	row.until += row.within_ms;
	if (row.until <= now)
		row.until = now + row.within_ms;
	put(s, key, &row);
	return true;
}
