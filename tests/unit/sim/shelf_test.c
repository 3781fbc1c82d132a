/* shelf.h against the plainest model there is: one unsorted list, looked through from end to end. */
#include "sim/shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sim/dice.h"

enum { ITEMS = 120, STEPS = 4000, PAGE_MAX = 9 };

struct item {
	bool there;
	struct place place;
	enum alert_status status;
	enum alert_severity severity;
};

struct model {
	struct dice chance;
	struct shelves shelves;
	struct item items[ITEMS];
};

static int draw(struct model *m, int n)
{
	return (int)dice_between(&m->chance, 0, n);
}

/* Few different keys, so that many are equal and the number decides. */
static void toggle(struct model *m)
{
	int n = draw(m, ITEMS);
	struct item *item = &m->items[n];

	if (item->there) {
		shelves_remove(&m->shelves, item->status, item->severity, item->place);
		item->there = false;
		return;
	}
	*item = (struct item){ .there = true,
			       .place = { .key = draw(m, 7) - 3, .number = (uint32_t)n },
			       .status = (enum alert_status)draw(m, STATUS_COUNT + 1),
			       .severity = (enum alert_severity)draw(m, SEVERITY_COUNT + 1) };
	shelves_add(&m->shelves, item->status, item->severity, item->place);
}

static bool passes(const struct item *item, struct filter filter)
{
	return item->there && (filter.status == ANY || filter.status == (int)item->status) &&
	       (filter.severity == ANY || filter.severity == (int)item->severity);
}

/* True when a comes before b in the list. */
static bool comes_before(const struct model *m, const struct place *a, const struct place *b)
{
	bool less = a->key != b->key ? a->key < b->key : a->number < b->number;
	bool equal = a->key == b->key && a->number == b->number;

	return !equal && less != m->shelves.descending;
}

/* The first place after `after` that passes, or NULL. */
static const struct place *next_of(const struct model *m, struct filter filter,
				   const struct place *after)
{
	const struct place *best = NULL;

	for (int i = 0; i < ITEMS; i++) {
		const struct item *item = &m->items[i];

		if (!passes(item, filter) ||
		    (after != NULL && !comes_before(m, after, &item->place)))
			continue;
		if (best == NULL || comes_before(m, &item->place, best))
			best = &item->place;
	}
	return best;
}

static size_t count_of(const struct model *m, struct filter filter)
{
	size_t count = 0;

	for (int i = 0; i < ITEMS; i++)
		count += passes(&m->items[i], filter);
	return count;
}

static void compare_a_page(struct model *m)
{
	struct filter filter = { draw(m, STATUS_COUNT + 2) - 1,
				 draw(m, SEVERITY_COUNT + 2) - 1 };
	struct place after = { .key = draw(m, 9) - 4, .number = (uint32_t)draw(m, ITEMS) };
	const struct place *from = draw(m, 4) == 0 ? NULL : &after;
	struct place page[PAGE_MAX];
	size_t count = shelves_page(&m->shelves, filter, from, page, PAGE_MAX);

	assert_int_equal(shelves_count(&m->shelves, filter), count_of(m, filter));
	for (size_t i = 0; i < count; i++) {
		const struct place *expected = next_of(m, filter, from);

		assert_non_null(expected);
		assert_int_equal(page[i].key, expected->key);
		assert_int_equal(page[i].number, expected->number);
		from = expected;
	}
	if (count < PAGE_MAX)
		assert_null(next_of(m, filter, from));
}

static void a_page_is_what_a_plain_list_would_give(void **state)
{
	(void)state;
	for (int descending = 0; descending < 2; descending++) {
		struct model m = { .chance = { 11 },
				   .shelves = { .descending = descending == 1 } };

		for (int i = 0; i < STEPS; i++) {
			toggle(&m);
			compare_a_page(&m);
		}
		shelves_release(&m.shelves);
	}
}

static void many_at_once_are_sorted_afterwards(void **state)
{
	struct shelves s = { 0 };
	struct place page[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		shelves_append(&s, STATUS_OPEN, SEVERITY_LOW,
			       (struct place){ .key = (int64_t)(i * 37 % 100), .number = i });
	shelves_sort(&s);
	assert_int_equal(shelves_page(&s, (struct filter){ ANY, ANY }, NULL, page, 100), 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(page[i].key, i);
	shelves_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_what_a_plain_list_would_give),
		cmocka_unit_test(many_at_once_are_sorted_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
