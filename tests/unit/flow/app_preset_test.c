/* A daemon with a preset beside its configuration: what is sent, dropped, and shortened. */
#include "world.h"

#include "flow/parts.h"
#include "model/preset.h"

#define SINK                                                   \
	"{ name = \"x\"; type = \"webhook\"; preset = \"x\"; " \
	"base_url = \"http://127.0.0.1:1\"; retry = { min = \"1s\"; max = \"2s\"; }; }"
#define HEAD                                                                          \
	"title = \"X\";\n"                                                            \
	"base_url = \"https://x.example\";\n"                                         \
	"requests = ( { name = \"open\"; events = [ \"opened\", \"reopened\" ]; },\n" \
	" { name = \"close\"; events = [ \"resolved\" ]; } );\n"
#define BODY "{ \"type\":\"alert.{{event}}\", \"id\":\"{{id}}\", \"title\":\"{{title}}\" }\n"

static void write_preset(const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/x.preset", world.folder);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void start(const char *preset)
{
	write_preset(preset);
	write_conf(SINK ", " BUS, "{ name = \"all\"; to = [ \"x\", \"bus\" ]; "
				  "events = [ \"opened\", \"acknowledged\", \"changed\", "
				  "\"reopened\", \"resolved\" ]; }");
	begin();
}

/* ---- events that it does not send ---- */

static void events_that_no_request_is_for_are_not_sent_and_end_at_once(void **state)
{
	(void)state;
	start(HEAD "=== open.json\nPOST {{{base_url}}}/x\n\n" BODY
		   "=== close.json\nPOST {{{base_url}}}/x\n\n" BODY);
	run_until(START + 60 * MINUTE);
	list_alerts(2, "open", "high");
	run_until(START + 61 * MINUTE);
	list_alerts(2, "acknowledged", "high");
	run_until(START + 62 * MINUTE);
	list_alerts(2, "acknowledged", "low");
	run_until(START + 63 * MINUTE);
	list_alerts(2, "resolved", "low");
	run_until(START + 64 * MINUTE);
	assert_int_equal(hits_of("/bus", "acknowledged"), 2);
	assert_int_equal(hits_of("/bus", "changed"), 2);
	assert_int_equal(hits_of("/x", "opened"), 2);
	assert_int_equal(hits_of("/x", "acknowledged"), 0);
	assert_int_equal(hits_of("/x", "changed"), 0);
	assert_int_equal(hits_of("/x", "resolved"), 2);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE state IN "
				  "('due', 'held', 'claimed', 'dead')"),
			 0);
}

/* It was never told to this sink, and says so; the other one heard it. */
static void a_first_event_that_it_does_not_send_is_dropped_with_its_reason(void **state)
{
	(void)state;
	start("title = \"X\"; base_url = \"https://x.example\";\n"
	      "requests = ( { name = \"close\"; events = \"resolved\"; } );\n"
	      "=== close.json\nPOST {{{base_url}}}/x\n\n" BODY);
	run_until(START + 60 * MINUTE);
	list_alerts(1, "open", "high");
	run_until(START + 61 * MINUTE);
	assert_int_equal(hits_of("/bus", "opened"), 1);
	assert_int_equal(hits_of("/x", "opened"), 0);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE sink = 'x' AND "
				  "state = 'dropped' AND reason = "
				  "'its preset sends nothing for this event'"),
			 1);
}

/* ---- a body that fails ---- */

#define BAD_BODY                                                                     \
	"{ \"type\":\"alert.{{event}}\", \"id\":\"{{id}}\", \"title\":\"{{title}}\"" \
	"{{#message}}, broken{{/message}} }\n"

static void list_one(const char *more)
{
	snprintf(world.page, sizeof(world.page),
		 "{\"items\":[{\"id\":\"a1\",\"org_id\":\"o\",\"status\":\"open\","
		 "\"severity\":\"high\",\"title\":\"t\",%s"
		 "\"created_at\":\"2025-11-24T16:30:00Z\"},"
		 "{\"id\":\"a2\",\"org_id\":\"o\",\"status\":\"open\","
		 "\"severity\":\"high\",\"title\":\"t\",%s"
		 "\"created_at\":\"2025-11-24T16:30:01Z\"}],"
		 "\"next_cursor\":null,\"has_more\":false}",
		 more, more);
}

static void a_body_that_fails_is_filled_with_the_short_fields_and_said_once(void **state)
{
	(void)state;
	start(HEAD "=== open.json\nPOST {{{base_url}}}/x\n\n" BAD_BODY
		   "=== close.json\nPOST {{{base_url}}}/x\n\n" BODY);
	run_until(START + 60 * MINUTE);
	list_one("\"message\":\"m\",");
	hear_log();
	run_until(START + 61 * MINUTE);
	assert_int_equal(hits_of("/x", "opened"), 2);
	assert_int_equal(said("msg=template-failed"), 1);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE sink = 'x' AND "
				  "state = 'done'"),
			 2);
}

/* ---- parts alone ---- */

static char t_conf[] = "t.conf", templates[] = "templates", sink_name[] = "s";

static void render(struct parts *parts, const char *alert_bytes, const char *wanted)
{
	struct alert alert;
	struct err err = { "" };

	assert_true(alert_read(&alert, alert_bytes, strlen(alert_bytes), NULL));
	const struct facts facts = { .alert = &alert, .event = EVENT_OPENED };
	struct message m = { .alerts = &facts, .count = 1, .handle = "", .progress = "" };
	bool ok = parts_render(parts, &m, &err);

	if (wanted == NULL) {
		assert_false(ok);
	} else {
		assert_true(ok);
		assert_int_equal(m.parts[0].len, strlen(wanted));
		assert_memory_equal(m.parts[0].text, wanted, m.parts[0].len);
	}
	alert_release(&alert);
}

/* Over its limit of 100 bytes the body is made of the short form, and that is counted. */
static void a_body_over_its_limit_is_shortened_and_counted(void **state)
{
	static const char text[] = "title = \"X\"; body_max = \"100\";\n"
				   "requests = ( { name = \"open\"; events = \"opened\"; } );\n"
				   "=== open.txt\nPOST {{{url}}}\n\n{{id}} {{message}}\n";
	const struct settings settings = { .file = t_conf, .templates = templates };
	struct sink_settings sink = { .name = sink_name };
	struct conf_problems problems = { .list = NULL };
	char long_one[400];

	(void)state;
	sink.preset = preset_read("x", "x.preset", text, strlen(text), &problems);
	assert_non_null(sink.preset);
	struct parts *parts = parts_new(&settings, &sink, &problems);

	assert_non_null(parts);
	render(parts, "{\"id\":\"a\",\"message\":\"m\"}", "a m\n");
	assert_int_equal(parts_failed(parts), 0);
	snprintf(long_one, sizeof(long_one), "{\"id\":\"a\",\"message\":\"%0200d\"}", 7);
	hear_log();
	render(parts, long_one, "a \n");
	render(parts, long_one, "a \n");
	assert_int_equal(parts_failed(parts), 2);
	assert_int_equal(said("msg=template-failed"), 1);
	/* An id is never cut: not even the short form fits then, and the row must say so. */
	snprintf(long_one, sizeof(long_one), "{\"id\":\"%0200d\"}", 7);
	render(parts, long_one, NULL);
	parts_free(&parts);
	preset_free(&sink.preset);
	conf_problems_release(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(events_that_no_request_is_for_are_not_sent_and_end_at_once),
		STORY(a_first_event_that_it_does_not_send_is_dropped_with_its_reason),
		STORY(a_body_that_fails_is_filled_with_the_short_fields_and_said_once),
		STORY(a_body_over_its_limit_is_shortened_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
