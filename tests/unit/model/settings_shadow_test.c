/* Routes that never come to their turn: what is said of them, and of which nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/settings.h"

static const struct conf_key no_keys[] = { { .name = NULL } };
static const struct sink_type gong = {
	.name = "gong", .keys = no_keys, .rate = "off", .batch_max = 9
};
static const struct sink_type *const types[] = { &gong, NULL };

static char *resolve(const char *text, struct err *err)
{
	(void)err;
	return mem_strdup(text);
}

static const struct settings_context ctx = { .file = "t.conf",
					     .types = types,
					     .resolve = resolve };

enum { SAID_MAX = 4000, CONF_MAX = 4000 };

/* Routes from line 5 on, a line each. */
#define HEAD                                                                                    \
	"sources = ( { name = \"acme\"; base_url = \"https://a.io/v1\"; api_key = \"k\"; },\n"  \
	"{ name = \"west\"; base_url = \"https://b.io/v1\"; api_key = \"k\"; } );\n"            \
	"sinks = ( { name = \"g\"; type = \"gong\"; }, { name = \"h\"; type = \"gong\"; } );\n" \
	"routes = (\n"

static void check(const char *routes, char said[SAID_MAX])
{
	struct conf_problems problems = { 0 };
	char *text = mem_printf(HEAD "%s );", routes);
	struct settings *s = settings_read(text, strlen(text), &ctx, &problems);
	size_t len = 0;

	said[0] = '\0';
	for (size_t i = 0; i < problems.count; i++)
		len += (size_t)snprintf(said + len, SAID_MAX - len, "%d: %s%s\n",
					problems.list[i].line,
					problems.list[i].level == CONF_ERROR ? "error: " : "",
					problems.list[i].message);
	conf_problems_release(&problems);
	settings_free(&s);
	mem_free(&text);
}

#define NEVER(match)                                                         \
	"{ name = \"x\"; match = [ " match " ]; to = [ \"g\", \"h\" ]; },\n" \
	"{ name = \"rest\"; to = [ \"g\", \"h\" ]; }"
#define BEHIND(first, then)                                                  \
	"{ name = \"a\"; match = [ " first " ]; to = [ \"g\", \"h\" ]; },\n" \
	"{ name = \"b\"; match = [ " then " ]; to = \"g\"; }"
#define SHADOWED                                                                             \
	"6: route \"b\" is never reached: route \"a\" (line 5) takes every alert that this " \
	"one matches; move that one behind it, or give it continue = true\n"

static const struct {
	const char *routes, *said;
} cases[] = {
	/* what nothing can match */
	{ NEVER("\"severity = low\", \"severity = high\""),
	  "5: route \"x\" never matches: no severity fits \"severity = low\" and \"severity = "
	  "high\" (to match either of several, write =~ a|b, or two routes)\n" },
	{ NEVER("\"severity > critical\""),
	  "5: route \"x\" never matches: no severity fits \"severity > critical\"\n" },
	{ NEVER("\"type = a\", \"severity >= high\", \"type = b\""),
	  "5: route \"x\" never matches: no type fits \"type = a\" and \"type = b\" (to match "
	  "either of several, write =~ a|b, or two routes)\n" },
	{ NEVER("\"source = eats\""),
	  "5: route \"x\" never matches: no source fits \"source = eats\"\n" },
	{ NEVER("\"severity >= low\""),
	  "6: route \"rest\" is never reached: route \"x\" (line 5) takes every alert that this one "
	  "matches; move that one behind it, or give it continue = true\n" },
	{ NEVER("\"severity > high\", \"severity != critical\""),
	  "5: route \"x\" never matches: no severity fits \"severity > high\" and \"severity != "
	  "critical\" (to match either of several, write =~ a|b, or two routes)\n" },
	{ NEVER("\"source = west\", \"event = reopened\", \"first = false\""), "" },
	/* what an earlier one takes */
	{ BEHIND("\"type = a\"", "\"type = a\""), SHADOWED },
	{ BEHIND("\"type = a\"", "\"type = a\", \"severity >= high\""), SHADOWED },
	{ BEHIND("\"severity >= medium\"", "\"type = a\", \"severity = critical\""), SHADOWED },
	{ BEHIND("\"severity >= high\"", "\"severity >= medium\""), "" },
	{ BEHIND("\"type = a\", \"user_id = u\"", "\"type = a\""), "" },
	{ BEHIND("\"type = a\"", "\"type = b\""), "" },
	/* `continue` shadows nothing; its events do not matter to who comes later */
	{ "{ name = \"a\"; match = \"type = a\"; to = [ \"g\", \"h\" ]; continue = true; },\n"
	  "{ name = \"b\"; match = \"type = a\"; to = \"h\"; }",
	  "" },
	{ "{ name = \"a\"; match = \"type = a\"; to = [ \"g\", \"h\" ]; events = \"opened\"; },\n"
	  "{ name = \"b\"; match = \"type = a\"; to = \"h\"; events = \"resolved\"; }",
	  "6: route \"b\" is never reached: route \"a\" (line 5) takes every alert that this one "
	  "matches, for all events, also those that it does not tell; move that one behind it, "
	  "or give it continue = true\n" },
	{ "{ name = \"a\"; to = [ \"g\", \"h\" ]; },\n{ name = \"b\"; to = \"g\"; },\n"
	  "{ name = \"c\"; match = \"type = a\"; to = \"g\"; }",
	  "6: route \"b\" is never reached: route \"a\" (line 5) takes every alert; move that one "
	  "to the end, or give it continue = true\n"
	  "7: route \"c\" is never reached: route \"a\" (line 5) takes every alert; move that one "
	  "to the end, or give it continue = true\n" },
	/* two routes to one sink */
	{ "{ name = \"a\"; match = \"severity >= high\"; to = [ \"g\", \"h\" ]; "
	  "events = \"opened\"; continue = true; },\n"
	  "{ name = \"b\"; to = \"h\"; }",
	  "6: route \"b\": what both match is told to \"h\" by route \"a\" (line 5) alone, which "
	  "comes first: its events are not these\n" },
	{ "{ name = \"a\"; match = \"severity >= high\"; to = [ \"g\", \"h\" ]; "
	  "delay = \"5m\"; continue = true; },\n"
	  "{ name = \"b\"; to = \"h\"; }",
	  "6: route \"b\": what both match is told to \"h\" by route \"a\" (line 5) alone, which "
	  "comes first: it holds more than this one\n" },
	{ "{ name = \"a\"; match = \"severity >= high\"; to = [ \"g\", \"h\" ]; "
	  "events = \"opened\"; continue = true; },\n"
	  "{ name = \"b\"; match = \"severity < high\"; to = \"h\"; }",
	  "" },
	{ "{ name = \"a\"; match = \"severity >= high\"; to = \"g\"; events = \"opened\"; "
	  "continue = true; },\n"
	  "{ name = \"b\"; to = \"h\"; }",
	  "" },
	/* where something is wrong already, only what the text shows */
	{ "{ name = \"a\"; match = \"severity > critical\"; to = [ \"g\", \"nobody\" ]; }",
	  "5: error: route \"a\": no sink is named \"nobody\"\n" },
	{ "{ name = \"a\"; match = \"route = b\"; to = [ \"g\", \"h\" ]; }",
	  "5: route \"a\": matcher \"route = b\": route is not known yet where routes are chosen: "
	  "it is empty for every alert\n" },
};

static void each_of_these_is_said_and_nothing_else(void **state)
{
	char said[SAID_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check(cases[i].routes, said);
		assert_string_equal(said, cases[i].said);
	}
}

/* A reload reads them while the daemon's loop stands still. */
static void a_thousand_routes_are_compared_in_a_moment(void **state)
{
	enum { ROUTES = 1000, ROOM = ROUTES * 400 };
	char *text = mem_new(ROOM), said[SAID_MAX];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < ROUTES; i++)
		len += (size_t)snprintf(
			text + len, ROOM - len,
			"%s{ name = \"r%zu\"; match = [ \"severity >= low\", \"metadata.n > %zu\", "
			"\"type !~ a.*\", \"user_id != u%zu\", \"metadata.team = t%zu\" ]; "
			"to = [ \"g\", \"h\" ]; }",
			i > 0 ? ",\n" : "", i, i, i, i);
	int64_t from = clock_steady();

	check(text, said);
	assert_string_equal(said, "");
	assert_true(clock_steady() - from < 20000); /* under a sanitizer, beside others */
	mem_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_these_is_said_and_nothing_else),
		cmocka_unit_test(a_thousand_routes_are_compared_in_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
