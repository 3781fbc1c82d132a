/*
 * crowd: rows that are told, and beside them a list, ascending, of those that are not any more:
 * put in, changed or removed by hand.
 */
#include "sim/crowd.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "sim/cast.h"
#include "sim/patch.h"
#include "sim/people.h"

struct hand {
	uint32_t row;
	char *text; /* owned; NULL: removed */
	size_t len;
	char *id; /* owned; NULL: none that is a string */
};

struct group {
	size_t told; /* rows from the seed */
	size_t count;
	struct hand *hands; /* ascending by row */
	size_t hand_count;
	size_t removed;
};

struct crowd {
	uint64_t seed;
	struct group groups[CROWD_KINDS];
};

static const struct {
	const char *group;
	void (*add)(struct buf *out, uint64_t seed, uint32_t row);
} kinds[CROWD_KINDS] = {
	[CROWD_USERS] = { people_user_group, people_add_user },
	[CROWD_POLICIES] = { people_policy_group, people_add_policy },
	[CROWD_BUDGETS] = { people_budget_group, people_add_budget },
};

struct crowd *crowd_new(uint64_t seed, size_t users)
{
	struct crowd *c = mem_new(sizeof(*c));

	assert(users >= CAST_USERS && users <= CROWD_USERS_MAX);
	c->seed = seed;
	c->groups[CROWD_USERS].told = users;
	c->groups[CROWD_POLICIES].told = CAST_POLICIES;
	c->groups[CROWD_BUDGETS].told = CAST_BUDGETS;
	for (int kind = 0; kind < CROWD_KINDS; kind++)
		c->groups[kind].count = c->groups[kind].told;
	return c;
}

static void hand_release(struct hand *hand)
{
	mem_free(&hand->text);
	mem_free(&hand->id);
}

void crowd_free(struct crowd **c)
{
	if (*c == NULL)
		return;
	for (int kind = 0; kind < CROWD_KINDS; kind++) {
		struct group *group = &(*c)->groups[kind];

		for (size_t i = 0; i < group->hand_count; i++)
			hand_release(&group->hands[i]);
		mem_free(&group->hands);
	}
	mem_free(c);
}

/* ---- by hand ----------------------------------------------------------------------------- */

/* Where the row is, or belongs. */
static size_t place_of(const struct group *group, uint32_t row)
{
	size_t low = 0;
	size_t high = group->hand_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (group->hands[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct hand *hand_of(const struct group *group, uint32_t row)
{
	size_t at = place_of(group, row);

	if (at < group->hand_count && group->hands[at].row == row)
		return &group->hands[at];
	return NULL;
}

/* Takes over text (NULL: removed). False, and text freed, when there is no room. */
static bool keep(struct group *group, uint32_t row, char *text, size_t len)
{
	size_t at = place_of(group, row);
	bool is_there = at < group->hand_count && group->hands[at].row == row;
	struct hand hand = { .row = row, .text = text, .len = len };

	if (!is_there && group->hand_count == CROWD_HAND_MAX) {
		mem_free(&text);
		return false;
	}
	if (text != NULL) {
		struct glimpse glimpse;

		glimpse_read(&glimpse, text, len);
		hand.id = glimpse.id;
	}
	if (is_there) {
		hand_release(&group->hands[at]);
	} else {
		group->hands = mem_resize(group->hands, group->hand_count + 1, sizeof(hand));
		memmove(group->hands + at + 1, group->hands + at,
			(group->hand_count - at) * sizeof(hand));
		group->hand_count++;
	}
	group->hands[at] = hand;
	return true;
}

bool crowd_put(struct crowd *c, enum crowd_kind kind, const char *text, size_t len)
{
	struct group *group = &c->groups[kind];

	if (!keep(group, (uint32_t)group->count, mem_dup(text, len), len))
		return false;
	group->count++;
	return true;
}

bool crowd_change(struct crowd *c, enum crowd_kind kind, uint32_t row,
		  const struct json *changes, struct err *err)
{
	struct buf old;
	struct buf changed;
	bool done;

	assert(crowd_exists(c, kind, row));
	if (json_kind(json_root(changes)) != JSON_OBJECT)
		return err_set(err, "the changes are not an object");
	buf_init(&old, CROWD_TEXT_MAX);
	buf_init(&changed, CROWD_TEXT_MAX);
	crowd_add(c, kind, row, &old);
	done = patch_add(&changed, old.data, old.len, changes, err);
	if (done && changed.overflow)
		done = err_set(err, "is too large");
	if (done) {
		size_t len;
		char *text = buf_take(&changed, &len);

		done = keep(&c->groups[kind], row, text, len) ||
		       err_set(err, "too many are changed: restart the simulator");
	}
	buf_release(&old);
	buf_release(&changed);
	return done;
}

bool crowd_remove(struct crowd *c, enum crowd_kind kind, uint32_t row)
{
	assert(crowd_exists(c, kind, row));
	if (!keep(&c->groups[kind], row, NULL, 0))
		return false;
	c->groups[kind].removed++;
	return true;
}

/* ---- looking ----------------------------------------------------------------------------- */

size_t crowd_count(const struct crowd *c, enum crowd_kind kind)
{
	return c->groups[kind].count;
}

size_t crowd_left(const struct crowd *c, enum crowd_kind kind)
{
	return c->groups[kind].count - c->groups[kind].removed;
}

bool crowd_exists(const struct crowd *c, enum crowd_kind kind, uint32_t row)
{
	const struct hand *hand = hand_of(&c->groups[kind], row);

	return row < c->groups[kind].count && (hand == NULL || hand->text != NULL);
}

void crowd_add(const struct crowd *c, enum crowd_kind kind, uint32_t row, struct buf *out)
{
	const struct hand *hand = hand_of(&c->groups[kind], row);

	if (hand != NULL)
		buf_add(out, hand->text, hand->len);
	else
		kinds[kind].add(out, c->seed, row);
}

size_t crowd_find(const struct crowd *c, enum crowd_kind kind, const char *id,
		  uint32_t rows[CROWD_SAME_ID_MAX])
{
	const struct group *group = &c->groups[kind];
	size_t count = 0;
	uint32_t row;

	if (people_row(kinds[kind].group, id, &row) && row < group->told &&
	    hand_of(group, row) == NULL)
		rows[count++] = row;
	for (size_t i = 0; i < group->hand_count && count < CROWD_SAME_ID_MAX; i++)
		if (group->hands[i].id != NULL && strcmp(group->hands[i].id, id) == 0)
			rows[count++] = group->hands[i].row;
	return count;
}

static bool is_word(const char *word, const char *wanted)
{
	return wanted == NULL || (word != NULL && strcmp(word, wanted) == 0);
}

static bool text_is(const struct hand *hand, const char *status, const char *department)
{
	struct json *json = json_parse(hand->text, hand->len, NULL);
	const struct json_value *root = json == NULL ? NULL : json_root(json);
	bool is = is_word(json_text(json_get(root, "status"), NULL), status) &&
		  is_word(json_text(json_get(root, "department"), NULL), department);

	json_free(&json);
	return is;
}

bool crowd_user_is(const struct crowd *c, uint32_t row, const char *status,
		   const char *department)
{
	const struct hand *hand = hand_of(&c->groups[CROWD_USERS], row);
	struct person p;

	if (status == NULL && department == NULL)
		return true;
	if (hand != NULL)
		return text_is(hand, status, department);
	people_user(c->seed, row, &p);
	return is_word(p.status, status) && is_word(p.department, department);
}
