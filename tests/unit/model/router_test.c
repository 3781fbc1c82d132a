/* router: whatever the routes and the alert, the answer is route_choose()'s. */
#include "model/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

enum { SINKS = 6, ROUTES_MAX = 150, MATCHERS_MAX = 5, ROUNDS = 300, ALERTS = 30 };

/* ---- chance ---- */

static uint64_t state_of_chance;

static size_t below(size_t n)
{
	state_of_chance = state_of_chance * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(state_of_chance >> 33) % n;
}

#define ONE_OF(list) ((list)[below(ARRAY_LEN(list))])

static const char *const fields[] = { "type",       "severity", "user_id",     "created_at",
				      "metadata.n", "title",    "metadata.no", "source",
				      "event",      "first" };
static const char *const ops[] = {
	"=", "=", "=", "!=", "!=", "<", "<=", ">", ">=", "=~", "!~"
};
static const char *const words[] = {
	"a",
	"b",
	"c",
	"''",
	"high",
	"low",
	"critical",
	"odd",
	"5",
	"5.0",
	"7",
	"opened",
	"2025-01-15",
	"2025-01-16",
	"[ab]",
	"a|5|high",
	"(?:a|a?)+b|(a+)+c",
	"true",
};

/* Some matchers are refused (type < a): then another one is tried. */
static struct matcher *some_matcher(void)
{
	for (;;) {
		char *text = mem_printf("%s %s %s", ONE_OF(fields), ONE_OF(ops), ONE_OF(words));
		struct matcher *m = matcher_new(text, NULL);

		mem_free(&text);
		if (m != NULL)
			return m;
	}
}

static void some_route(struct route *r)
{
	*r = (struct route){ .goes_on = below(3) == 0,
			     .closes = below(4) != 0,
			     .events = (unsigned)below(1U << EVENT_KIND_COUNT) };
	r->match_count = below(MATCHERS_MAX + 1);
	r->match = mem_array(r->match_count, sizeof(*r->match));
	for (size_t i = 0; i < r->match_count; i++)
		r->match[i] = some_matcher();
	r->to_count = 1 + below(3);
	r->to = mem_array(r->to_count, sizeof(*r->to));
	for (size_t i = 0; i < r->to_count; i++)
		r->to[i] = below(SINKS);
}

static void release_route(struct route *r)
{
	for (size_t i = 0; i < r->match_count; i++)
		matcher_free(&r->match[i]);
	mem_free(&r->match);
	mem_free(&r->to);
}

/* Values without quotes (numbers, null) and with them, and sometimes no member at all. */
static void add_member(struct buf *b, const char *name)
{
	static const char *const values[] = {
		"\"a\"",   "\"b\"",    "\"\"",
		"null",    "\"high\"", "\"low\"",
		"\"odd\"", "5",        "5.0",
		"\"5\"",   "6.5",      "\"2025-01-15T00:00:00Z\"",
		"true",    "[1]",      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
	};

	if (below(4) != 0)
		buf_addf(b, ",\"%s\":%s", name, ONE_OF(values));
}

/* A text field takes no other kind: such an alert would be set aside before it is routed. */
static void add_text(struct buf *b, const char *name)
{
	static const char *const values[] = { "a",
					      "b",
					      "c",
					      "",
					      "high",
					      "low",
					      "critical",
					      "odd",
					      "5",
					      "5.0",
					      "2025-01-15T00:00:00Z",
					      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" };

	if (below(4) != 0)
		buf_addf(b, ",\"%s\":\"%s\"", name, ONE_OF(values));
}

static void some_alert(struct alert *a)
{
	static const char *const texts[] = { "type", "severity", "user_id", "created_at",
					     "title" };
	struct err err = { "" };
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "{\"id\":\"al1\"");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_text(&b, texts[i]);
	buf_adds(&b, ",\"metadata\":{\"x\":1");
	add_member(&b, "n");
	buf_adds(&b, "}}");
	if (!alert_read(a, b.data, b.len, &err))
		fail_msg("%.*s: %s", (int)b.len, b.data, err.text);
	buf_release(&b);
}

/* "sink/route", - left out */
static void write_answer(char *out, size_t size, const struct route_target *t, size_t count)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(out + len, size - len, "%zu/%zu%s ", t[i].sink,
					t[i].route, t[i].left_out ? "-" : "");
}

static size_t compare(struct router *router, const struct route *routes, size_t count)
{
	struct route_target plain[SINKS], quick[SINKS];
	char expected[200], got[200];
	struct alert a;
	struct facts facts = { .alert = &a,
			       .event = (enum event_kind)below(EVENT_KIND_COUNT),
			       .first = below(2) == 0,
			       .source = below(2) == 0 ? "a" : "b" };

	some_alert(&a);
	size_t n = route_choose(routes, count, &facts, plain, SINKS);

	write_answer(expected, sizeof(expected), plain, n);
	write_answer(got, sizeof(got), quick, router_choose(router, &facts, quick, SINKS));
	if (strcmp(expected, got) != 0)
		print_error("%.*s\n", (int)a.bytes_len, a.bytes);
	assert_string_equal(got, expected);
	alert_release(&a);
	return n;
}

static void any_routes_choose_what_they_choose_one_by_one(void **state)
{
	struct route routes[ROUTES_MAX];
	size_t chosen = 0;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		state_of_chance = round;
		size_t count = below(round % 10 == 0 ? ROUTES_MAX + 1 : 8);

		for (size_t i = 0; i < count; i++)
			some_route(&routes[i]);
		struct router *router = router_new(routes, count);

		for (size_t i = 0; i < ALERTS; i++)
			chosen += compare(router, routes, count);
		router_free(&router);
		for (size_t i = 0; i < count; i++)
			release_route(&routes[i]);
	}
	assert_true(chosen > ROUNDS); /* chance must not have made routes that nothing takes */
}

static void no_routes_choose_nobody(void **state)
{
	struct router *router = router_new(NULL, 0);
	struct alert a;
	struct facts facts = { .alert = &a };

	(void)state;
	some_alert(&a);
	assert_int_equal(router_choose(router, &facts, NULL, 0), 0);
	assert_null(router_cut(router));
	alert_release(&a);
	router_free(&router);
	router_free(&router);
}

/* The same pattern in two routes is asked once, and told once however often it gives up. */
static void a_pattern_that_gives_up_is_told_once(void **state)
{
	struct matcher *m = matcher_new("title =~ '(?:a|a?)+b|(a+)+c'", NULL);
	size_t to = 0;
	struct route routes[2] = {
		{ .match = &m, .match_count = 1, .to = &to, .to_count = 1, .goes_on = true },
		{ .match = &m, .match_count = 1, .to = &to, .to_count = 1 },
	};
	struct router *router = router_new(routes, 2);
	struct alert a;
	struct facts facts = { .alert = &a };
	struct route_target target;
	static const char endless[] =
		"{\"id\":\"1\",\"title\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}";

	(void)state;
	assert_true(alert_read(&a, endless, sizeof(endless) - 1, NULL));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(router_choose(router, &facts, &target, 1), 1);
		if (i == 0)
			assert_ptr_equal(router_cut(router), m);
		assert_null(router_cut(router));
	}
	alert_release(&a);
	router_free(&router);
	matcher_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_routes_choose_what_they_choose_one_by_one),
		cmocka_unit_test(no_routes_choose_nobody),
		cmocka_unit_test(a_pattern_that_gives_up_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
