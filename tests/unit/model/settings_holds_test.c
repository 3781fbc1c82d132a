/* What a route holds, by the keys that say so: what good ones become, what is said of bad ones. */
#include "model/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

/* ---- a world: a chat that takes digests, a pager that does not ---- */

static const struct conf_key no_keys[] = { { .name = NULL } };
static const struct sink_type chat = {
	.name = "chat", .keys = no_keys, .batch_max = 20, .rate = "off"
};
static const struct sink_type pager = {
	.name = "pager", .keys = no_keys, .batch_max = 1, .rate = "off"
};
static const struct sink_type *const types[] = { &chat, &pager, NULL };

static char *resolve(const char *text, struct err *err)
{
	(void)err;
	return mem_strdup(text);
}

static const struct settings_context ctx = { .file = "t.conf",
					     .types = types,
					     .resolve = resolve };

enum { SAID_MAX = 8000 };

static struct settings *take(const char *text, char said[SAID_MAX])
{
	struct conf_problems problems = { 0 };
	struct settings *s = settings_read(text, strlen(text), &ctx, &problems);
	size_t len = 0;

	said[0] = '\0';
	for (size_t i = 0; i < problems.count; i++)
		len += (size_t)snprintf(
			said + len, SAID_MAX - len, "%d: %s%s\n", problems.list[i].line,
			problems.list[i].level == CONF_WARNING ? "warning: " : "",
			problems.list[i].message);
	assert_int_equal(s == NULL, problems.error_count > 0);
	conf_problems_release(&problems);
	return s;
}

/* Line 1; the keys of the route, or of the top, begin in line 2. */
#define TOP                                                                                 \
	"sources = ( { name = \"a\"; base_url = \"https://a.io/v1\"; api_key = \"k\"; } );" \
	"sinks = ( { name = \"chat\"; type = \"chat\"; }, { name = \"mail\"; type = "       \
	"\"chat\"; }, { name = \"page\"; type = \"pager\"; }, { name = \"sms\"; type = "    \
	"\"pager\"; } );"
#define REST \
	", { name = \"rest\"; match = \"type = x\"; to = [ \"chat\", \"mail\", \"page\", \"sms\" ]; }"

static struct settings *take_route(const char *keys, char said[SAID_MAX])
{
	bool has_to = strstr(keys, " to = ") == keys;
	char *text = mem_printf(
		TOP "routes = ( { name = \"r\"; match = \"type = y\";%s\n%s }" REST " );\n",
		has_to ? "" : " to = \"chat\";", keys);
	struct settings *s = take(text, said);

	mem_free(&text);
	return s;
}

/* ---- good ones ---- */

static const char everything[] =
	"group = { by = [ \"type\", \"user.department\", \"metadata.model\" ]; wait = \"30s\"; max = 20; };\n"
	"digest = { at = [ \"16:00\", \"08:00\", \"23:59\" ]; days = [ \"mon\", \"fri\" ]; tz = \"Europe/Berlin\"; };\n"
	"storm = { over = 50; within = \"1m\"; }; delay = \"5m\"; repeat = \"4h\";\n"
	"quiet = ( { from = \"22:00\"; until = \"07:00\"; tz = \"America/New_York\";\n"
	"  except = [ \"severity = critical\", \"type = dlp\" ]; },\n"
	"  { from = \"00:00\"; until = \"24:00\"; days = [ \"sat\", \"sun\" ]; } );\n"
	"escalate = ( { after = \"15m\"; to = [ \"page\", \"mail\" ]; }, { after = \"1h\"; to = \"sms\"; } );";

static int64_t at(const char *iso)
{
	int64_t ms;

	if (!clock_parse_iso(iso, strlen(iso), &ms))
		fail_msg("no time: %s", iso);
	return ms;
}

static void every_key_is_taken(void **state)
{
	char said[SAID_MAX];
	struct settings *s = take_route(everything, said);

	(void)state;
	assert_string_equal(said, "");
	const struct route *r = settings_route(s, "r");

	assert_int_equal(r->group.by_count, 3);
	assert_string_equal(r->group.by[1], "user.department");
	assert_int_equal(r->group.wait_ms, 30000);
	assert_int_equal(r->group.max, 20);
	assert_int_equal(r->digest.at_count, 3);
	assert_int_equal(r->digest.at[0], 8 * 60);
	assert_int_equal(r->digest.at[1], 16 * 60);
	assert_int_equal(r->digest.at[2], 23 * 60 + 59);
	assert_int_equal(r->digest.days, 1 | 16);
	assert_true(hours_next(&r->digest, at("2026-11-24T12:00:00Z")) ==
		    at("2026-11-27T07:00:00Z"));
	assert_int_equal(r->storm.over, 50);
	assert_int_equal(r->storm.within_ms, 60000);
	assert_int_equal(r->delay_ms, 5 * 60000);
	assert_int_equal(r->repeat_ms, 4 * 3600000);
	assert_int_equal(r->quiet_count, 2);
	assert_true(hours_quiet_until(&r->quiet[0], at("2026-11-24T04:00:00Z")) ==
		    at("2026-11-24T12:00:00Z"));
	assert_int_equal(r->quiet[0].except_count, 2);
	assert_string_equal(matcher_text(r->quiet[0].except[1]), "type = dlp");
	assert_int_equal(r->quiet[1].from, 0);
	assert_int_equal(r->quiet[1].until, HOURS_DAY_MIN);
	assert_int_equal(r->quiet[1].days, 32 | 64);
	assert_null(r->quiet[1].zone);
	assert_int_equal(r->escalate_count, 2);
	assert_int_equal(r->escalate[0].after_ms, 15 * 60000);
	assert_int_equal(r->escalate[0].to_count, 2);
	assert_int_equal(r->escalate[0].to[0], 2);
	assert_int_equal(r->escalate[0].to[1], 1);
	assert_int_equal(r->escalate[1].to[0], 3);
	settings_free(&s);
}

static void a_route_without_them_holds_nothing(void **state)
{
	char said[SAID_MAX];
	struct settings *s = take_route("", said);

	(void)state;
	assert_string_equal(said, "");
	const struct route *r = settings_route(s, "r");

	assert_int_equal(r->group.wait_ms, 0);
	assert_int_equal(r->group.max, 0);
	assert_int_equal(r->digest.at_count, 0);
	assert_int_equal(r->storm.within_ms, 0);
	assert_int_equal(r->delay_ms, 0);
	assert_int_equal(r->repeat_ms, 0);
	assert_int_equal(r->quiet_count, 0);
	assert_int_equal(r->escalate_count, 0);
	assert_int_equal(s->flap.over, 0);
	assert_int_equal(s->flap.within_ms, 0);
	settings_free(&s);
}

static void what_is_not_said_has_its_default(void **state)
{
	char said[SAID_MAX];
	struct settings *s =
		take_route("group = { wait = \"5s\"; }; digest = { at = \"09:30\"; };", said);

	(void)state;
	assert_string_equal(said, "");
	const struct route *r = settings_route(s, "r");

	assert_int_equal(r->group.by_count, 0);
	assert_int_equal(r->group.max, 100);
	assert_int_equal(r->digest.days, HOURS_ALL_DAYS);
	assert_null(r->digest.zone);
	assert_int_equal(r->digest.at[0], 9 * 60 + 30);
	settings_free(&s);
}

/* ---- bad ones, and doubtful ones ---- */

#define DAYS_ARE "is none of mon, tue, wed, thu, fri, sat, sun"
#define TIME_IS  "is no time: it is written \"07:30\", from \"00:00\" to "
#define QUIET    "quiet = ( { from = \"22:00\"; until = \"07:00\"; "
#define NIGHT    "from = \"22:00\"; until = \"07:00\"; "

static const struct {
	const char *keys; /* of the route, in line 2; a `to` of its own comes first */
	const char *said; /* without the line and `route "r": `; "" for nothing */
} rows[] = {
	/* groups */
	{ "group = { wait = \"1s\"; max = 2; };", "" },
	{ "group = { wait = \"24h\"; max = 1000; };", "" },
	{ "group = { };",
	  "group: \"wait\" is missing: how long the first row of a group waits for "
	  "others" },
	{ "group = { wait = \"30s\"; max = 1; };", "group: max must be from 2 to 1000" },
	{ "group = { wait = \"30s\"; max = 100000; };", "group: max must be from 2 to 1000" },
	{ "group = { wait = \"0s\"; };", "group: wait must be from \"1s\" to \"24h\"" },
	{ "group = { wait = \"25h\"; };", "group: wait must be from \"1s\" to \"24h\"" },
	{ "group = { wait = 30; };", "group: wait must be a string and needs a unit: \"5s\", "
				     "\"10m\", \"24h\" or \"3d\"" },
	{ "group = \"type\";", "group must be a group: { key = value; }" },
	{ "group = { wait = \"1s\"; wiat = 5; };",
	  "group: unknown key \"wiat\"; did you mean \"wait\"?" },
	{ "group = { wait = \"1s\"; by = []; };",
	  "group: by is empty: leave it out, or name a field" },
	{ "group = { wait = \"1s\"; by = 5; };",
	  "group: by must be a string or a list of strings: [ \"a\", \"b\" ]" },
	{ "group = { wait = \"1s\"; by = [ \"\" ]; };", "group: by: \"\" is no field" },
	{ "group = { wait = \"1s\"; by = [ \"user.department\", \"budget.id\", \"metadata.x.y\" ]; };",
	  "" },
	{ "group = { wait = \"1s\"; by = \"severty\"; };",
	  "warning: group: by: no field \"severty\" is known, so it is looked for in the alert "
	  "itself; did you mean \"severity\"?" },
	{ "group = { wait = \"1s\"; by = \"metadta.model\"; };",
	  "warning: group: by: no field \"metadta.model\" is known, so it is looked for in the "
	  "alert itself" },

	/* digests */
	{ "digest = { };",
	  "digest: \"at\" is missing: times of the day: [ \"08:00\", \"16:00\" ]" },
	{ "digest = { at = []; };", "digest: at is empty: name at least one time" },
	{ "digest = { at = [ 8 ]; };",
	  "digest: at must be a string or a list of strings: [ \"a\", \"b\" ]" },
	{ "digest = { at = \"8:00\"; };", "digest: at: \"8:00\" " TIME_IS "\"23:59\"" },
	{ "digest = { at = \"24:00\"; };", "digest: at: \"24:00\" " TIME_IS "\"23:59\"" },
	{ "digest = { at = \"12:60\"; };", "digest: at: \"12:60\" " TIME_IS "\"23:59\"" },
	{ "digest = { at = \"-1:30\"; };", "digest: at: \"-1:30\" " TIME_IS "\"23:59\"" },
	{ "digest = { at = \"8 pm\"; };", "digest: at: \"8 pm\" " TIME_IS "\"23:59\"" },
	{ "digest = { at = \"08:00\"; days = []; };",
	  "digest: days is empty: leave it out, or name some" },
	{ "digest = { at = \"08:00\"; days = 5; };",
	  "digest: days must be a string or a list of strings: [ \"a\", \"b\" ]" },
	{ "digest = { at = \"08:00\"; days = \"Monday\"; };",
	  "digest: days: \"Monday\" " DAYS_ARE "; did you mean \"mon\"?" },
	{ "digest = { at = \"08:00\"; days = \"wde\"; };",
	  "digest: days: \"wde\" " DAYS_ARE "; did you mean \"wed\"?" },
	{ "digest = { at = \"08:00\"; days = \"mon-fri\"; };",
	  "digest: days: \"mon-fri\" " DAYS_ARE },
	{ "digest = { at = \"08:00\"; tz = \"Europe/Berln\"; };",
	  "digest: tz: no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?" },
	{ "digest = { at = \"08:00\"; tz = 1; };", "digest: tz must be a string, in quotes" },
	{ "digest = { at = \"08:00\"; timezone = \"UTC\"; };",
	  "digest: unknown key \"timezone\"" },
	{ "digest = \"08:00\";", "digest must be a group: { key = value; }" },
	{ "digest = { at = [ \"08:00\", \"08:00\" ]; }; " QUIET "} );", "" },

	/* quiet hours */
	{ QUIET "except = \"severity = critical\"; } );", "" },
	{ "quiet = { " NIGHT "};", "quiet must be a list of groups: ( { ... }, { ... } )" },
	{ "quiet = ();", "quiet is empty: leave it out, or add a window" },
	{ "quiet = ( \"22:00\" );", "quiet: only groups { ... } belong here" },
	{ "quiet = ( { from = \"22:00\"; } );",
	  "quiet: \"until\" is missing: when it ends, on the next day where that is earlier: "
	  "\"07:00\"" },
	{ "quiet = ( { from = \"22:00\"; until = 7; } );",
	  "quiet: until must be a time, in quotes: \"07:30\"" },
	{ "quiet = ( { from = \"24:00\"; until = \"07:00\"; } );",
	  "quiet: from: \"24:00\" " TIME_IS "\"23:59\"" },
	{ "quiet = ( { from = \"22:00\"; until = \"24:01\"; } );",
	  "quiet: until: \"24:01\" " TIME_IS "\"24:00\"" },
	{ "quiet = ( { from = \"22:00\"; until = \"22:00\"; } );",
	  "quiet: from and until are the same: for whole days write from = \"00:00\"; until = "
	  "\"24:00\"; and name the days" },
	{ QUIET "days = [ \"fir\" ]; } );",
	  "quiet: days: \"fir\" " DAYS_ARE "; did you mean \"fri\"?" },
	{ QUIET "tz = \"Berlin\"; } );",
	  "quiet: tz: no time zone \"Berlin\"; did you mean \"Europe/Berlin\"?" },
	{ QUIET "except = []; } );", "quiet: except is empty: leave it out, or add a matcher" },
	{ QUIET "except = 5; } );",
	  "quiet: except must be a string or a list of strings: [ \"a\", \"b\" ]" },
	{ QUIET "except = \"critical\"; } );",
	  "quiet: except: matcher \"critical\": needs one of = != =~ !~ < <= > >= after "
	  "\"critical\"" },
	{ QUIET "except = \"severity >= hihg\"; } );",
	  "quiet: except: matcher \"severity >= hihg\": severity is compared with low, medium, "
	  "high or critical" },
	{ QUIET "except = \"tpye = x\"; } );",
	  "warning: quiet: except: matcher \"tpye = x\": no field \"tpye\" is known, so it is "
	  "looked for in the alert itself; did you mean \"type\"?" },
	{ QUIET "zone = \"UTC\"; } );", "quiet: unknown key \"zone\"" },

	/* quiet hours that leave no time */
	{ "quiet = ( { from = \"00:00\"; until = \"24:00\"; } );",
	  "quiet never ends: what these windows hold would wait for good; leave some time between "
	  "them, or use digest" },
	{ "quiet = ( { from = \"06:00\"; until = \"18:00\"; }, { from = \"18:00\"; until = \"06:00\"; } );",
	  "quiet never ends: what these windows hold would wait for good; leave some time between "
	  "them, or use digest" },
	{ "quiet = ( { from = \"06:00\"; until = \"18:00\"; }, { from = \"18:00\"; until = \"05:59\"; } );",
	  "" },
	{ "quiet = ( { from = \"00:00\"; until = \"24:00\"; days = [ \"mon\", \"tue\", \"wed\", "
	  "\"thu\", \"fri\", \"sat\" ]; } );",
	  "" },

	/* storms, delays, repeats */
	{ "storm = { over = 1; within = \"1s\"; };", "" },
	{ "storm = { over = 0; within = \"1m\"; };", "storm: over must be from 1 to 1000000" },
	{ "storm = { over = -5; within = \"1m\"; };", "storm: over must be from 1 to 1000000" },
	{ "storm = { over = 5; };",
	  "storm: \"within\" is missing: the window, and how often a storm is told of" },
	{ "storm = { within = \"1m\"; };",
	  "storm: \"over\" is missing: more rows than that in `within` are a storm" },
	{ "delay = \"5\";", "delay: \"5\" needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"" },
	{ "delay = \"25h\";", "delay must be from \"1s\" to \"24h\"" },
	{ "repeat = \"5s\";", "repeat must be from \"1m\" to \"30d\"" },
	{ "repeat = \"1h\"; events = [ \"acknowledged\", \"resolved\" ];",
	  "warning: repeat does nothing: events leaves out what opens" },
	{ "delay = \"1m\"; events = \"changed\";",
	  "warning: delay does nothing: events leaves out what opens" },
	{ "delay = \"1m\"; repeat = \"1h\"; events = \"reopened\";", "" },
	{ "dealy = \"1m\";", "unknown key \"dealy\"; did you mean \"delay\"?" },

	/* escalations */
	{ "escalate = { after = \"15m\"; to = \"page\"; };",
	  "escalate must be a list of groups: ( { ... }, { ... } )" },
	{ "escalate = ();", "escalate is empty: leave it out, or add a step" },
	{ "escalate = ( { to = \"page\"; } );",
	  "escalate: \"after\" is missing: so long after it was seen open, where it is open "
	  "still" },
	{ "escalate = ( { after = \"15m\"; } );",
	  "escalate: \"to\" is missing: who hears of it then" },
	{ "escalate = ( { after = \"15m\"; to = []; } );",
	  "escalate: to is empty: name at least one sink" },
	{ "escalate = ( { after = \"0s\"; to = \"page\"; } );",
	  "escalate: after must be from \"1s\" to \"30d\"" },
	{ "escalate = ( { after = \"15m\"; to = \"pgae\"; } );",
	  "escalate: no sink is named \"pgae\"; did you mean \"page\"?" },
	{ "escalate = ( { aftre = \"15m\"; after = \"15m\"; to = \"page\"; } );",
	  "escalate: unknown key \"aftre\"; did you mean \"after\"?" },
	{ "escalate = ( { after = \"15m\"; to = [ \"page\", \"chat\" ]; } );",
	  "warning: escalate: \"chat\" has heard it from this route already: name somebody else, "
	  "or use repeat" },
	{ "escalate = ( { after = \"15m\"; to = \"page\"; }, { after = \"15m\"; to = \"sms\"; } );",
	  "" },
	{ "escalate = ( { after = \"15m\"; to = \"page\"; }, { after = \"5m\"; to = \"sms\"; } );",
	  "warning: escalate: this step comes earlier than the one above it" },
	{ "delay = \"15m\"; escalate = ( { after = \"15m\"; to = \"page\"; } );",
	  "warning: escalate: this step comes before the route has told anybody: delay is no "
	  "shorter than after" },
	{ "delay = \"14m\"; escalate = ( { after = \"15m\"; to = \"page\"; } );", "" },

	/* digests for who takes none */
	{ " to = \"page\"; group = { wait = \"1s\"; };",
	  "warning: \"page\" takes one alert at a time: what group holds comes there one by one, "
	  "the most severe first" },
	{ " to = [ \"sms\", \"page\" ]; storm = { over = 5; within = \"1m\"; };",
	  "warning: \"sms\" takes one alert at a time: what storm holds comes there one by one, "
	  "the most severe first" },
	{ " to = [ \"page\", \"chat\" ]; digest = { at = \"08:00\"; };", "" },
	{ " to = \"page\"; " QUIET "} ); delay = \"1m\";", "" },
};

static void each_of_these_is_said_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char said[SAID_MAX], wanted[SAID_MAX] = "";
		const char *text = rows[i].said;
		bool is_warning = strncmp(text, "warning: ", 9) == 0;
		struct settings *s = take_route(rows[i].keys, said);

		if (text[0] != '\0')
			snprintf(wanted, sizeof(wanted), "2: %sroute \"r\": %s\n",
				 is_warning ? "warning: " : "", text + (is_warning ? 9 : 0));
		if (strcmp(said, wanted) != 0)
			print_error("in: %s\n", rows[i].keys);
		assert_string_equal(said, wanted);
		settings_free(&s);
	}
}

/* ---- too much ---- */

/* "(" and so many times the same, in a list; the caller frees it. */
static char *many(const char *key, const char *one, int count)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_addf(&b, "%s", key);
	for (int i = 0; i < count; i++)
		buf_addf(&b, "%s%s", i == 0 ? "" : ", ", one);
	return buf_take(&b, NULL);
}

static void lists_have_their_bounds(void **state)
{
	static const struct {
		const char *begin, *one, *end;
		int fits;
		const char *said;
	} lists[] = {
		{ "quiet = ( ", "{ " NIGHT "}", " );", 100,
		  "2: route \"r\": quiet holds more than 100 windows\n" },
		{ "escalate = ( ", "{ after = \"1m\"; to = \"page\"; }", " );", 100,
		  "2: route \"r\": escalate holds more than 100 steps\n" },
		{ "digest = { at = [ ", "\"08:00\"", " ]; };", 24,
		  "2: route \"r\": digest: at holds more than 24 times\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (int more = 0; more <= 1; more++) {
			char said[SAID_MAX];
			char *list = many(lists[i].begin, lists[i].one, lists[i].fits + more);
			char *keys = mem_printf("%s%s", list, lists[i].end);
			struct settings *s = take_route(keys, said);

			assert_string_equal(said, more == 1 ? lists[i].said : "");
			settings_free(&s);
			mem_free(&keys);
			mem_free(&list);
		}
	}
}

/* ---- at the top ---- */

static const struct {
	const char *key;
	int64_t over, within_ms;
	const char *said;
} flaps[] = {
	{ "flap = { over = 3; within = \"1h\"; };", 3, 3600000, "" },
	{ "flap = { over = 1; within = \"7d\"; };", 1, INT64_C(7) * 86400000, "" },
	{ "flap = { };", 0, 0,
	  "3: flap: \"over\" is missing: opened again more often than that in `within`, an alert "
	  "flaps\n"
	  "3: flap: \"within\" is missing: the time in which that is counted\n" },
	{ "flap = { over = 0; within = \"1h\"; };", 0, 0,
	  "3: flap: over must be from 1 to 1000\n" },
	{ "flap = { over = 3; within = \"8d\"; };", 0, 0,
	  "3: flap: within must be from \"1s\" to \"7d\"\n" },
	{ "flap = { over = 3; whitin = \"1h\"; within = \"1h\"; };", 0, 0,
	  "3: flap: unknown key \"whitin\"; did you mean \"within\"?\n" },
	{ "flap = 3;", 0, 0, "3: flap must be a group: { key = value; }\n" },
	{ "falp = 3;", 0, 0, "3: unknown key \"falp\"; did you mean \"flap\"?\n" },
};

static void flapping_is_said_at_the_top(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flaps); i++) {
		char said[SAID_MAX];
		char *text = mem_printf(TOP "\nroutes = ( { name = \"r\"; to = [ \"chat\", "
					    "\"mail\", \"page\", \"sms\" ]; } );\n%s",
					flaps[i].key);
		struct settings *s = take(text, said);

		assert_string_equal(said, flaps[i].said);
		if (s != NULL) {
			assert_true(s->flap.over == flaps[i].over);
			assert_true(s->flap.within_ms == flaps[i].within_ms);
		}
		settings_free(&s);
		mem_free(&text);
	}
}

/* ---- the tables ---- */

/* Returns how many keys have one. */
static int expect_help(const struct conf_key *keys)
{
	int count = 0;

	for (const struct conf_key *k = keys; k->name != NULL; k++, count++) {
		if (k->help == NULL)
			fail_msg("%s has no help", k->name);
		if (k->nested != NULL)
			count += expect_help(k->nested);
	}
	return count;
}

static void every_key_of_a_hold_has_its_help(void **state)
{
	int count = 0;

	(void)state;
	for (const struct settings_table *t = settings_tables; t->name != NULL; t++)
		if (strcmp(t->name, "a route") == 0)
			count += expect_help(t->keys);
	assert_true(count >= 6 + 7 + 3 + 3 + 2 + 5 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(a_route_without_them_holds_nothing),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(each_of_these_is_said_and_nothing_else),
		cmocka_unit_test(lists_have_their_bounds),
		cmocka_unit_test(flapping_is_said_at_the_top),
		cmocka_unit_test(every_key_of_a_hold_has_its_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
