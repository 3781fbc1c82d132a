/* The words, the packing of a delivery's key, and its id, which receivers deduplicate by. */
#include "model/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void every_word_is_read_back(void **state)
{
	static const char *const kinds[] = { "opened", "acknowledged", "resolved", "reopened",
					     "changed" };
	static const char *const alerts[] = { "active", "resolved", "silent", "vanished" };
	static const char *const deliveries[] = { "due",  "held",  "claimed", "done",
						  "dead", "moved", "dropped", "orphaned" };
	enum event_kind kind;
	enum alert_state alert;
	enum delivery_state delivery;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_true(event_kind_parse(kinds[i], &kind));
		assert_string_equal(event_kind_name(kind), kinds[i]);
		assert_int_equal(kind, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
		assert_true(alert_state_parse(alerts[i], &alert));
		assert_string_equal(alert_state_name(alert), alerts[i]);
		assert_int_equal(alert, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(deliveries); i++) {
		assert_true(delivery_state_parse(deliveries[i], &delivery));
		assert_string_equal(delivery_state_name(delivery), deliveries[i]);
		assert_int_equal(delivery, i);
	}
	assert_false(event_kind_parse("", &kind));
	assert_false(event_kind_parse("Opened", &kind));
	assert_false(alert_state_parse("actively", &alert));
	assert_false(delivery_state_parse("du", &delivery));
}

static void origins_and_verdicts_have_their_words(void **state)
{
	(void)state;
	assert_string_equal(delivery_origin_name(ORIGIN_ROUTE), "route");
	assert_string_equal(delivery_origin_name(ORIGIN_FOLLOW), "follow");
	assert_string_equal(delivery_origin_name(ORIGIN_FALLBACK), "fallback");
	assert_string_equal(delivery_origin_name(ORIGIN_ESCALATION), "escalation");
	assert_string_equal(delivery_origin_name(ORIGIN_REPEAT), "repeat");
	assert_string_equal(delivery_origin_name(ORIGIN_REQUEUE), "requeue");
	assert_string_equal(verdict_name(VERDICT_DELIVERED), "delivered");
	assert_string_equal(verdict_name(VERDICT_AGAIN), "again");
	assert_string_equal(verdict_name(VERDICT_LATER), "later");
	assert_string_equal(verdict_name(VERDICT_NEVER), "never");
}

static void is_packed_whole(int64_t event, int sink, enum delivery_origin origin, int ordinal)
{
	int64_t key = delivery_key(event, sink, origin, ordinal);

	assert_true(key >= 0);
	assert_int_equal(delivery_key_event(key), event);
	assert_int_equal(delivery_key_sink(key), sink);
	assert_int_equal(delivery_key_origin(key), origin);
	assert_int_equal(delivery_key_ordinal(key), ordinal);
}

static void a_key_gives_back_what_it_was_made_of(void **state)
{
	static const int64_t events[] = { 0, 1, 4711, (INT64_C(1) << 36) - 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		for (int origin = ORIGIN_ROUTE; origin <= ORIGIN_REQUEUE; origin++) {
			is_packed_whole(events[i], 0, (enum delivery_origin)origin, 0);
			is_packed_whole(events[i], 1, (enum delivery_origin)origin, 4095);
			is_packed_whole(events[i], 4095, (enum delivery_origin)origin, 1);
		}
	}
}

/* The key is stored: its layout is for ever. */
static void the_rows_of_an_event_are_one_range_of_keys(void **state)
{
	(void)state;
	assert_int_equal(delivery_key(1, 0, ORIGIN_ROUTE, 0), 134217728);
	assert_int_equal(delivery_key(1, 2, ORIGIN_FALLBACK, 3), 134217728 + 65536 + 8192 + 3);
	assert_true(delivery_key(1, DELIVERY_SINK_MAX, ORIGIN_REQUEUE, DELIVERY_ORDINAL_MAX) <
		    delivery_key(2, 0, ORIGIN_ROUTE, 0));
	assert_true(delivery_key((INT64_C(1) << 36) - 1, DELIVERY_SINK_MAX, ORIGIN_REQUEUE,
				 DELIVERY_ORDINAL_MAX) > 0);
}

static const struct delivery_names sample = {
	.org_id = "org",
	.alert_id = "al1b2c3d",
	.episode = 1,
	.kind = EVENT_OPENED,
	.seq = 1,
	.sink = "bus",
	.origin = ORIGIN_ROUTE,
	.ordinal = 0,
};

static void is_id(struct delivery_names names, const char *expect)
{
	char id[DELIVERY_ID_MAX];

	delivery_id(&names, id);
	assert_string_equal(id, expect);
}

/*
 * Receivers keep these ids, and a store made anew must make them again: they never change. They
 * are the first 16 bytes of the SHA-256 over the fields in order, each ended by a NUL.
 */
static void delivery_ids_are_for_ever(void **state)
{
	char long_id[16385];

	(void)state;
	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	is_id(sample, "tcs_c51c6e45f1ccdb9e43ef83a45e467252");
	is_id((struct delivery_names){ .org_id = NULL,
				       .alert_id = "a",
				       .episode = 1,
				       .kind = EVENT_RESOLVED,
				       .seq = 2,
				       .sink = "bus",
				       .origin = ORIGIN_FOLLOW },
	      "tcs_a2adef4ede3064a448e114f26baa30c9");
	is_id((struct delivery_names){ .org_id = "org_é",
				       .alert_id = long_id,
				       .episode = -1,
				       .kind = EVENT_CHANGED,
				       .seq = INT64_MAX,
				       .sink = "s",
				       .origin = ORIGIN_REQUEUE,
				       .ordinal = DELIVERY_ORDINAL_MAX },
	      "tcs_3d98bb38f07b93a0116ed5b5045e00fc");
}

static void no_two_deliveries_share_an_id(void **state)
{
	struct delivery_names all[10];
	char ids[ARRAY_LEN(all)][DELIVERY_ID_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i] = sample;
	all[1].org_id = "orga"; /* the same letters, parted elsewhere */
	all[1].alert_id = "l1b2c3d";
	all[2].org_id = "";
	all[3].alert_id = "al1b2c3d1";
	all[4].episode = 2;
	all[5].kind = EVENT_REOPENED;
	all[6].seq = 11;
	all[7].sink = "bus1";
	all[8].origin = ORIGIN_REPEAT;
	all[9].ordinal = 1;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		delivery_id(&all[i], ids[i]);
		assert_int_equal(strlen(ids[i]), 36);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
}

/* Two alerts have never the same key, and no key is longer than pagers take. */
static void a_dedup_key_names_one_alert(void **state)
{
	static const struct {
		const char *org, *id, *key; /* key NULL: a hash */
	} rows[] = {
		{ "org_1", "al-1", "org_1:al-1" },
		{ "", "al-1", ":al-1" },
		{ "a:b", "c", NULL },
		{ "a", "b:c", NULL },
		{ "org", "al 1", NULL },
		{ "org", "\xc3\xa4", NULL },
		{ "org",
		  "0123456789012345678901234567890123456789012345678901234567890123456789"
		  "01234567890123456789012345678901",
		  NULL },
	};
	char key[DEDUP_KEY_MAX], before[DEDUP_KEY_MAX] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dedup_key(rows[i].org, rows[i].id, key);
		if (rows[i].key != NULL)
			assert_string_equal(key, rows[i].key);
		else
			assert_true(strncmp(key, "tcs_", 4) == 0 && strchr(key, ':') == NULL);
		assert_string_not_equal(key, before);
		memcpy(before, key, sizeof(key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dedup_key_names_one_alert),
		cmocka_unit_test(every_word_is_read_back),
		cmocka_unit_test(origins_and_verdicts_have_their_words),
		cmocka_unit_test(a_key_gives_back_what_it_was_made_of),
		cmocka_unit_test(the_rows_of_an_event_are_one_range_of_keys),
		cmocka_unit_test(delivery_ids_are_for_ever),
		cmocka_unit_test(no_two_deliveries_share_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
