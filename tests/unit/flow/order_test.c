/* Lists, and which order they show: by times, by ids where times tie, or none. */
#include "flow/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/mem.h"

enum { LIST_MAX = 1000 };

/* A list of alerts: a time each, and an id. */
struct list {
	struct alert items[LIST_MAX];
	char ids[LIST_MAX][100];
	size_t count;
};

static struct list list;

static void append(int64_t created_at, const char *id)
{
	size_t i = list.count++;

	snprintf(list.ids[i], sizeof(list.ids[i]), "%s", id);
	list.items[i] = (struct alert){ .id = list.ids[i], .created_at = created_at };
}

/* "9 8 8b 8a 0": a time, and an id behind it; without one all ids are alike. */
static void read_list(const char *text)
{
	list.count = 0;
	while (*text != '\0') {
		int64_t at = 0;
		char id[100] = "";
		size_t len;

		for (; *text >= '0' && *text <= '9'; text++)
			at = at * 10 + (*text - '0');
		len = strcspn(text, " ");
		snprintf(id, sizeof(id), "%.*s", (int)len, text);
		append(at, id);
		text += len;
		text += strspn(text, " ");
	}
}

/* The evidence of the list, in pages of that size. */
static struct order_evidence walk(size_t page_size)
{
	struct order_evidence e = { .any = false };

	for (size_t at = 0; at < list.count; at += page_size) {
		size_t left = list.count - at;
		struct page page = { .items = list.items + at,
				     .item_count = left < page_size ? left : page_size };

		order_add(&e, &page);
	}
	return e;
}

static enum order order_of(void)
{
	struct order_evidence e = walk(25);

	return order_verdict(&e);
}

static const struct {
	const char *list;
	size_t falling, rising;
	enum order order;
} lists[] = {
	{ "", 0, 0, ORDER_UNKNOWN },
	{ "5", 0, 0, ORDER_UNKNOWN },
	{ "5 4", 1, 0, ORDER_UNKNOWN },
	/* eight pairs are enough */
	{ "8 7 6 5 4 3 2 1", 7, 0, ORDER_UNKNOWN },
	{ "9 8 7 6 5 4 3 2 1", 8, 0, ORDER_NEWEST_FIRST },
	{ "1 2 3 4 5 6 7 8 9", 0, 8, ORDER_OLDEST_FIRST },
	/* ties in time, told apart by id */
	{ "5i 5h 5g 5f 5e 5d 5c 5b 5a", 8, 0, ORDER_NEWEST_FIRST },
	{ "5a 5b 5c 5d 5e 5f 5g 5h 5i", 0, 8, ORDER_OLDEST_FIRST },
	{ "5i 5h 5g 4f 4e 4d 3c 3b 3a", 8, 0, ORDER_NEWEST_FIRST },
	/* random ids say nothing against an order of times, nor of one that nothing shows */
	{ "9d 9a 8c 8f 7b 7e 6a 6d 5c 5b 4f 4a 3b 3e 2d 2c 1a 1b", 12, 5, ORDER_NEWEST_FIRST },
	{ "5d 5a 5c 5f 5b 5e 5a 5d 5c 5b 5f 5a 5b 5e", 6, 7, ORDER_UNKNOWN },
	/* time goes before id */
	{ "9a 8b 7c 6d 5e 4f 3g 2h 1i", 8, 0, ORDER_NEWEST_FIRST },
	/* without times, by id */
	{ "a b c d e f g h i", 0, 8, ORDER_OLDEST_FIRST },
	{ "i h g f e d c b a", 8, 0, ORDER_NEWEST_FIRST },
	/* bytes, not letters: what is past ASCII comes after it */
	{ "5\xff 5\xc3\xa9 5z 5Z 5A 5- 5, 5+ 5", 8, 0, ORDER_NEWEST_FIRST },
	/* alike: nothing can be told */
	{ "5 5 5 5 5 5 5 5 5 5 5 5 5", 0, 0, ORDER_UNKNOWN },
	{ "5a 5a 5a 5a 5a 5a 5a 5a 5a 5a", 0, 0, ORDER_UNKNOWN },
	{ "0 0 0 0 0 0 0 0 0 0 0 0 0", 0, 0, ORDER_UNKNOWN },
	/* an item that is listed twice in a row is one */
	{ "9 9 8 8 7 7 6 6 5 5 4 4 3 3 2 2 1 1", 8, 0, ORDER_NEWEST_FIRST },
	/* one without a time tells nothing of either neighbour */
	{ "9 8 7 6 0 5 4 3 2 1", 7, 0, ORDER_UNKNOWN },
	{ "9 8 7 6 0 5 4 3 2 1 0", 7, 0, ORDER_UNKNOWN },
	{ "10 9 8 7 6 0 5 4 3 2 1", 8, 0, ORDER_NEWEST_FIRST },
	{ "0a 9 0b 8 0c 7 0d 6 0e 5", 0, 0, ORDER_UNKNOWN },
	/* one inversion in eight pairs, not two */
	{ "9 8 7 1 6 5 4 3 2", 7, 1, ORDER_NEWEST_FIRST },
	{ "2 3 4 5 9 6 7 8 9", 1, 7, ORDER_OLDEST_FIRST },
	{ "9 8 1 7 6 2 5 4 3", 6, 2, ORDER_UNORDERED },
	{ "1 9 2 8 3 7 4 6 5", 4, 4, ORDER_UNORDERED },
	/* two in sixteen, not in fifteen, not three */
	{ "16 15 1 14 13 12 11 10 9 8 2 7 6 5 4 3", 13, 2, ORDER_UNORDERED },
	{ "17 16 15 1 14 13 12 11 10 9 8 2 7 6 5 4 3", 14, 2, ORDER_NEWEST_FIRST },
	{ "17 16 15 1 14 13 12 11 10 9 8 2 7 6 3 5 4", 13, 3, ORDER_UNORDERED },
	/* late arrivals are no reason to doubt, from either end */
	{ "90 80 70 60 50 40 30 99 20 10", 8, 1, ORDER_NEWEST_FIRST },
};

static void a_list_shows_its_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		read_list(lists[i].list);
		struct order_evidence e = walk(25);

		if (e.falling != lists[i].falling || e.rising != lists[i].rising ||
		    order_verdict(&e) != lists[i].order)
			fail_msg("%s: %zu falling, %zu rising, %s", lists[i].list, e.falling,
				 e.rising, order_name(order_verdict(&e)));
	}
}

static void pairs_go_across_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t size = 1; size < 6; size++) {
			read_list(lists[i].list);
			struct order_evidence e = walk(size);

			assert_int_equal(e.falling, lists[i].falling);
			assert_int_equal(e.rising, lists[i].rising);
		}
}

static void an_empty_page_breaks_no_pair(void **state)
{
	(void)state;
	struct order_evidence e = { .any = false };
	struct page none = { .item_count = 0 };

	read_list("3 2");
	order_add(&e, &none);
	order_add(&e, &(struct page){ .items = list.items, .item_count = 1 });
	order_add(&e, &none);
	order_add(&e, &(struct page){ .items = list.items + 1, .item_count = 1 });
	assert_int_equal(e.falling, 1);
}

static void of_an_id_its_first_64_bytes_count(void **state)
{
	(void)state;
	static const struct {
		size_t at; /* of the byte that differs */
		size_t rising;
	} table[] = { { 0, 1 }, { 62, 1 }, { 63, 1 }, { 64, 0 }, { 90, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char a[100] = "", b[100] = "";

		memset(a, 'x', 95);
		memset(b, 'x', 95);
		b[table[i].at] = 'y';
		list.count = 0;
		append(5, a);
		append(5, b);
		assert_int_equal(walk(25).rising, table[i].rising);
	}
}

/* ---- long lists, by seed ---- */

/* A list that falls or rises by up to 3 each, so that times tie; ids then go the same way. */
static void make_list(struct chance *c, size_t count, bool falls)
{
	int64_t at = 1000000;

	list.count = 0;
	for (size_t i = 0; i < count; i++) {
		char id[32];

		at += (falls ? -1 : 1) * chance_below(c, 4);
		snprintf(id, sizeof(id), "al-%08zu", falls ? count - i : i);
		append(at, id);
	}
}

/* That many items change their place with any other. */
static void shuffle(struct chance *c, size_t swaps)
{
	for (size_t i = 0; i < swaps; i++) {
		size_t a = (size_t)chance_below(c, (int64_t)list.count);
		size_t b = (size_t)chance_below(c, (int64_t)list.count);
		struct alert item = list.items[a];

		list.items[a] = list.items[b];
		list.items[b] = item;
	}
}

static void a_list_in_order_with_a_few_out_of_place_is_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct chance c;

		chance_seed(&c, seed);
		make_list(&c, 200 + (size_t)chance_below(&c, 800), seed % 2 == 0);
		/* Each swap turns two pairs round; 1 in 20 items moves. */
		shuffle(&c, list.count / 40);
		assert_int_equal(order_of(),
				 seed % 2 == 0 ? ORDER_NEWEST_FIRST : ORDER_OLDEST_FIRST);
	}
}

static void a_list_by_chance_is_unordered(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct chance c;

		chance_seed(&c, seed);
		make_list(&c, 40 + (size_t)chance_below(&c, 400), seed % 2 == 0);
		shuffle(&c, 5 * list.count);
		assert_int_equal(order_of(), ORDER_UNORDERED);
	}
}

static void of_nine_alerts_in_no_order_few_lists_look_ordered(void **state)
{
	(void)state;
	struct chance c;
	size_t ordered = 0;

	chance_seed(&c, 1);
	for (size_t i = 0; i < 20000; i++) {
		make_list(&c, 9, true);
		for (size_t n = 0; n < 9; n++)
			list.items[n].created_at = 1 + (int64_t)(chance_next(&c) >> 1) / 2;
		ordered += order_of() != ORDER_UNORDERED;
	}
	/* 1006 of 9! permutations have at most one descent, or one ascent: 55 of 20000. */
	assert_true(ordered > 20 && ordered < 110);
}

/* ---- words ---- */

static void each_order_has_a_word(void **state)
{
	(void)state;
	static const struct {
		enum order order;
		const char *name;
	} table[] = {
		{ ORDER_UNKNOWN, "unknown" },
		{ ORDER_NEWEST_FIRST, "newest-first" },
		{ ORDER_OLDEST_FIRST, "oldest-first" },
		{ ORDER_UNORDERED, "unordered" },
	};
	static const char *const others[] = { "", "newest", "Newest-First", "unordered ", "7" };

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_string_equal(order_name(table[i].order), table[i].name);
		assert_int_equal(order_parse(table[i].name), table[i].order);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(order_parse(others[i]), ORDER_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_shows_its_order),
		cmocka_unit_test(pairs_go_across_pages),
		cmocka_unit_test(an_empty_page_breaks_no_pair),
		cmocka_unit_test(of_an_id_its_first_64_bytes_count),
		cmocka_unit_test(a_list_in_order_with_a_few_out_of_place_is_in_order),
		cmocka_unit_test(a_list_by_chance_is_unordered),
		cmocka_unit_test(of_nine_alerts_in_no_order_few_lists_look_ordered),
		cmocka_unit_test(each_order_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
