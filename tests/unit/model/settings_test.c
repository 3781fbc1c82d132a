/* Whole configurations: what a good one becomes, and all that is said of bad ones. */
#include "model/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* ---- a world: two types of sinks, and secrets that must not be seen ---- */

struct gong {
	struct conf_secret url;
	char *to;
};

static const struct conf_key gong_keys[] = {
	{ .name = "url",
	  .kind = CONF_SECRET,
	  .offset = offsetof(struct gong, url),
	  .required = true,
	  .one_line = true,
	  .help = "where to strike" },
	{ .name = "to",
	  .kind = CONF_TEXT,
	  .offset = offsetof(struct gong, to),
	  .one_line = true },
	{ .name = NULL },
};

static void gong_check(const struct sink_settings *s, struct conf_problems *problems)
{
	const struct gong *own = s->own;
	struct err err;

	if (own->url.value != NULL && !settings_url_allowed(own->url.value, s->plaintext, &err))
		conf_problem(problems, CONF_ERROR, s->file, s->line, "sink \"%s\": url %s",
			     s->name, err.text);
}

static const struct conf_key no_keys[] = { { .name = NULL } };

static const struct sink_type gong = { .name = "gong",
				       .keys = gong_keys,
				       .own_size = sizeof(struct gong),
				       .collapse = true,
				       .batch_max = 20,
				       .rate = "1/s",
				       .check = gong_check };
static const struct sink_type whistle = {
	.name = "whistle", .keys = no_keys, .batch_max = 1, .rate = "off"
};
static const struct sink_type *const types[] = { &gong, &whistle, NULL };

/* Everything that this returns for a reference holds "hunter". */
static char *resolve(const char *text, struct err *err)
{
	if (strcmp(text, "env:SECRET") == 0)
		return mem_strdup("hunter2");
	if (strcmp(text, "env:URL") == 0)
		return mem_strdup("https://hunter.example.com/in");
	if (strcmp(text, "env:HTTP") == 0)
		return mem_strdup("http://hunter.example.com/v1");
	if (strcmp(text, "env:LINES") == 0)
		return mem_strdup("hunter2\nhunter3");
	if (strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0) {
		err_set(err, "%s: not there", text);
		return NULL;
	}
	return mem_strdup(text);
}

static const struct settings_context ctx = { .file = "t.conf",
					     .types = types,
					     .resolve = resolve };

enum { SAID_MAX = 8000 };

/* Every problem as "line: message\n", a warning with "warning: " before its message. */
static void say(const struct conf_problems *problems, char said[SAID_MAX])
{
	size_t len = 0;

	said[0] = '\0';
	for (size_t i = 0; i < problems->count; i++)
		len += (size_t)snprintf(
			said + len, SAID_MAX - len, "%d: %s%s\n", problems->list[i].line,
			problems->list[i].level == CONF_WARNING ? "warning: " : "",
			problems->list[i].message);
	assert_null(strstr(said, "hunter"));
}

static struct settings *take(const char *text, char said[SAID_MAX])
{
	struct conf_problems problems = { 0 };
	struct settings *s = settings_read(text, strlen(text), &ctx, &problems);

	say(&problems, said);
	assert_int_equal(s == NULL, problems.error_count > 0);
	conf_problems_release(&problems);
	return s;
}

/* ---- good ones ---- */

#define SOURCE                                                                      \
	"sources = ( { name = \"acme\"; base_url = \"https://api.toktra.io/v1/\"; " \
	"client_id = \"ci\"; client_secret = \"env:SECRET\"; } );\n"
#define SINKS  "sinks = ( { name = \"g\"; type = \"gong\"; url = \"env:URL\"; } );\n"
#define ROUTES "routes = ( { name = \"all\"; to = \"g\"; } );\n"

static void the_shortest_configuration_has_all_defaults(void **state)
{
	char said[SAID_MAX];
	struct settings *s = take(SOURCE SINKS ROUTES, said);

	(void)state;
	assert_string_equal(said, "");
	assert_string_equal(s->store, "/var/lib/tocsin/tocsin.db");
	assert_int_equal(s->store_line, 0);
	assert_string_equal(s->listen_at.address, "127.0.0.1");
	assert_int_equal(s->listen_at.port, 9464);
	assert_non_null(s->templates);
	assert_int_equal(s->log_level, LOG_INFO);
	assert_int_equal(s->log_format, LOG_TEXT);
	assert_true(s->retention_ms == INT64_C(30) * 86400 * 1000);
	assert_int_equal(s->store_reserve, 64 << 20);
	assert_int_equal(s->grace_ms, 10000);

	const struct source_settings *source = settings_source(s, "acme");

	assert_string_equal(source->base_url, "https://api.toktra.io/v1");
	assert_string_equal(source->client_secret.value, "hunter2");
	assert_null(source->api_key.reference);
	assert_int_equal(source->poll_every_ms, 5000);
	assert_int_equal(source->sweep_every_ms, 60000);
	assert_int_equal(source->start, START_NOW);
	assert_true(source->rate_share == 0.5);
	assert_int_equal(source->timeout_ms, 30000);

	const struct sink_settings *sink = settings_sink(s, "g");

	assert_ptr_equal(sink->type, &gong);
	assert_string_equal(sink->file, "t.conf");
	assert_int_equal(sink->line, 2);
	assert_int_equal(sink->window, 8);
	assert_int_equal(sink->rate.count, 1);
	assert_int_equal(sink->retry_min_ms, 1000);
	assert_int_equal(sink->retry_max_ms, 900000);
	assert_int_equal(sink->retry_after_max_ms, 3600000);
	assert_true(sink->give_up_ms == INT64_C(72) * 3600 * 1000);
	assert_null(sink->fallback);
	assert_int_equal(sink->fallback_after_ms, 600000);
	assert_true(sink->collapse);
	assert_int_equal(sink->batch_max, 20);
	assert_string_equal(((struct gong *)sink->own)->url.value,
			    "https://hunter.example.com/in");

	const struct route *route = settings_route(s, "all");

	assert_int_equal(route->to_count, 1);
	assert_int_equal(route->to[0], 0);
	assert_true(route->closes);
	assert_false(route->goes_on);
	assert_int_equal(route->events, 31 & ~(1 << EVENT_CHANGED));
	assert_null(settings_sink(s, "nobody"));
	settings_free(&s);
	assert_null(s);
}

static const char full[] =
	"store = \"t.db\"; templates = \"t\"; log = { level = \"debug\"; format = \"json\"; };\n"
	"retention = \"2d\"; store_reserve = \"1MiB\"; grace = \"0s\"; link = \"https://x/{{id}}\";\n"
	"sources = ( { name = \"a\"; base_url = \"http://127.0.0.1:8080/v1\"; api_key = \"k\";\n"
	"  poll_every = \"1s\"; sweep_every = \"2s\"; start = \"24h\"; rate_share = 1;\n"
	"  timeout = \"3s\"; ca_file = \"ca\"; proxy = \"http://p\"; link = \"l\"; },\n"
	" { name = \"b\"; base_url = \"http://[::1]:1/v1\"; api_key = \"k\"; start = \"all\"; } );\n"
	"sinks = ( { name = \"g\"; type = \"gong\"; url = \"http://relay/\"; plaintext = true;\n"
	"  window = 64; rate = \"off\"; timeout = \"4s\"; retry = { min = \"5ms\"; max = \"6s\"; };\n"
	"  retry_after_max = \"7s\"; give_up = \"8h\"; fallback = \"w\"; fallback_after = \"9m\"; collapse = false; template = \"mine\";\n"
	"  vars = { team = \"sec\"; key = \"env:SECRET\"; }; ca_file = \"ca\"; proxy = \"p\"; },\n"
	" { name = \"w\"; type = \"whistle\"; } );\n"
	"routes = ( { name = \"x\"; match = [ \"severity >= high\", \"source = a\" ];\n"
	"  to = [ \"w\", \"g\", \"w\" ]; continue = true; events = [ \"opened\", \"changed\" ];\n"
	"  closes = false; }, { name = \"y\"; match = \"type != x\"; to = \"w\"; } );\n";

static void every_key_is_taken(void **state)
{
	char said[SAID_MAX];
	struct settings *s = take(full, said);

	(void)state;
	assert_string_equal(
		said,
		"7: warning: sink \"g\": plaintext = true lets alerts and passwords travel "
		"unencrypted\n"
		"14: warning: route \"y\": what both match is told to \"w\" by route \"x\" (line "
		"12) alone, which comes first: its events are not these\n");
	assert_string_equal(s->store, "t.db");
	assert_int_equal(s->store_line, 1);
	assert_int_equal(s->log_level, LOG_DEBUG);
	assert_int_equal(s->log_format, LOG_JSON);
	assert_int_equal(s->grace_ms, 0);
	assert_string_equal(s->link, "https://x/{{id}}");
	assert_int_equal(s->source_count, 2);
	assert_int_equal(s->sources[0].start, START_SINCE);
	assert_int_equal(s->sources[0].start_since_ms, 86400000);
	assert_true(s->sources[0].rate_share == 1.0);
	assert_string_equal(s->sources[0].link, "l");
	assert_int_equal(s->sources[1].start, START_ALL);

	const struct sink_settings *g = settings_sink(s, "g");

	assert_int_equal(g->window, 64);
	assert_int_equal(g->rate.count, 0);
	assert_int_equal(g->retry_min_ms, 5);
	assert_int_equal(g->retry_max_ms, 6000);
	assert_string_equal(g->fallback, "w");
	assert_int_equal(g->fallback_after_ms, 9 * 60000);
	assert_false(g->collapse);
	assert_string_equal(g->template, "mine");
	assert_int_equal(g->vars.count, 2);
	assert_string_equal(g->vars.list[1].value, "hunter2");
	assert_true(g->plaintext);

	const struct route *x = settings_route(s, "x");

	assert_int_equal(x->match_count, 2);
	assert_int_equal(x->to_count, 2);
	assert_int_equal(x->to[0], 1);
	assert_int_equal(x->to[1], 0);
	assert_true(x->goes_on);
	assert_false(x->closes);
	assert_int_equal(x->events, 1 << EVENT_OPENED | 1 << EVENT_CHANGED);
	assert_int_equal(settings_route(s, "y")->match_count, 1);
	settings_free(&s);
}

static void the_words_for_logging_are_those_of_the_log(void **state)
{
	static const char *const levels[] = { "debug", "info", "warning", "error" };
	static const char *const formats[] = { "text", "json" };
	char said[SAID_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		const char *format = formats[i % 2];
		char *text = mem_printf(
			"log = { level = \"%s\"; format = \"%s\"; };" SOURCE SINKS ROUTES,
			levels[i], format);
		struct settings *s = take(text, said);
		enum log_level level;
		enum log_format wanted;

		assert_string_equal(said, "");
		assert_true(log_level_parse(levels[i], &level));
		assert_true(log_format_parse(format, &wanted));
		assert_int_equal(s->log_level, level);
		assert_int_equal(s->log_format, wanted);
		settings_free(&s);
		mem_free(&text);
	}
}

/* ---- bad ones ---- */

static const char many_errors[] =
	/* 1*/
	"stoer = \"/tmp/t.db\";\n"
	/* 2*/ "retention = 30;\n"
	/* 3*/ "grace = \"10\";\n"
	/* 4*/ "log = { level = \"verbose\"; };\n"
	/* 5*/ "sources = (\n"
	/* 6*/ " { name = \"acme\"; base_url = \"https://api.toktra.io\";\n"
	/* 7*/ "   client_id = \"ci\"; client_secret = \"env:NOT_SET\"; rate_share = 7; },\n"
	/* 8*/ " { name = \"acme\"; base_url = \"env:HTTP\"; api_key = \"file:/none\"; },\n"
	/* 9*/ " { name = \"b d\"; base_url = \"https://x/v1\"; client_id = \"a\\r\\nb\";\n"
	/*10*/ "   client_secret = \"env:SECRET\"; api_key = \"env:SECRET\"; },\n"
	/*11*/ " { base_url = \"https://x/v1\"; start = \"yesterday\"; }\n"
	/*12*/ ");\n"
	/*13*/ "sinks = (\n"
	/*14*/ " { name = \"sec\"; type = \"gogn\"; url = \"env:URL\"; widnow = 5; },\n"
	/*15*/ " { name = \"bell\"; type = \"gong\"; url = \"env:LINES\"; tto = \"x\"; },\n"
	/*16*/ " { name = \"bell\"; type = \"gong\"; url = \"env:HTTP\"; window = 0; },\n"
	/*17*/ " { name = \"w\"; type = \"whistle\"; vars = { key = \"env:NOT_SET\"; };\n"
	/*18*/ "   retry = { min = \"1h\"; }; }\n"
	/*19*/ ");\n"
	/*20*/ "routes = (\n"
	/*21*/ " { name = \"a\"; to = [ \"sec\", \"bel\",\n"
	/*22*/ "   \"nobody\" ]; match = [ \"severity >= hihg\",\n"
	/*23*/ "   \"type =~ (\"\n"
	/*24*/ " ]; },\n"
	/*25*/ " { name = \"a\"; to = 5; events = [ \"openend\" ]; },\n"
	/*26*/ " { name = \"c\"; match = { }; continue = \"yes\"; }\n"
	/*27*/ ");\n";

static const char many_lines[] =
	"1: unknown key \"stoer\"; did you mean \"store\"?\n"
	"2: retention must be a string and needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"\n"
	"3: grace: \"10\" needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"\n"
	"4: log: level is \"verbose\"; it must be \"debug\", \"info\", \"warning\" or \"error\"\n"
	"6: source \"acme\": base_url must end in /v1: the unversioned https://api.toktra.io is "
	"not supported, use https://api.toktra.io/v1\n"
	"7: source \"acme\": client_secret: env:NOT_SET: not there\n"
	"7: source \"acme\": rate_share must be from 0.01 to 1\n"
	"8: source \"acme\": api_key: file:/none: not there\n"
	"8: source \"acme\": base_url is plain http, which only loopback may be: use https\n"
	"8: two sources are named \"acme\": the other is in line 6\n"
	"9: source 3: client_id holds a line break: it must be one line\n"
	"9: source 3: name must be 1 to 64 letters, digits, dots, dashes or underscores, in "
	"quotes\n"
	"10: source 3: two ways to authenticate: keep api_key, or client_id and client_secret\n"
	"11: source 4: \"name\" is missing: what logs, matchers and commands call it\n"
	"11: source 4: no way to authenticate: set client_id and client_secret, or api_key\n"
	"11: source 4: start must be \"now\", \"all\" or a duration: \"yesterday\" is not a "
	"duration: \"5s\", \"10m\", \"24h\" or \"3d\"\n"
	"14: sink \"sec\": unknown type \"gogn\"; did you mean \"gong\"? (there are gong, "
	"whistle)\n"
	"15: sink \"bell\": unknown key \"tto\"; did you mean \"to\"?\n"
	"15: sink \"bell\": url holds a line break: it must be one line\n"
	"16: sink \"bell\": url is plain http, which only loopback may be: use https, or set "
	"plaintext = true inside a network of your own\n"
	"16: sink \"bell\": window must be from 1 to 1000\n"
	"16: two sinks are named \"bell\": the other is in line 15\n"
	"17: sink \"w\": vars: key: env:NOT_SET: not there\n"
	"18: sink \"w\": retry.min (\"1s\" unless set) is longer than retry.max (\"15m\" unless "
	"set)\n"
	"21: route \"a\": no sink is named \"bel\"; did you mean \"bell\"?\n"
	"22: route \"a\": matcher \"severity >= hihg\": severity is compared with low, medium, "
	"high or critical\n"
	"22: route \"a\": no sink is named \"nobody\"\n"
	"23: route \"a\": matcher \"type =~ (\": missing closing parenthesis at offset 1\n"
	"25: route \"a\": events: \"openend\" is none of opened, acknowledged, reopened, changed, "
	"resolved; did you mean \"opened\"?\n"
	"25: route \"a\": to must be a string or a list of strings: [ \"a\", \"b\" ]\n"
	"25: two routes are named \"a\": the other is in line 21\n"
	"26: route \"c\": \"to\" is missing: the names of one or more sinks\n"
	"26: route \"c\": continue must be true or false, without quotes\n"
	"26: route \"c\": match must be a string or a list of strings: [ \"a\", \"b\" ]\n"
	"26: warning: route \"c\" is never reached: route \"a\" (line 25) takes every alert; move "
	"that one to the end, or give it continue = true\n";

static void a_configuration_with_thirty_four_errors_lists_all_of_them(void **state)
{
	char said[SAID_MAX];

	(void)state;
	assert_null(take(many_errors, said));
	assert_string_equal(said, many_lines);
}

static const struct {
	const char *text, *said;
} few[] = {
	{ "", "0: no route: add at least one to routes = ( { ... } );\n"
	      "0: no sink: add at least one to sinks = ( { ... } );\n"
	      "0: no source: add at least one to sources = ( { ... } );\n" },
	{ "sources = ( { name = \"tocsin\"; base_url = \"https://a.io/v1\"; api_key = \"k\"; } );"
	  "\n" SINKS ROUTES,
	  "1: source \"tocsin\": this name is kept for what the daemon itself has to say: choose "
	  "another\n" },
	{ SOURCE "sinks = ();" ROUTES,
	  "2: no sink: add at least one to sinks = ( { ... } );\n" },
	{ SOURCE "sinks = { };" ROUTES,
	  "2: sinks must be a list of groups: ( { ... }, { ... } )\n" },
	{ SOURCE SINKS "routes = ( \"all\" );",
	  "3: routes: only groups { ... } belong here\n" },
	{ SOURCE SINKS "routes = ( { name = \"all\"; to = []; } );",
	  "3: route \"all\": to is empty: name at least one sink\n" },
	{ SOURCE SINKS "routes = ( { name = \"all\"; to = \"g\"; events = []; } );",
	  "3: route \"all\": events is empty: leave it out, or name some\n" },
	{ SOURCE "sinks = ( { name = \"g\"; } );" ROUTES,
	  "2: sink \"g\": \"type\" is missing: what it speaks\n" },
	{ SOURCE "sinks = ( { name = \"g\"; type = 5; } );" ROUTES,
	  "2: sink \"g\": type must be one of gong, whistle, in quotes\n" },
	{ SOURCE "sinks = ( { name = \"g\"; type = \"gong\"; } );" ROUTES,
	  "2: sink \"g\": \"url\" is missing: where to strike\n" },
	{ SOURCE "sinks = ( { name = \"\"; type = \"whistle\"; } );"
		 "routes = ( { name = \"all\"; to = \"\"; } );",
	  "2: sink 1: name must be 1 to 64 letters, digits, dots, dashes or underscores, in "
	  "quotes\n" },
	{ SOURCE SINKS "routes = ( { name = \"all\"; match = \"tpye = x\"; to = \"g\"; } );",
	  "3: warning: route \"all\": matcher \"tpye = x\": no field \"tpye\" is known, so it is "
	  "looked for in the alert itself; did you mean \"type\"?\n" },
	{ SOURCE
	  "sinks = ( { name = \"g\"; type = \"whistle\"; }, { name = \"h\"; type = \"whistle\"; } );\n" ROUTES,
	  "2: warning: sink \"h\": no route leads here\n" },
	{ SOURCE "sinks = ( { name = \"g\"; type = \"whistle\"; fallback = \"h\"; },\n"
		 "{ name = \"h\"; type = \"whistle\"; } );\n" ROUTES,
	  "" },
	{ SOURCE SINKS
	  "routes = ( { name = \"a\"; to = \"g\"; continue = true; },\n"
	  "{ name = \"b\"; match = []; to = \"g\"; }, { name = \"c\"; to = \"g\"; } );",
	  "4: warning: route \"c\" is never reached: route \"b\" (line 4) takes every alert; move "
	  "that one to the end, or give it continue = true\n" },
	{ SOURCE SINKS ROUTES "store = \"a\"; store = \"b\"; nonsense = 1;",
	  "4: duplicate setting name: this key is set twice in its group; keep one\n" },
};

static void each_of_these_is_said_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(few); i++) {
		char said[SAID_MAX];
		struct settings *s = take(few[i].text, said);

		assert_string_equal(said, few[i].said);
		settings_free(&s);
	}
}

static const struct {
	const char *keys; /* of a source beside its name */
	const char *said; /* after the source's name; "" for good */
} sources[] = {
	{ "base_url = \"https://api.staging.toktra.io/v1\"; api_key = \"k\";", "" },
	{ "base_url = \"https://gateway.example.com/toktra/v1//\"; api_key = \"k\";", "" },
	{ "base_url = \"HTTPS://api.toktra.io/v1\"; api_key = \"k\";", "" },
	{ "base_url = \"http://localhost:8080/v1\"; api_key = \"k\";", "" },
	{ "base_url = \"http://127.9.9.9/v1\"; api_key = \"k\";", "" },
	{ "base_url = \"http://127.0.0.1.example.com/v1\"; api_key = \"k\";",
	  "base_url is plain http, which only loopback may be: use https" },
	{ "base_url = \"http://127.0.0.0.1/v1\"; api_key = \"k\";",
	  "base_url is plain http, which only loopback may be: use https" },
	{ "base_url = \"http://127.0.0.1@example.com/v1\"; api_key = \"k\";",
	  "base_url is plain http, which only loopback may be: use https" },
	{ "base_url = \"http://a@b@localhost/v1\"; api_key = \"k\";",
	  "base_url holds a user or a password: use client_id and client_secret, or api_key" },
	{ "base_url = \"http://localhost.example.com/v1\"; api_key = \"k\";",
	  "base_url is plain http, which only loopback may be: use https" },
	{ "base_url = \"http://[::1\"; api_key = \"k\";",
	  "base_url is plain http, which only loopback may be: use https" },
	{ "base_url = \"http://127.0.0.1\\\\@example.com/v1\"; api_key = \"k\";",
	  "base_url holds a space, a control character or a backslash: encode it (%20)" },
	{ "base_url = \"https://api.toktra.io/v1 \"; api_key = \"k\";",
	  "base_url holds a space, a control character or a backslash: encode it (%20)" },
	{ "base_url = \"https:///v1\"; api_key = \"k\";", "base_url names no host" },
	{ "base_url = \"api.toktra.io/v1\"; api_key = \"k\";",
	  "base_url must begin with https://" },
	{ "base_url = \"https://x/?a=/v1\"; api_key = \"k\";",
	  "base_url must end in /v1: the unversioned https://api.toktra.io is not supported, use "
	  "https://api.toktra.io/v1" },
	{ "base_url = \"https://api.toktra.io/v2\"; api_key = \"k\";",
	  "base_url must end in /v1: the unversioned https://api.toktra.io is not supported, use "
	  "https://api.toktra.io/v1" },
	{ "base_url = \"https://x/v1\"; client_id = \"k\";",
	  "client_id needs client_secret beside it" },
	{ "base_url = \"https://x/v1\"; client_secret = \"k\";",
	  "client_secret needs client_id beside it" },
	{ "base_url = \"https://x/v1\"; api_key = \"k\"; client_id = \"k\";",
	  "two ways to authenticate: keep api_key, or client_id and client_secret" },
	{ "base_url = \"https://x/v1\"; api_key = \"k\"; start = 5;",
	  "start must be \"now\", \"all\" or a duration in quotes (\"24h\")" },
	{ "api_key = \"k\";",
	  "\"base_url\" is missing: where the API is: https://api.toktra.io/v1" },
};

static void a_source_says_where_it_asks_and_as_whom(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		char *text = mem_printf("sources = ( { name = \"s\"; %s } );" SINKS ROUTES,
					sources[i].keys);
		char *wanted = sources[i].said[0] == '\0'
				       ? mem_strdup("")
				       : mem_printf("1: source \"s\": %s\n", sources[i].said);
		char said[SAID_MAX];
		struct settings *s = take(text, said);

		if (strcmp(said, wanted) != 0)
			print_error("in: %s\n", sources[i].keys);
		assert_string_equal(said, wanted);
		settings_free(&s);
		mem_free(&text);
		mem_free(&wanted);
	}
}

/* Sinks a, b and chat, by their fallbacks ("" for none). */
static const struct {
	const char *a, *b, *c;
	const char *said;
} fallbacks[] = {
	{ "fallback = \"b\";", "", "", "" },
	{ "fallback = \"b\";", "fallback = \"chat\";", "", "" },
	{ "fallback = \"chat\";", "fallback = \"chat\"; fallback_after = \"2s\";", "", "" },
	{ "", "", "fallback_after = \"2s\";",
	  "4: warning: sink \"chat\": fallback_after does nothing without a fallback\n" },
	{ "", "fallback = \"caht\";", "",
	  "3: sink \"b\": no sink is named \"caht\"; did you mean \"chat\"?\n" },
	{ "", "fallback = 5;", "", "3: sink \"b\": fallback must be a string, in quotes\n" },
	{ "", "fallback = \"b\";", "",
	  "3: sink \"b\": fallback is this sink itself: name another one\n" },
	{ "fallback = \"b\";", "fallback = \"a\";", "",
	  "2: sink \"a\": the fallbacks go round in a circle, by \"b\" back to this sink: take "
	  "one of them out\n" },
	{ "fallback = \"chat\";", "fallback = \"a\";", "fallback = \"b\";",
	  "2: sink \"a\": the fallbacks go round in a circle, by \"chat\" back to this sink: take "
	  "one of them out\n" },
	{ "fallback = \"b\";", "fallback = \"chat\";", "fallback = \"b\";",
	  "3: sink \"b\": the fallbacks go round in a circle, by \"chat\" back to this sink: take "
	  "one of them out\n" },
};

static void a_fallback_leads_to_another_sink_and_never_round(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++) {
		char said[SAID_MAX];
		char *text = mem_printf(SOURCE
					"sinks = ( { name = \"a\"; type = \"whistle\"; %s },\n"
					"{ name = \"b\"; type = \"whistle\"; %s },\n"
					"{ name = \"chat\"; type = \"whistle\"; %s } );\n"
					"routes = ( { name = \"all\"; to = [ \"a\", \"b\", "
					"\"chat\" ]; } );\n",
					fallbacks[i].a, fallbacks[i].b, fallbacks[i].c);
		struct settings *s = take(text, said);

		assert_string_equal(said, fallbacks[i].said);
		settings_free(&s);
		mem_free(&text);
	}
}

static void a_secret_that_cannot_be_read_again_keeps_its_value(void **state)
{
	struct conf_secret secret = { .reference = mem_strdup("env:GONE"),
				      .value = mem_strdup("old") };
	struct err err = { 0 };

	(void)state;
	assert_false(settings_refresh(&secret, &ctx, &err));
	assert_string_equal(err.text, "env:GONE: not there");
	assert_string_equal(secret.value, "old");
	mem_free(&secret.reference);
	secret.reference = mem_strdup("env:SECRET");
	assert_true(settings_refresh(&secret, &ctx, &err));
	assert_string_equal(secret.value, "hunter2");
	mem_free(&secret.reference);
	mem_free(&secret.value);
}

static void every_key_of_every_table_has_its_help(void **state)
{
	(void)state;
	for (const struct settings_table *t = settings_tables; t->name != NULL; t++)
		for (const struct conf_key *k = t->keys; k->name != NULL; k++)
			assert_non_null(k->help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shortest_configuration_has_all_defaults),
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(the_words_for_logging_are_those_of_the_log),
		cmocka_unit_test(a_configuration_with_thirty_four_errors_lists_all_of_them),
		cmocka_unit_test(each_of_these_is_said_and_nothing_else),
		cmocka_unit_test(a_source_says_where_it_asks_and_as_whom),
		cmocka_unit_test(a_fallback_leads_to_another_sink_and_never_round),
		cmocka_unit_test(a_secret_that_cannot_be_read_again_keeps_its_value),
		cmocka_unit_test(every_key_of_every_table_has_its_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
