/* A preset's file: what a good one becomes, all that is said of bad ones, and what is chosen. */
#include "model/preset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/facts.h"
#include "model/sink.h"

enum { SAID_MAX = 4000 };

/* Reads it; every problem becomes a line "LINE: message". */
static struct preset *take(const char *text, char said[SAID_MAX])
{
	struct conf_problems problems = { .list = NULL };
	struct preset *p = preset_read("x", "/p/x.preset", text, strlen(text), &problems);
	size_t len = 0;

	said[0] = '\0';
	conf_problems_sort(&problems);
	for (size_t i = 0; i < problems.count; i++) {
		assert_string_equal(problems.list[i].file, "/p/x.preset");
		len += (size_t)snprintf(said + len, SAID_MAX - len, "%d: %s\n",
					problems.list[i].line, problems.list[i].message);
	}
	assert_int_equal(p == NULL, problems.error_count > 0);
	conf_problems_release(&problems);
	return p;
}

static struct preset *take_good(const char *text)
{
	char said[SAID_MAX];
	struct preset *p = take(text, said);

	assert_string_equal(said, "");
	assert_non_null(p);
	return p;
}

/* ---- bad ones ---- */

#define HEAD   "title = \"T\";\n"
#define OPENED "requests = ( { name = \"a\"; events = \"opened\"; } );\n"
#define PART   "=== a.json\nPOST https://x.example/in\n\n{}\n"

static const struct bad {
	const char *text, *said;
} bad[] = {
	{ OPENED PART, "0: \"title\" is missing: what it is called in lists\n" },
	{ "title = 7;\n" OPENED PART, "1: title must be a string, in quotes\n" },
	{ HEAD "tilte = \"U\";\n" OPENED PART,
	  "2: unknown key \"tilte\"; did you mean \"title\"?\n" },
	{ HEAD "title \"\n" OPENED PART,
	  "2: a string can't stand here: is a = or a comma missing before it?\n" },
	{ HEAD, "0: requests is empty: say what is sent for which event\n" },
	{ HEAD "requests = ();\n" PART,
	  "0: requests is empty: say what is sent for which event\n" },
	{ HEAD "rate = \"often\";\n" OPENED PART,
	  "0: rate: \"often\" is not a rate: \"1/s\", \"120/min\", \"5/10s\", \"250/day\" or \"off\"\n" },
	{ HEAD "batch_max = 0;\n" OPENED PART, "2: batch_max must be from 1 to 1000\n" },
	{ HEAD "vars = ( { name = \"key\"; } );\n" OPENED PART,
	  "2: vars 1: \"help\" is missing: what an operator should give\n" },
	{ HEAD "vars = ( { name = \"key\"; help = \"h\"; secert = true; } );\n" OPENED PART,
	  "2: vars 1: unknown key \"secert\"; did you mean \"secret\"?\n" },
	{ HEAD "vars = ( { name = \"key\"; help = \"h\"; } );\n"
	       "username = \"kye\"; password = \"key\";\n" OPENED PART,
	  "0: username: \"kye\" is none of its vars\n" },
	{ HEAD "requests = ( { name = \"a\"; events = [ \"opened\", \"closed\" ]; } );\n" PART,
	  "2: events: \"closed\" is none of opened, acknowledged, reopened, changed, "
	  "resolved, digest\n" },
	{ HEAD "requests = ( { events = \"opened\"; } );\n" PART,
	  "2: requests 1: \"name\" is missing: that of its part, === NAME.json\n" },
	{ HEAD "requests = ( { name = \"b\"; events = \"opened\"; } );\n" PART,
	  "2: no part \"=== b.…\" says what is sent\n" },
	{ HEAD "requests = ( { name = \"a\"; events = \"opened\"; },\n"
	       "{ name = \"a\"; events = \"resolved\"; } );\n" PART,
	  "3: another request has the name \"a\"\n" },
	{ HEAD
	  "requests = ( { name = \"a\"; events = \"opened\"; handle = \"maybe\"; } );\n" PART,
	  "2: requests 1: handle is \"maybe\"; it must be \"either\", \"yes\" or \"no\"\n" },
	{ HEAD OPENED PART "=== b\n=== a.json\nPOST https://x.example/other\n",
	  "8: another part has the name \"a.json\"\n" },
	/* what stands in a part is told with the line of the file */
	{ HEAD OPENED "=== a.json\nhttps://x.example/in\n\n{}\n",
	  "4: a request begins with \"METHOD URL\"\n" },
	{ HEAD OPENED "=== a.json\nContent-Type: text/plain\n\n{}\n",
	  "4: a request begins with \"METHOD URL\"\n" },
	{ HEAD OPENED "=== a.json\nPOST https://x.example/in\n{\n}\n",
	  "5: a header is \"Name: value\"; the body follows an empty line\n"
	  "6: a header is \"Name: value\"; the body follows an empty line\n" },
	{ HEAD OPENED "=== a.json\nPOST https://x.example/in\nX Y: z\n\n{}\n",
	  "5: a header is \"Name: value\"; the body follows an empty line\n" },
	{ HEAD OPENED "=== a\nPOST https://x.example/in\n\n{}\n",
	  "3: the name of a part with a body ends in how it is escaped, as \"a.json\" or "
	  "\"a.txt\"\n" },
	{ HEAD OPENED "=== a.json\nPOST https://x.example/{{#id}}\n\n{}\n",
	  "4: column 24: {{#id}} is not closed\n" },
	{ HEAD OPENED "=== a.json\nPOST https://x.example/in\nX-Id: {{id | uper}}\n\n{}\n",
	  "5: column 7: no filter \"uper\"; did you mean \"upper\"?\n" },
	{ HEAD OPENED "=== a.json\nPOST https://x.example/in\n\n{\n  {{#id}}\n}\n",
	  "7: column 3: {{#id}} is not closed\n" },
	{ HEAD OPENED "=== list.json\n{{#id}}\n=== a.json\nPOST https://x.example/in\n\n{\n"
		      "{{> list}} }\n",
	  "4: column 1: {{#id}} is not closed\n" },
	{ HEAD "sigv4 = \"aws:{{\";\n" OPENED PART,
	  "0: column 5: a tag that is not closed: no }} follows\n" },
	/* answers */
	{ HEAD OPENED "answers = ( { status = \"2xx\"; verdict = \"never\"; } );\n" PART,
	  "3: status must be \"202\" or \"200-299\"\n" },
	{ HEAD OPENED "answers = ( { status = \"-5\"; verdict = \"never\"; },\n"
		      "{ status = \"1000\"; verdict = \"never\"; },\n"
		      "{ status = \"299-200\"; verdict = \"never\"; },\n"
		      "{ status = \"200-\"; verdict = \"never\"; } );\n" PART,
	  "3: status must be \"202\" or \"200-299\"\n"
	  "4: status must be \"202\" or \"200-299\"\n"
	  "5: status must be \"202\" or \"200-299\"\n"
	  "6: status must be \"202\" or \"200-299\"\n" },
	{ HEAD OPENED "answers = ( { status = \"200\"; } );\n" PART,
	  "3: answers 1: \"verdict\" is missing: delivered, again, later or never\n" },
	{ HEAD OPENED "answers = ( { verdict = \"perhaps\"; } );\n" PART,
	  "3: answers 1: verdict is \"perhaps\"; it must be \"delivered\", \"again\", \"later\" or \"never\"\n" },
	{ HEAD OPENED "answers = ( { verdict = \"again\"; } );\n" PART,
	  "3: verdict \"again\" and `step` go together\n" },
	{ HEAD OPENED "answers = ( { verdict = \"never\"; requests = \"b\"; } );\n" PART,
	  "0: answers 1: requests: no request has that name\n" },
	{ HEAD
	  "requests = ( { name = \"b\"; events = \"opened\"; step = \"then\"; },\n"
	  "{ name = \"a\"; events = \"opened\"; } );\n"
	  "answers = ( { requests = \"a\"; verdict = \"again\"; step = \"then\"; } );\n" PART
	  "=== b.json\nPOST https://x.example/then\n\n{}\n",
	  "0: answers 1: no request after those it answers has step = \"then\"\n" },
};

static void each_mistake_is_told_with_its_line(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char said[SAID_MAX];
		struct preset *p = take(bad[i].text, said);

		preset_free(&p);
		if (strcmp(said, bad[i].said) == 0)
			continue;
		print_message("--- text:\n%s--- wanted:\n%s--- got:\n%s", bad[i].text,
			      bad[i].said, said);
		failed++;
	}
	assert_int_equal(failed, 0);
}

static void all_mistakes_are_told_at_once(void **state)
{
	char said[SAID_MAX];
	struct preset *p = take("titel = \"T\";\n"
				"requests = ( { name = \"a\"; events = \"opend\"; } );\n"
				"=== a.json\nPOST\n\n{{#x}}\n",
				said);

	(void)state;
	assert_null(p);
	assert_string_equal(said,
			    "0: \"title\" is missing: what it is called in lists\n"
			    "1: unknown key \"titel\"; did you mean \"title\"?\n"
			    "2: events: \"opend\" is none of opened, acknowledged, reopened, "
			    "changed, resolved, digest\n"
			    "4: a request begins with \"METHOD URL\"\n"
			    "6: column 1: {{#x}} is not closed\n");
}

/* ---- good ones ---- */

static void a_short_one_has_all_defaults(void **state)
{
	struct preset *p = take_good(HEAD OPENED PART);

	(void)state;
	assert_string_equal(p->name, "x");
	assert_string_equal(p->title, "T");
	assert_null(p->base_url);
	assert_int_equal(p->batch_max, 1);
	assert_true(p->collapse);
	assert_false(p->pairs);
	assert_false(p->own_host);
	assert_string_equal(p->rate, "off");
	assert_int_equal(p->body_max, 4 << 20);
	assert_int_equal(p->request_count, 1);
	assert_string_equal(p->requests[0].method, "POST");
	assert_string_equal(p->requests[0].file, "a.json");
	assert_int_equal(p->requests[0].header_count, 0);
	assert_non_null(p->requests[0].body);
	assert_int_equal(preset_events(p), 1U << EVENT_OPENED);
	assert_true(preset_is_secret(p, "whatever"));
	preset_free(&p);
	preset_free(&p);
}

static void lines_may_end_as_on_windows_and_a_body_may_be_missing(void **state)
{
	struct preset *p = take_good("title = \"T\";\r\n"
				     "requests = ( { name = \"a\"; events = \"opened\"; },\r\n"
				     "{ name = \"b\"; events = \"resolved\"; } );\r\n"
				     "=== a.json\r\nPOST https://x.example/in\r\nX-A: b\r\n\r\n"
				     "{}\r\n=== b\r\nDELETE https://x.example/in");

	(void)state;
	assert_string_equal(p->requests[0].file, "a.json");
	assert_int_equal(p->requests[0].header_count, 1);
	assert_string_equal(p->requests[0].headers[0].name, "X-A");
	assert_non_null(p->requests[0].body);
	assert_string_equal(p->requests[1].method, "DELETE");
	assert_null(p->requests[1].body);
	preset_free(&p);
}

static const struct {
	const char *part, *said;
} run_time[] = {
	{ "=== a.json\nPOST https://x.example/in\nX-A: b\n\n{ \"a\":\n  {{id}} }\n",
	  "/p/x.preset:8:3: the rendering is not JSON at byte 9: value expected" },
	{ "=== deep\n\n x{{> deep}}\n=== a.json\nPOST https://x.example/in\n\n{{> deep}}\n",
	  "/p/x.preset:5:3: partials more than 32 deep: one that names itself never ends" },
};

static void what_fails_at_run_time_is_told_with_the_line_of_the_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(run_time); i++) {
		char *text = mem_printf(HEAD OPENED "%s", run_time[i].part);
		struct preset *p = take_good(text);
		struct alert alert;
		struct value root;
		struct buf out;
		struct err err = { "" };

		assert_true(alert_read(&alert, "{\"id\":\"a b\"}", 12, NULL));
		const struct facts facts = { .alert = &alert, .event = EVENT_OPENED };

		buf_init(&out, 1000);
		value_of_facts(&facts, &root);
		assert_false(tmpl_render(p->requests[0].body, &root, &out, NULL, &err));
		assert_string_equal(err.text, run_time[i].said);
		buf_release(&out);
		alert_release(&alert);
		preset_free(&p);
		mem_free(&text);
	}
}

static void the_words_of_a_verdict_and_of_a_fault_are_these(void **state)
{
	static const struct {
		const char *word;
		enum verdict verdict;
	} verdicts[] = { { "delivered", VERDICT_DELIVERED },
			 { "later", VERDICT_LATER },
			 { "never", VERDICT_NEVER } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		char *text =
			mem_printf(HEAD OPENED "answers = ( { verdict = \"%s\"; } );\n" PART,
				   verdicts[i].word);
		struct preset *p = take_good(text);

		assert_int_equal(p->answers[0].verdict, verdicts[i].verdict);
		assert_int_equal(p->answers[0].fault, PRESET_FAULT_DESTINATION);
		assert_int_equal(p->answers[0].from, 0);
		assert_int_equal(p->answers[0].to, 999);
		preset_free(&p);
		mem_free(&text);
	}
}

/* ---- choosing ---- */

#define CHOICES                                                                                 \
	HEAD "requests = (\n"                                                                   \
	     "{ name = \"edit\"; events = \"changed\"; handle = \"yes\"; },\n"                  \
	     "{ name = \"post\"; events = [ \"opened\", \"changed\" ]; handle = \"no\"; "       \
	     "repeat = \"no\"; },\n"                                                            \
	     "{ name = \"find\"; events = \"opened\"; repeat = \"yes\"; },\n"                   \
	     "{ name = \"put\"; events = \"opened\"; step = \"found\"; },\n"                    \
	     "{ name = \"all\"; events = \"digest\"; } );\n"                                    \
	     "answers = ( { requests = \"find\"; verdict = \"again\"; step = \"found\"; } );\n" \
	     "=== edit\nPUT https://x.example\n=== post\nPOST https://x.example\n"              \
	     "=== find\nGET https://x.example\n=== put\nPUT https://x.example\n"                \
	     "=== all\nPOST https://x.example\n"

static const struct choice {
	enum event_kind event;
	size_t count;
	bool repeat, repeat_within;
	const char *handle, *progress, *name; /* NULL: nothing fits */
} choices[] = {
	{ EVENT_OPENED, 1, false, false, "", "", "post" },
	{ EVENT_OPENED, 1, true, false, "", "", "find" },
	{ EVENT_OPENED, 1, false, true, "", "", "find" },
	{ EVENT_OPENED, 1, true, false, "", "found\t7", "put" },
	{ EVENT_OPENED, 1, true, false, "", "found", "put" },
	{ EVENT_OPENED, 1, true, false, "", "foun\t7", NULL },
	{ EVENT_OPENED, 1, true, false, "", "founder\t7", NULL },
	{ EVENT_OPENED, 1, false, false, "h", "", NULL },
	{ EVENT_CHANGED, 1, false, false, "h", "", "edit" },
	{ EVENT_CHANGED, 1, true, false, "h", "", "edit" },
	{ EVENT_CHANGED, 1, false, false, "", "", "post" },
	{ EVENT_RESOLVED, 1, false, false, "", "", NULL },
	{ EVENT_RESOLVED, 2, false, false, "", "", "all" },
	{ EVENT_OPENED, 2, true, true, "", "", "all" },
};

static void a_request_is_chosen_by_event_handle_repeat_and_step(void **state)
{
	struct preset *p = take_good(CHOICES);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		const struct choice *c = &choices[i];
		struct facts facts[2] = { { .event = c->event },
					  { .possible_repeat = c->repeat_within } };
		struct message m = { .alerts = facts,
				     .count = c->count,
				     .possible_repeat = c->repeat,
				     .handle = c->handle,
				     .progress = c->progress };

		facts[0].possible_repeat = c->count == 1 && c->repeat_within;
		const struct preset_request *r = preset_choose(p, &m);
		const char *got = r == NULL ? "nothing" : r->name;

		if (strcmp(got, c->name == NULL ? "nothing" : c->name) != 0)
			fail_msg("row %zu: wanted %s, got %s", i,
				 c->name == NULL ? "nothing" : c->name, got);
	}
	/* One that says that a storm began. */
	const struct facts one = { .event = EVENT_OPENED };
	const struct message storm = {
		.alerts = &one, .count = 1, .is_digest = true, .handle = "", .progress = ""
	};

	assert_string_equal(preset_choose(p, &storm)->name, "all");
	assert_int_equal(preset_events(p),
			 1U << EVENT_OPENED | 1U << EVENT_CHANGED | 1U << PRESET_EVENT_DIGEST);
	preset_free(&p);
}

static void progress_is_a_step_and_what_was_kept(void **state)
{
	char progress[16];

	(void)state;
	preset_write_progress(progress, sizeof(progress), "found", "a\tb");
	assert_string_equal(progress, "found\ta\tb");
	assert_true(preset_is_at_step(progress, "found"));
	assert_false(preset_is_at_step(progress, NULL));
	assert_string_equal(preset_kept(progress), "a\tb");
	assert_true(preset_is_at_step("", NULL));
	assert_false(preset_is_at_step("", "found"));
	assert_string_equal(preset_kept(""), "");
	preset_write_progress(progress, sizeof(progress), "found", "0123456789abcdef");
	assert_string_equal(progress, "found\t012345678");
}

/* ---- maps ---- */

#define MAPS                                                                  \
	HEAD OPENED                                                           \
		"maps = (\n"                                                  \
		"{ name = \"level\"; of = \"severity\"; other = \"3\"; "      \
		"values = { critical = \"1\"; high = \"2\"; }; },\n"          \
		"{ name = \"bare\"; of = \"severity\"; "                      \
		"values = { critical = \"1\"; }; },\n"                        \
		"{ name = \"model\"; of = \"metadata.model\"; other = \"\"; " \
		"values = { gpt = \"openai\"; }; },\n"                        \
		"{ name = \"at\"; of = \"event\"; values = { opened = \"go\"; }; } );\n" PART

static const struct {
	const char *map, *alert, *value; /* NULL: missing */
} maps[] = {
	{ "level", "{\"id\":\"a\",\"severity\":\"critical\"}", "1" },
	{ "level", "{\"id\":\"a\",\"severity\":\"high\"}", "2" },
	{ "level", "{\"id\":\"a\",\"severity\":\"hig\"}", "3" },
	{ "level", "{\"id\":\"a\",\"severity\":null}", "3" },
	{ "level", "{\"id\":\"a\"}", "3" },
	{ "bare", "{\"id\":\"a\",\"severity\":\"critical\"}", "1" },
	{ "bare", "{\"id\":\"a\",\"severity\":\"low\"}", NULL },
	{ "model", "{\"id\":\"a\",\"metadata\":{\"model\":\"gpt\"}}", "openai" },
	{ "model", "{\"id\":\"a\",\"metadata\":{\"model\":[]}}", "" },
	{ "model", "{\"id\":\"a\",\"metadata\":7}", "" },
	{ "at", "{\"id\":\"a\"}", "go" },
	{ "levels", "{\"id\":\"a\"}", NULL },
};

static void a_map_takes_the_field_it_is_of(void **state)
{
	struct preset *p = take_good(MAPS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		struct alert alert;

		assert_true(alert_read(&alert, maps[i].alert, strlen(maps[i].alert), NULL));
		const struct facts facts = { .alert = &alert,
					     .event = EVENT_OPENED,
					     .preset = p };
		const char *got = preset_map(p, &facts, maps[i].map, strlen(maps[i].map));

		if ((got == NULL) != (maps[i].value == NULL) ||
		    (got != NULL && strcmp(got, maps[i].value) != 0))
			fail_msg("row %zu: wanted %s, got %s", i, maps[i].value, got);
		alert_release(&alert);
	}
	preset_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(a_short_one_has_all_defaults),
		cmocka_unit_test(lines_may_end_as_on_windows_and_a_body_may_be_missing),
		cmocka_unit_test(what_fails_at_run_time_is_told_with_the_line_of_the_file),
		cmocka_unit_test(the_words_of_a_verdict_and_of_a_fault_are_these),
		cmocka_unit_test(a_request_is_chosen_by_event_handle_repeat_and_step),
		cmocka_unit_test(progress_is_a_step_and_what_was_kept),
		cmocka_unit_test(a_map_takes_the_field_it_is_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
