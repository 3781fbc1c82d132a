/* Matchers against one alert, then stories of routes. */
#include "model/route.h"

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
	"\"share\":0.5,\"risk\":\"medium\",\"tags\":[\"a\",\"b\"],\"ok\":true,\"n\":\"42\"}}";

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

/* ---- routes ---- */

enum { SINKS = 4, ANSWER_MAX = 100 };
static size_t sinks[SINKS] = { 0, 1, 2, 3 };

#define ALL_BUT_CHANGED (31U & ~(1U << EVENT_CHANGED))

/* Chooses for the sample; the answer as "sink by route", - left out, e.g. "0/0 2/1-". */
static void choose(struct route *routes, size_t count, const char *matcher_of_first,
		   enum event_kind event, char *answer)
{
	struct alert a;
	struct facts facts = { .alert = &a, .event = event, .source = "acme" };
	struct route_target targets[SINKS];
	struct matcher *m = NULL;
	size_t len = 0;

	make_alert(&a, "high");
	if (matcher_of_first != NULL) {
		m = matcher_new(matcher_of_first, NULL);
		assert_non_null(m);
		routes[0].match = &m;
		routes[0].match_count = 1;
	}
	size_t chosen = route_choose(routes, count, &facts, targets, SINKS);

	answer[0] = '\0';
	for (size_t i = 0; i < chosen; i++)
		len += (size_t)snprintf(answer + len, ANSWER_MAX - len, "%s%zu/%zu%s",
					i == 0 ? "" : " ", targets[i].sink, targets[i].route,
					targets[i].left_out ? "-" : "");
	matcher_free(&m);
	alert_release(&a);
}

static void the_first_matching_route_wins(void **state)
{
	struct route routes[] = {
		{ .to = &sinks[1], .to_count = 1, .closes = true, .events = ALL_BUT_CHANGED },
		{ .to = &sinks[0], .to_count = 2, .closes = true, .events = ALL_BUT_CHANGED },
		{ .to = &sinks[2], .to_count = 1, .closes = true, .events = ALL_BUT_CHANGED },
	};
	char answer[ANSWER_MAX];

	(void)state;
	choose(routes, 3, "type = policy_violation", EVENT_OPENED, answer);
	assert_string_equal(answer, "1/0");
	choose(routes, 3, "type = budget_exceeded", EVENT_OPENED, answer);
	assert_string_equal(answer, "0/1 1/1");
}

static void continue_goes_on_and_a_sink_is_chosen_once_by_the_first(void **state)
{
	struct route routes[] = {
		{ .to = &sinks[1],
		  .to_count = 1,
		  .closes = true,
		  .events = ALL_BUT_CHANGED,
		  .goes_on = true },
		{ .to = &sinks[0], .to_count = 3, .closes = true, .events = ALL_BUT_CHANGED },
		{ .to = &sinks[3], .to_count = 1, .closes = true, .events = ALL_BUT_CHANGED },
	};
	char answer[ANSWER_MAX];

	(void)state;
	choose(routes, 3, NULL, EVENT_OPENED, answer);
	assert_string_equal(answer, "1/0 0/1 2/1");
	routes[1].goes_on = true;
	choose(routes, 3, NULL, EVENT_OPENED, answer);
	assert_string_equal(answer, "1/0 0/1 2/1 3/2");
}

static void no_route_chooses_nobody(void **state)
{
	char answer[ANSWER_MAX];

	(void)state;
	choose(NULL, 0, NULL, EVENT_OPENED, answer);
	assert_string_equal(answer, "");
}

static void a_route_that_matches_but_does_not_want_the_event_still_wins(void **state)
{
	struct route routes[] = {
		{ .to = &sinks[0],
		  .to_count = 1,
		  .closes = true,
		  .events = 1U << EVENT_OPENED },
		{ .to = &sinks[1], .to_count = 1, .closes = true, .events = ALL_BUT_CHANGED },
	};
	char answer[ANSWER_MAX];

	(void)state;
	choose(routes, 2, NULL, EVENT_ACKNOWLEDGED, answer);
	assert_string_equal(answer, "0/0-");
}

static void a_sink_is_left_out_only_when_no_route_wants_it(void **state)
{
	struct route routes[] = {
		{ .to = &sinks[0],
		  .to_count = 2,
		  .closes = true,
		  .events = 1U << EVENT_OPENED,
		  .goes_on = true },
		{ .to = &sinks[1], .to_count = 2, .closes = true, .events = ALL_BUT_CHANGED },
	};
	char answer[ANSWER_MAX];

	(void)state;
	choose(routes, 2, NULL, EVENT_ACKNOWLEDGED, answer);
	assert_string_equal(answer, "0/0- 1/1 2/1");
}

static void only_closes_stops_a_close(void **state)
{
	struct route r = { .closes = true, .events = 1U << EVENT_OPENED };

	(void)state;
	assert_true(route_wants(&r, EVENT_OPENED));
	assert_true(route_wants(&r, EVENT_RESOLVED));
	assert_false(route_wants(&r, EVENT_REOPENED));
	assert_false(route_wants(&r, EVENT_CHANGED));
	r.closes = false;
	r.events = 31U;
	assert_false(route_wants(&r, EVENT_RESOLVED));
	assert_true(route_wants(&r, EVENT_CHANGED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_matcher_compares_by_what_its_sides_mean),
		cmocka_unit_test(an_unknown_severity_compares_as_high),
		cmocka_unit_test(a_bad_matcher_is_refused_with_its_text_and_the_remedy),
		cmocka_unit_test(a_likely_typo_is_doubted_and_a_new_field_is_not),
		cmocka_unit_test(the_first_matching_route_wins),
		cmocka_unit_test(continue_goes_on_and_a_sink_is_chosen_once_by_the_first),
		cmocka_unit_test(no_route_chooses_nobody),
		cmocka_unit_test(a_route_that_matches_but_does_not_want_the_event_still_wins),
		cmocka_unit_test(a_sink_is_left_out_only_when_no_route_wants_it),
		cmocka_unit_test(only_closes_stops_a_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
