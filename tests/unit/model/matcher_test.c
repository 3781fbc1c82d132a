/* Matchers against one alert. */
#include "model/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const char sample[] =
	"{\"id\":\"1e3\",\"org_id\":\"o\",\"type\":\"policy_violation\",\"severity\":\"high\","
	"\"status\":\"open\",\"title\":\"Two\\nlines\",\"message\":\"a \\\"quoted\\\" word\","
	"\"user_id\":null,\"policy_id\":\"\",\"created_at\":\"2025-01-15T10:30:00Z\","
	"\"metadata\":{\"model\":\"gpt-4\",\"tokens\":4200,\"big\":9007199254740993,"
	"\"share\":0.5,\"risk\":\"medium\",\"tags\":[\"a\",\"b\"],\"ok\":true,\"n\":\"42\",\"debt\":-3,"
	"\"day\":\"2025-01-15\",\"owner\":{\"team\":\"ml\"}}}";

/* The sample with another word for its severity. */
static void make_alert(struct alert *a, const char *severity)
{
	char *text = mem_strdup(sample), *at = strstr(text, "\"high\"");
	char *made = mem_printf("%.*s\"%s\"%s", (int)(at - text), text, severity, at + 6);
	struct err err;

	assert_true(alert_read(a, made, strlen(made), &err));
	mem_free(&text);
	mem_free(&made);
}

static const struct {
	const char *matcher;
	bool holds;
} cases[] = {
	/* text */
	{ "type = policy_violation", true },
	{ "type = policy", false },
	{ "type != policy_violation", false },
	{ "type=policy_violation", true },
	{ "  type   =   policy_violation  ", true },
	{ "type = \"policy_violation\"", true },
	{ "type = 'policy_violation'", true },
	{ "type = Policy_violation", false },
	{ "message = 'a \"quoted\" word'", true },
	{ "source = acme", true },
	{ "event = opened", true },
	{ "metadata.model = gpt-4", true },
	{ "metadata.ok = true", true },
	{ "metadata.tags = '[\"a\",\"b\"]'", true },
	/* missing, null and empty are one */
	{ "user_id = ''", true },
	{ "user_id != \"\"", false },
	{ "policy_id = ''", true },
	{ "nothing.at.all = ''", true },
	{ "nothing.at.all != Legal", true },
	{ "metadata.model.deeper = ''", true },
	/* severities by rank */
	{ "severity >= high", true },
	{ "severity >= medium", true },
	{ "severity > high", false },
	{ "severity < critical", true },
	{ "severity <= low", false },
	{ "severity = high", true },
	{ "severity != high", false },
	{ "metadata.risk > low", true },
	{ "metadata.risk > medium", false },
	/* numbers as numbers */
	{ "metadata.tokens > 1000", true },
	{ "metadata.tokens > 999.5", true },
	{ "metadata.tokens < 10000", true },
	{ "metadata.tokens = 4200", true },
	{ "metadata.tokens = 4200.0", true },
	{ "metadata.tokens = 4.2e3", true },
	{ "metadata.tokens != 4200.0", false },
	{ "metadata.share <= 0.5", true },
	{ "metadata.big > 9007199254740992", true },
	{ "metadata.big = 9007199254740992", false },
	{ "metadata.n > 9", true },
	{ "metadata.n = 42.0", false }, /* a string */
	{ "id = 1000", false },         /* so is an id */
	/* times as times */
	{ "created_at > 2025-01-15T00:00:00Z", true },
	{ "created_at = 2025-01-15T11:30:00+01:00", true },
	{ "created_at < 2025-01-15T10:30:00Z", false },
	{ "created_at <= 2025-01-15T10:30:00.000Z", true },
	/* what cannot be compared is not less and not more */
	{ "type < 5", false },
	{ "type >= 5", false },
	{ "user_id < 5", false },
	{ "metadata.tokens < high", false },
	{ "title > 2025-01-15T00:00:00Z", false },
	/* patterns, of the whole field */
	{ "type =~ policy.*", true },
	{ "type =~ policy", false },
	{ "type =~ budget|policy_violation", true },
	{ "type !~ policy.*", false },
	{ "type !~ policy", true },
	{ "title =~ Two.*", true },
	{ "user_id =~ .+", false },
	{ "user_id !~ .+", true },
	{ "metadata.tags =~ '.*\"b\".*'", true },
	{ "severity =~ high|critical", true },
	{ "type =~ '(?i)POLICY_VIOLATION'", true },
	/* a pattern without end holds either way: in doubt an alert is told */
	{ "message =~ '(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*\\d'", true },
	{ "message !~ '(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*(.*)*\\d'", true },
};

static void a_matcher_compares_by_what_its_sides_mean(void **state)
{
	struct alert a;
	struct facts facts = { .alert = &a, .event = EVENT_OPENED, .source = "acme" };

	(void)state;
	make_alert(&a, "high");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		struct matcher *m = matcher_new(cases[i].matcher, &err);

		if (m == NULL || matcher_matches(m, &facts) != cases[i].holds)
			print_error("%s: %s\n", cases[i].matcher, err.text);
		assert_non_null(m);
		assert_int_equal(matcher_matches(m, &facts), cases[i].holds);
		assert_string_equal(matcher_text(m), cases[i].matcher);
		matcher_free(&m);
	}
	alert_release(&a);
}

/*
 * Every operator on every kind of field. A column is an operator; + holds, - does not, and . is
 * refused when it is read, since no field could be less or more than such a value.
 */
static const char *const grid_ops[] = { "=", "!=", "<", "<=", ">", ">=", "=~", "!~" };
static const struct {
	const char *field, *value, *holds;
} grid[] = {
	/* a text: itself, another, a number, a time, a severity, the empty text */
	{ "type", "policy_violation", "+-....+-" },
	{ "type", "budget_exceeded", "-+....-+" },
	{ "type", "5", "-+-----+" },
	{ "type", "2025-01-15T10:30:00Z", "-+-----+" },
	{ "type", "high", "-+-----+" },
	{ "type", "''", "-+....-+" },
	/* a severity, ordered; an unknown word is refused where it would have to be */
	{ "severity", "low", "-+--++-+" },
	{ "severity", "medium", "-+--++-+" },
	{ "severity", "high", "+--+-++-" },
	{ "severity", "critical", "-+++---+" },
	{ "severity", "urgent", "-+....-+" },
	{ "severity", "''", "-+....-+" },
	{ "metadata.risk", "low", "-+--++-+" },
	{ "metadata.risk", "medium", "+--+-++-" },
	{ "metadata.risk", "high", "-+++---+" },
	/* numbers: 4200, 0.5, -3, 2^53 + 1, and one in a string */
	{ "metadata.tokens", "4199", "-+--++-+" },
	{ "metadata.tokens", "4200", "+--+-++-" },
	{ "metadata.tokens", "4200.0", "+--+-+-+" },
	{ "metadata.tokens", "4.2e3", "+--+-+-+" },
	{ "metadata.tokens", "4201", "-+++---+" },
	{ "metadata.tokens", "high", "-+-----+" },
	{ "metadata.share", "0.25", "-+--++-+" },
	{ "metadata.share", "0.5", "+--+-++-" },
	{ "metadata.share", "1", "-+++---+" },
	{ "metadata.debt", "-2", "-+++---+" },
	{ "metadata.debt", "-3", "+--+-++-" },
	{ "metadata.debt", "-10", "-+--++-+" },
	{ "metadata.big", "9007199254740992", "-+--++-+" },
	{ "metadata.big", "9007199254740993", "+--+-++-" },
	{ "metadata.big", "9007199254740994", "-+++---+" },
	{ "metadata.n", "42", "+--+-++-" },
	{ "metadata.n", "42.0", "-+-+-+-+" },
	{ "metadata.n", "9", "-+--++-+" },
	/* times, in any zone; a day is its midnight */
	{ "created_at", "2025-01-15T10:30:00Z", "+--+-++-" },
	{ "created_at", "2025-01-15T11:30:00+01:00", "+--+-+-+" },
	{ "created_at", "2025-01-15T10:30:00.001Z", "-+++---+" },
	{ "created_at", "2025-01-15", "-+--++-+" },
	{ "created_at", "2025-01-16", "-+++---+" },
	{ "created_at", "20250115", "-+-----+" },
	{ "metadata.day", "2025-01-15", "+--+-++-" },
	{ "metadata.day", "2025-01-15T00:00:00Z", "+--+-+-+" },
	{ "metadata.day", "2025-02-01", "-+++---+" },
	{ "at", "2025-01-15T10:31:00Z", "+--+-++-" },
	{ "at", "2025-01-15T10:30:59.999Z", "-+--++-+" },
	/* truth, an object, a list: their JSON */
	{ "metadata.ok", "true", "+-....+-" },
	{ "metadata.ok", "false", "-+....-+" },
	{ "metadata.ok", "1", "-+-----+" },
	{ "metadata.tags", "'[\"a\",\"b\"]'", "+-....-+" },
	{ "metadata.owner", "'{\"team\":\"ml\"}'", "+-....+-" },
	{ "metadata.owner.team", "ml", "+-....+-" },
	/* null, missing and empty are one: the empty text, not less and not more than anything */
	{ "user_id", "''", "+-....+-" },
	{ "user_id", "u1", "-+....-+" },
	{ "user_id", "0", "-+-----+" },
	{ "policy_id", "''", "+-....+-" },
	{ "resolved_at", "2025-01-15T10:30:00Z", "-+-----+" },
	{ "nothing.at.all", "''", "+-....+-" },
	{ "nothing.at.all", "5", "-+-----+" },
	{ "nothing.at.all", "low", "-+-----+" },
	/* what the daemon knows of the event */
	{ "source", "acme", "+-....+-" },
	{ "source", "other", "-+....-+" },
	{ "event", "opened", "+-....+-" },
	{ "event", "resolved", "-+....-+" },
	{ "first", "true", "-+....-+" },
	{ "first", "false", "+-....+-" },
};

static char outcome_of(const char *field, const char *op, const char *value,
		       const struct facts *facts)
{
	char *text = mem_printf("%s %s %s", field, op, value);
	struct matcher *m = matcher_new(text, NULL);
	char outcome = m == NULL ? '.' : matcher_matches(m, facts) ? '+' : '-';

	matcher_free(&m);
	mem_free(&text);
	return outcome;
}

static void every_operator_answers_for_every_kind_of_field(void **state)
{
	struct alert a;
	struct facts facts = { .alert = &a, .source = "acme", .at = 1736937060000 };

	(void)state;
	make_alert(&a, "high");
	for (size_t i = 0; i < ARRAY_LEN(grid); i++) {
		char holds[ARRAY_LEN(grid_ops) + 1] = "";

		for (size_t k = 0; k < ARRAY_LEN(grid_ops); k++)
			holds[k] =
				outcome_of(grid[i].field, grid_ops[k], grid[i].value, &facts);
		if (strcmp(holds, grid[i].holds) != 0)
			print_error("%s … %s\n", grid[i].field, grid[i].value);
		assert_string_equal(holds, grid[i].holds);
	}
	alert_release(&a);
}

static bool holds(const char *text, const char *severity)
{
	struct alert a;
	struct facts facts = { .alert = &a, .event = EVENT_OPENED, .source = "acme" };
	struct matcher *m = matcher_new(text, NULL);

	make_alert(&a, severity);
	assert_non_null(m);
	bool answer = matcher_matches(m, &facts);

	matcher_free(&m);
	alert_release(&a);
	return answer;
}

static void an_unknown_severity_compares_as_high(void **state)
{
	(void)state;
	assert_true(holds("severity >= high", "catastrophic"));
	assert_true(holds("severity = high", "catastrophic"));
	assert_false(holds("severity != high", "catastrophic"));
	assert_false(holds("severity >= critical", "catastrophic"));
	assert_true(holds("severity >= high", ""));
	/* and still by its own name */
	assert_true(holds("severity = catastrophic", "catastrophic"));
	assert_false(holds("severity = catastrophic", "high"));
	assert_true(holds("severity = ''", ""));
}

static const struct {
	const char *matcher, *reason;
} bad[] = {
	{ "", "begins without a field: write \"severity >= high\"" },
	{ "= high", "begins without a field: write \"severity >= high\"" },
	{ "severity", "needs one of = != =~ !~ < <= > >= after \"severity\"" },
	{ "severity high", "needs one of = != =~ !~ < <= > >= after \"severity\"" },
	{ "severity == high", "there is no ==: write =" },
	{ "severity ! high", "needs one of = != =~ !~ < <= > >= after \"severity\"" },
	{ "type =", "has no value: write '' for \"empty or missing\"" },
	{ "type = \"a", "has a quote \" that is not closed" },
	{ "type = '", "has a quote ' that is not closed" },
	{ "type = 'a' b", "goes on after the closing quote ': quote the whole value" },
	{ ".type = a", "\".type\" is no field: a dot stands between two names" },
	{ "metadata. = a", "\"metadata.\" is no field: a dot stands between two names" },
	{ "metadata..x = a", "\"metadata..x\" is no field: a dot stands between two names" },
	{ "severity >= hihg", "severity is compared with low, medium, high or critical" },
	{ "severity > 2", "severity is compared with low, medium, high or critical" },
	{ "type > b", "can never hold: < <= > >= compare numbers, times and severities" },
	{ "type =~ (a", NULL },
	{ "type =~ *", NULL },
};

static void a_bad_matcher_is_refused_with_its_text_and_the_remedy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = { 0 };
		char *prefix = mem_printf("matcher \"%s\": ", bad[i].matcher);
		struct matcher *m = matcher_new(bad[i].matcher, &err);

		if (m != NULL)
			print_error("taken: %s\n", bad[i].matcher);
		assert_null(m);
		assert_memory_equal(err.text, prefix, strlen(prefix));
		if (bad[i].reason != NULL)
			assert_string_equal(err.text + strlen(prefix), bad[i].reason);
		mem_free(&prefix);
	}
}

static bool is_plausible(const char *text)
{
	struct matcher *m = matcher_new(text, NULL);
	bool answer = matcher_is_plausible(m, NULL);

	matcher_free(&m);
	return answer;
}

static void a_likely_typo_is_doubted_and_a_new_field_is_not(void **state)
{
	(void)state;
	assert_true(is_plausible("severity = high"));
	assert_true(is_plausible("severity = ''"));
	assert_true(is_plausible("severity =~ urgent.*"));
	assert_true(is_plausible("metadata.modle = x"));
	assert_true(is_plausible("region = eu"));
	assert_false(is_plausible("severity = hihg"));
	assert_false(is_plausible("severty = high"));
	assert_false(is_plausible("tpye != x"));
}

static void a_field_is_understood_once_and_answers_the_same(void **state)
{
	static const char *const asked[] = { "metadata.tokens > 9", "metadata.tokens = 4200",
					     "metadata.tokens < high",
					     "metadata.tokens =~ 4.*" };
	static const bool holds_by_then[] = { true, true, false, true };
	struct alert a;
	struct facts facts = { .alert = &a };
	struct sight s;

	(void)state;
	make_alert(&a, "high");
	matcher_see("metadata.tokens", &facts, &s);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct matcher *m = matcher_new(asked[i], NULL);

		assert_int_equal(matcher_holds(m, &s), holds_by_then[i]);
		matcher_free(&m);
	}
	alert_release(&a);
}

static void what_a_value_means_decides_whether_its_bytes_are_all(void **state)
{
	static const struct {
		const char *matcher;
		bool is_of_bytes;
	} rows[] = {
		{ "type = a", true },          { "type != a", true },
		{ "type =~ a", false },        { "type < 5", false },
		{ "type = 5", false },         { "at = 2025-01-15", false },
		{ "severity = high", false },  { "severity = urgent", true },
		{ "metadata.x = high", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct matcher *m = matcher_new(rows[i].matcher, NULL);

		assert_int_equal(matcher_is_of_bytes(m), rows[i].is_of_bytes);
		matcher_free(&m);
	}
}

static void a_pattern_that_gave_up_once_says_so(void **state)
{
	struct matcher *m = matcher_new("message =~ '(?:a|a?)+b|(a+)+c'", NULL);
	struct sight s;
	static const char endless[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";

	(void)state;
	matcher_see_text(VALUE_TEXT, "no", 2, &s);
	assert_false(matcher_holds(m, &s));
	assert_false(matcher_was_cut(m));
	matcher_see_text(VALUE_TEXT, endless, sizeof(endless) - 1, &s);
	assert_true(matcher_holds(m, &s));
	assert_true(matcher_was_cut(m));
	matcher_free(&m);
}

static void what_only_a_delivery_knows_is_told(void **state)
{
	static const struct {
		const char *matcher;
		bool is_early;
	} rows[] = {
		{ "source = a", true },  { "route = a", false }, { "sink != a", false },
		{ "vars.x = a", false }, { "routes = a", true }, { "event = opened", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct matcher *m = matcher_new(rows[i].matcher, NULL);

		assert_int_equal(matcher_is_early(m, NULL), rows[i].is_early);
		matcher_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_matcher_compares_by_what_its_sides_mean),
		cmocka_unit_test(every_operator_answers_for_every_kind_of_field),
		cmocka_unit_test(a_field_is_understood_once_and_answers_the_same),
		cmocka_unit_test(what_a_value_means_decides_whether_its_bytes_are_all),
		cmocka_unit_test(an_unknown_severity_compares_as_high),
		cmocka_unit_test(a_bad_matcher_is_refused_with_its_text_and_the_remedy),
		cmocka_unit_test(a_likely_typo_is_doubted_and_a_new_field_is_not),
		cmocka_unit_test(a_pattern_that_gave_up_once_says_so),
		cmocka_unit_test(what_only_a_delivery_knows_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
