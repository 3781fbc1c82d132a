/* Stories of routes; their matchers are in matcher_test.c. */
#include "model/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const char sample[] = "{\"id\":\"al1\",\"org_id\":\"o\",\"type\":\"policy_violation\","
			     "\"severity\":\"high\",\"status\":\"open\"}";

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

	assert_true(alert_read(&a, sample, sizeof(sample) - 1, NULL));
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
		cmocka_unit_test(the_first_matching_route_wins),
		cmocka_unit_test(continue_goes_on_and_a_sink_is_chosen_once_by_the_first),
		cmocka_unit_test(no_route_chooses_nobody),
		cmocka_unit_test(a_route_that_matches_but_does_not_want_the_event_still_wins),
		cmocka_unit_test(a_sink_is_left_out_only_when_no_route_wants_it),
		cmocka_unit_test(only_closes_stops_a_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
