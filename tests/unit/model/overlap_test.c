/* overlap: a table of what is claimed, and by chance that no claim is ever wrong. */
#include "model/overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const char *const sources[] = { "acme", "west", NULL };
#define AT_LEISURE (&(struct overlap){ .sources = sources, .tries = 1000 })

enum { LIST_MAX = 6 };

/* "a; b": a list of matchers. */
static size_t read_list(const char *text, struct matcher *list[LIST_MAX])
{
	char *copy = mem_strdup(text), *rest = copy, *one;
	size_t count = 0;

	while ((one = strsep(&rest, ";")) != NULL)
		if (one[strspn(one, " ")] != '\0') {
			list[count] = matcher_new(one, NULL);
			assert_non_null(list[count++]);
		}
	mem_free(&copy);
	return count;
}

static void release_list(struct matcher *list[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		matcher_free(&list[i]);
}

static const struct {
	const char *a, *b;
	bool covers, meet;
} pairs[] = {
	{ "", "", true, true },
	{ "", "type = a", true, true },
	{ "type = a", "", false, true },
	{ "type = a", "type = a; severity = low", true, true },
	{ "type = a", "type = b", false, false },
	{ "type != a", "type = b", true, true },
	{ "type != a", "type != b", false, true },
	{ "type = a", "type != a", false, false },
	{ "severity >= low", "", true, true }, /* an unknown one is high */
	{ "severity >= medium", "severity >= high", true, true },
	{ "severity >= high", "severity >= medium", false, true },
	{ "severity >= high", "severity < high", false, false },
	{ "severity > low", "severity != low", true, true },
	{ "severity = high", "severity = urgent", true, true },
	{ "severity = urgent", "severity = high", false, true },
	{ "metadata.n > 5", "metadata.n > 6", true, true },
	{ "metadata.n > 5", "metadata.n >= 5", false, true },
	{ "metadata.n >= 5", "metadata.n = 5", true, true },
	{ "metadata.n = 5", "metadata.n >= 5; metadata.n <= 5", false,
	  true }, /* "5.0", a text */
	{ "metadata.n < 5", "metadata.n > 5", false, false },
	{ "metadata.n < 5", "metadata.n > 4", false, true }, /* 4.5 */
	{ "metadata.n != ''", "metadata.n > 0", true, true },
	{ "created_at >= 2026-01-01", "created_at > 2026-01-01T00:00:00+00:00", true, true },
	{ "created_at < 2026-01-01", "created_at >= 2026-01-01T01:00:00+01:00", false, false },
	{ "type =~ a.*", "type =~ a.*", true, true },
	{ "type =~ a.*", "type =~ ab.*", false, true }, /* true, but nobody can know */
	{ "type =~ a.*", "type = abc", true, true },
	{ "type =~ a.*", "type = bc", false, false },
	{ "type !~ a.*", "type = bc", true, true },
	{ "type =~ a.*", "type != bc", false, true },
	{ "source = acme", "source != west", true, true },
	{ "source != eats", "", true, true },
	{ "first = true", "first != false", true, true },
	{ "event != changed", "event = opened", true, true },
	{ "type = a; user_id = u", "type = a", false, true },
};

static void what_follows_and_what_can_meet_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct matcher *a[LIST_MAX], *b[LIST_MAX];
		struct matchers left = { a, read_list(pairs[i].a, a) };
		struct matchers right = { b, read_list(pairs[i].b, b) };

		if (overlap_covers(AT_LEISURE, left, right) != pairs[i].covers ||
		    overlap_meet(AT_LEISURE, left, right) != pairs[i].meet)
			print_error("%s | %s\n", pairs[i].a, pairs[i].b);
		assert_int_equal(overlap_covers(AT_LEISURE, left, right), pairs[i].covers);
		assert_int_equal(overlap_meet(AT_LEISURE, left, right), pairs[i].meet);
		assert_int_equal(overlap_meet(AT_LEISURE, right, left), pairs[i].meet);
		release_list(a, left.count);
		release_list(b, right.count);
	}
}

/* ---- by chance: what is claimed is held against values that overlap did not choose ---- */

static uint64_t chance = 1;

static size_t below(size_t n)
{
	chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(chance >> 33) % n;
}

static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=", "=~", "!~" };
static const char *const words[] = { "a",     "b",   "low", "high",       "critical",  "odd",
				     "''",    "5",   "5.0", "6",          "-1",        "[ab]",
				     "4|5.*", "0.5", "1e1", "2026-01-01", "2026-01-02" };
static const struct {
	enum value_kind kind;
	const char *text;
} values[] = {
	{ VALUE_MISSING, "" },
	{ VALUE_TEXT, "a" },
	{ VALUE_TEXT, "b" },
	{ VALUE_TEXT, "c" },
	{ VALUE_TEXT, "low" },
	{ VALUE_TEXT, "medium" },
	{ VALUE_TEXT, "high" },
	{ VALUE_TEXT, "critical" },
	{ VALUE_TEXT, "odd" },
	{ VALUE_TEXT, "other" },
	{ VALUE_TEXT, "5" },
	{ VALUE_NUMBER, "5" },
	{ VALUE_NUMBER, "5.0" },
	{ VALUE_TEXT, "5.0" },
	{ VALUE_NUMBER, "5.5" },
	{ VALUE_NUMBER, "6" },
	{ VALUE_NUMBER, "-1" },
	{ VALUE_NUMBER, "0" },
	{ VALUE_NUMBER, "7e9" },
	{ VALUE_NUMBER, "-7e9" },
	{ VALUE_TEXT, "5.00" },
	{ VALUE_NUMBER, "10" },
	{ VALUE_NUMBER, "0.50" },
	{ VALUE_BOOL, "true" },
	{ VALUE_TEXT, "2026-01-01T00:00:00Z" },
	{ VALUE_TEXT, "2026-01-01" },
	{ VALUE_TEXT, "2026-01-01T12:00:00Z" },
	{ VALUE_TEXT, "2027-01-01" },
	{ VALUE_TEXT, "1999-01-01T00:00:00+05:00" },
};

static size_t some_list(const char *field, struct matcher *list[LIST_MAX])
{
	size_t count = below(3) + (below(8) == 0);

	for (size_t i = 0; i < count;) {
		char *text = mem_printf("%s %s %s", field, ops[below(ARRAY_LEN(ops))],
					words[below(ARRAY_LEN(words))]);

		list[i] = matcher_new(text, NULL);
		i += list[i] != NULL;
		mem_free(&text);
	}
	return count;
}

static bool fits(struct matchers m, size_t value)
{
	struct sight s;

	for (size_t i = 0; i < m.count; i++) {
		matcher_see_text(values[value].kind, values[value].text,
				 strlen(values[value].text), &s);
		if (!matcher_holds(m.list[i], &s))
			return false;
	}
	return true;
}

static void without_tries_left_nothing_is_claimed(void **state)
{
	struct overlap none = { .sources = sources };
	struct matcher *a[LIST_MAX], *b[LIST_MAX];
	struct matchers left = { a, read_list("severity > critical", a) };
	struct matchers right = { b, read_list("severity >= low", b) };

	(void)state;
	assert_null(overlap_impossible(&none, left));
	assert_false(overlap_covers(&none, right, left));
	assert_false(overlap_meet(&none, right, right));
	assert_string_equal(overlap_impossible(AT_LEISURE, left), "severity");
	release_list(a, left.count);
	release_list(b, right.count);
}

static void no_claim_is_ever_wrong(void **state)
{
	static const char *const names[] = { "severity", "metadata.n" };
	size_t covered = 0, apart = 0, impossible = 0;

	(void)state;
	for (size_t round = 0; round < 5000; round++) {
		const char *field = names[below(2)];
		struct matcher *a[LIST_MAX], *b[LIST_MAX];
		struct matchers left = { a, some_list(field, a) };
		struct matchers right = { b, some_list(field, b) };
		bool covers = overlap_covers(AT_LEISURE, left, right);
		bool never = overlap_impossible(AT_LEISURE, left) != NULL;
		bool meet = never || overlap_impossible(AT_LEISURE, right) != NULL ||
			    overlap_meet(AT_LEISURE, left, right);

		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			/* A severity that is no text is set aside before it is routed. */
			if (field == names[0] && values[v].kind != VALUE_TEXT)
				continue;
			bool in_left = fits(left, v), in_right = fits(right, v);
			bool is_wrong = (covers && in_right && !in_left) ||
					(!meet && in_right && in_left) || (never && in_left);

			for (size_t i = 0; is_wrong && i < left.count; i++)
				print_error("a: %s\n", matcher_text(a[i]));
			for (size_t i = 0; is_wrong && i < right.count; i++)
				print_error("b: %s\n", matcher_text(b[i]));
			if (is_wrong)
				fail_msg("%s by \"%s\"",
					 covers  ? "covers"
					 : never ? "never"
						 : "apart",
					 values[v].text);
		}
		covered += covers;
		apart += !meet;
		impossible += never;
		release_list(a, left.count);
		release_list(b, right.count);
	}
	assert_true(covered > 500 && apart > 200 && impossible > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_and_what_can_meet_is_known),
		cmocka_unit_test(without_tries_left_nothing_is_claimed),
		cmocka_unit_test(no_claim_is_ever_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
