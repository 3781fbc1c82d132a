/* nudge.h: whose signature counts, and how many polls come of many nudges. */
#include "flow/nudge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* printf %s BODY | openssl dgst -sha256 -hmac whsec_one, and whsec_two */
#define BODY "{\"id\":\"evt_1\"}"
#define ONE  "cd97e083dbe4afc194395e8ebde04a77f3118b924f16d223a1fda6fa4ed58ba4"
#define TWO  "5fe35ffa05993237f3f55a9c06a1f48a9e137ca7fa3b5954efe8233d8b28c5fb"
#define HIGH "CD97E083DBE4AFC194395E8EBDE04A77F3118B924F16D223A1FDA6FA4ED58BA4"

static char one[] = "whsec_one", two[] = "whsec_two";
static char *texts[] = { one, two };

static void only_the_whole_signature_of_a_secret_counts(void **state)
{
	static const struct {
		const char *signature, *body;
		bool by_both, by_first;
	} rows[] = {
		{ "sha256=" ONE, BODY, true, true },
		{ "sha256=" TWO, BODY, true, false },
		{ "sha256=" ONE, BODY " ", false, false },
		{ "sha256=" ONE, "", false, false },
		{ "sha256=" HIGH, BODY, false, false },
		{ ONE, BODY, false, false },
		{ "sha1=" ONE, BODY, false, false },
		{ "SHA256=" ONE, BODY, false, false },
		{ "sha512=" ONE, BODY, false, false },
		{ "sha256=" ONE "0", BODY, false, false },
		{ " sha256=" ONE, BODY, false, false },
		{ "sha256=", BODY, false, false },
		{ "", BODY, false, false },
		{ NULL, BODY, false, false },
	};
	const struct conf_texts both = { .list = texts, .count = 2 };
	const struct conf_texts first = { .list = texts, .count = 1 };
	const struct conf_texts none = { .count = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *body = rows[i].body;
		bool by_both = nudge_is_signed(&both, rows[i].signature, body, strlen(body));
		bool by_first = nudge_is_signed(&first, rows[i].signature, body, strlen(body));

		if (by_both != rows[i].by_both || by_first != rows[i].by_first)
			fail_msg("row %zu: %d %d", i, by_both, by_first);
		assert_false(nudge_is_signed(&none, rows[i].signature, body, strlen(body)));
	}
}

static void every_byte_of_a_signature_counts(void **state)
{
	const struct conf_texts first = { .list = texts, .count = 1 };
	char signature[] = "sha256=" ONE;

	(void)state;
	for (size_t i = 0; i < strlen(signature); i++) {
		signature[i] ^= 1;
		assert_false(nudge_is_signed(&first, signature, BODY, strlen(BODY)));
		signature[i] ^= 1;
	}
	assert_true(nudge_is_signed(&first, signature, BODY, strlen(BODY)));
}

static void a_thousand_nudges_are_a_poll_at_once_and_one_a_second(void **state)
{
	struct nudge n;
	int64_t folded, polls = 0, all = 0;

	(void)state;
	nudge_init(&n, 0);
	assert_false(nudge_is_due(&n, 0, &folded));
	for (int64_t now = 0; now < 5000; now += 5) {
		nudge_take(&n, now);
		if (nudge_is_due(&n, now, &folded)) {
			polls++;
			all += folded;
		}
	}
	assert_int_equal(polls, 5);
	assert_true(nudge_is_due(&n, 5000, &folded));
	assert_int_equal(all + folded, 1000);
	assert_false(nudge_is_due(&n, 100000, &folded));
	nudge_take(&n, 100000);
	assert_true(nudge_is_due(&n, 100000, &folded));
	assert_int_equal(folded, 1);
}

static void refusals_are_counted_and_said_once_a_minute(void **state)
{
	struct nudge n;
	int64_t count;

	(void)state;
	nudge_init(&n, 7);
	assert_true(nudge_refuse(&n, 7, &count));
	assert_int_equal(count, 1);
	for (int i = 0; i < 500; i++)
		assert_false(nudge_refuse(&n, 8 + i, &count));
	assert_true(nudge_refuse(&n, 60007, &count));
	assert_int_equal(count, 501);
	assert_int_equal(n.refused, 502);
	assert_int_equal(n.taken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_whole_signature_of_a_secret_counts),
		cmocka_unit_test(every_byte_of_a_signature_counts),
		cmocka_unit_test(a_thousand_nudges_are_a_poll_at_once_and_one_a_second),
		cmocka_unit_test(refusals_are_counted_and_said_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
