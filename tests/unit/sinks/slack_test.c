/* Slack: the request of each step, what check() finds. What it answers: slack_judge_test.c. */
#include "sample.h"

#include "base/esc.h"

#define HOOK "https://hooks.slack.com/services/T0123/B0456/abcdefghijklmnopqrstuvwx"
#define KEYS "type = \"slack\"; url = \"" HOOK "\"; "
#define BOT  "type = \"slack\"; token = \"xoxb-1-secret\"; channel = \"#alerts\"; "
#define TS   "1503435956.000247"

static void expect_body(const char *keys, const char *rendered, const char *wanted)
{
	struct settings *s = sample_settings(keys);
	struct message m = sample_message(rendered);
	struct request r;

	sample_build(s, &m, &r);
	assert_string_equal(r.body.data, wanted);
	request_release(&r);
	settings_free(&s);
}

static void the_rendered_template_is_posted_as_it_is(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{\"text\":\"hi\"}\n");
	struct request r;
	char *text;

	(void)state;
	sample_build(s, &m, &r);
	text = sample_request_text(&r);
	assert_string_equal(text, "POST " HOOK "\n"
				  "User-Agent: tocsin/" TOCSIN_VERSION "\n"
				  "Content-Type: application/json\n"
				  "\n"
				  "{\"text\":\"hi\"}");
	mem_free(&text);
	request_release(&r);
	settings_free(&s);
}

static void name_and_icon_are_members_in_front_only_where_set(void **state)
{
	(void)state;
	expect_body(KEYS, "{\"text\":\"hi\"}", "{\"text\":\"hi\"}");
	expect_body(
		KEYS "username = \"Bell \\\"1\\\"\"; icon_emoji = \":bell:\";",
		"\n{ \"text\":\"hi\"}",
		"{\"username\":\"Bell \\\"1\\\"\",\"icon_emoji\":\":bell:\",\"text\":\"hi\"}");
	expect_body(KEYS "icon_emoji = \":bell:\";", "{ }", "{\"icon_emoji\":\":bell:\"}");
}

static void a_template_that_makes_no_object_takes_no_name(void **state)
{
	struct settings *s = sample_settings(KEYS "username = \"Bell\";");
	struct message m = sample_message("[1]");
	struct request r;
	struct err err;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	assert_false(s->sinks[0].type->build(&s->sinks[0], &m, &r, &err));
	assert_string_equal(err.text, "the template made no JSON object");
	request_release(&r);
	settings_free(&s);
}

/* ---- a bot ---- */

static struct facts opened = { .event = EVENT_OPENED };
static struct facts resolved = { .event = EVENT_RESOLVED };

#define BODY  "{\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],\"attachments\":[2]}"
#define REPLY "{\"text\":\"brief\"}"

static struct message bot_message(const struct facts *facts, const char *handle,
				  const char *progress)
{
	struct message m = sample_message(BODY);

	m.alerts = facts;
	m.handle = handle;
	m.progress = progress;
	m.parts[1] = (struct message_part){ REPLY, strlen(REPLY) };
	return m;
}

static const struct step {
	const char *keys;
	const struct facts *facts;
	const char *handle, *progress, *method, *body;
} steps[] = {
	/* The first message of an episode. */
	{ "", &opened, "", "", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	{ "", &resolved, "", "", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	/* What follows: the update, then the reply. */
	{ "", &resolved, "C1 " TS, "", "chat.update",
	  "{\"channel\":\"C1\",\"ts\":\"" TS "\",\"parse\":\"none\",\"text\":\"all\","
	  "\"blocks\":[1],\"attachments\":[2]}" },
	{ "", &resolved, "C1 " TS, "updated", "chat.postMessage",
	  "{\"channel\":\"C1\",\"thread_ts\":\"" TS "\",\"text\":\"brief\"}" },
	{ "update = false;", &resolved, "C1 " TS, "", "chat.postMessage",
	  "{\"channel\":\"C1\",\"thread_ts\":\"" TS "\",\"text\":\"brief\"}" },
	{ "thread = false; update = false;", &resolved, "C1 " TS, "", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	{ "thread = false;", &resolved, "C1 " TS, "", "chat.update",
	  "{\"channel\":\"C1\",\"ts\":\"" TS "\",\"parse\":\"none\",\"text\":\"all\","
	  "\"blocks\":[1],\"attachments\":[2]}" },
	{ "thread = false;", &resolved, "C1 " TS, "updated", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	/* A requeued open rings in the channel, too. */
	{ "", &opened, "C1 " TS, "updated", "chat.postMessage",
	  "{\"channel\":\"C1\",\"thread_ts\":\"" TS "\",\"reply_broadcast\":true,"
	  "\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],\"attachments\":[2]}" },
	/* A digest tells of others too: it takes replies, no updates. */
	{ "", &resolved, "C1 " TS " digest", "", "chat.postMessage",
	  "{\"channel\":\"C1\",\"thread_ts\":\"" TS "\",\"text\":\"brief\"}" },
	/* The message is gone. */
	{ "", &resolved, "C1 " TS, "anew", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	{ "", &resolved, "C1 " TS, "updated anew", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	/* As plain text; of an update the blocks must be told to go. */
	{ "", &opened, "", "plain", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,"
	  "\"unfurl_media\":false}" },
	{ "", &resolved, "C1 " TS, "plain", "chat.update",
	  "{\"channel\":\"C1\",\"ts\":\"" TS "\",\"parse\":\"none\",\"text\":\"all\","
	  "\"blocks\":[],\"attachments\":[]}" },
	{ "", &resolved, "C1 " TS, "plain updated", "chat.postMessage",
	  "{\"channel\":\"C1\",\"thread_ts\":\"" TS "\",\"text\":\"brief\","
	  "\"unfurl_links\":false,\"unfurl_media\":false}" },
	/* What is no handle of ours is none. */
	{ "", &resolved, "<id@example.com>", "", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	{ "", &resolved, "C1", "", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,\"blocks\":[1],"
	  "\"attachments\":[2]}" },
	/* The face, which an update keeps. */
	{ "username = \"T\";", &opened, "", "plain", "chat.postMessage",
	  "{\"channel\":\"#alerts\",\"username\":\"T\",\"text\":\"all\","
	  "\"unfurl_links\":false,\"unfurl_media\":false}" },
	{ "username = \"T\";", &resolved, "C1 " TS, "plain", "chat.update",
	  "{\"channel\":\"C1\",\"ts\":\"" TS "\",\"parse\":\"none\",\"text\":\"all\","
	  "\"blocks\":[],\"attachments\":[]}" },
	{ "api_url = \"http://127.0.0.1:1/api\";", &opened, "", "plain",
	  "http://127.0.0.1:1/api/chat.postMessage",
	  "{\"channel\":\"#alerts\",\"text\":\"all\",\"unfurl_links\":false,"
	  "\"unfurl_media\":false}" },
};

static void expect_step(const struct step *step)
{
	char *keys = mem_printf(BOT "%s", step->keys);
	struct settings *s = sample_settings(keys);
	struct message m = bot_message(step->facts, step->handle, step->progress);
	bool is_whole = strstr(step->method, "://") != NULL;
	char *url = mem_printf("%s%s", is_whole ? "" : "https://slack.com/api/", step->method);
	struct request r;

	sample_build(s, &m, &r);
	assert_string_equal(r.url, url);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.bearer, "xoxb-1-secret");
	assert_string_equal(request_get_header(&r, "Content-Type"),
			    "application/json; charset=utf-8");
	assert_string_equal(r.body.data, step->body);
	request_release(&r);
	mem_free(&url);
	mem_free(&keys);
	settings_free(&s);
}

static void each_step_of_a_bot_is_a_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		expect_step(&steps[i]);
}

static void a_digest_is_no_reply_to_the_first_of_one_alert(void **state)
{
	struct settings *s = sample_settings(BOT);
	const struct facts two[2] = { opened, resolved };
	struct message m = bot_message(two, "C1 " TS, "");
	struct request r;

	(void)state;
	m.count = 2;
	sample_build(s, &m, &r);
	assert_string_equal(r.url, "https://slack.com/api/chat.postMessage");
	assert_null(strstr(r.body.data, "thread_ts"));
	request_release(&r);
	m.count = 1;
	m.is_digest = true; /* a storm begins */
	sample_build(s, &m, &r);
	assert_null(strstr(r.body.data, "thread_ts"));
	request_release(&r);
	settings_free(&s);
}

static void a_member_of_ours_replaces_one_of_the_template(void **state)
{
	struct settings *s = sample_settings(BOT);
	struct message m = sample_message("{\"channel\":\"C9\",\"text\":\"hi\",\"channel\":1}");
	struct request r;

	(void)state;
	m.alerts = &opened;
	sample_build(s, &m, &r);
	assert_string_equal(r.body.data, "{\"channel\":\"#alerts\",\"text\":\"hi\"}");
	request_release(&r);
	settings_free(&s);
}

static void without_a_part_for_replies_all_of_it_is_said(void **state)
{
	struct settings *s = sample_settings(BOT);
	struct message m = bot_message(&resolved, "C1 " TS, "updated");
	struct request r;

	(void)state;
	m.parts[1].text = NULL;
	sample_build(s, &m, &r);
	assert_non_null(strstr(r.body.data, "\"text\":\"all\""));
	request_release(&r);
	settings_free(&s);
}

/* ---- plain text ---- */

/* What the text of `count` times `piece` and `end` becomes. The caller frees it. */
static char *plain_of(const char *piece, size_t count, const char *end)
{
	struct settings *s = sample_settings(KEYS);
	struct buf body;
	struct message m;
	struct request r;
	char *text;

	buf_init(&body, 1 << 20);
	buf_adds(&body, "{\"text\":\"");
	for (size_t i = 0; i < count; i++)
		buf_adds(&body, piece);
	buf_addf(&body, "%s\",\"blocks\":[]}", end);
	m = sample_message(body.data);
	m.progress = "plain";
	sample_build(s, &m, &r);
	text = buf_take(&r.body, NULL);
	*strstr(text, "\",\"unfurl_links\":false,\"unfurl_media\":false}") = '\0';
	memmove(text, text + 9, strlen(text + 9) + 1);
	request_release(&r);
	buf_release(&body);
	settings_free(&s);
	return text;
}

static void plain_text_is_cut_between_characters_and_marks(void **state)
{
	static const struct {
		const char *piece;
		size_t count;
		const char *end;
		size_t whole_pieces; /* before the … */
	} rows[] = {
		{ "x", 3000, "", 3000 },       { " ", 3, "\\n\\u0000\\u001b\\r", 7 },
		{ "x", 3001, "", 3000 },       { "&amp;", 601, "", 600 },
		{ "xx&amp;", 500, "", 428 },   { "\xf0\x9f\x94\x94", 3001, "", 3000 },
		{ "x", 2998, "&amp;y", 2998 }, { "x", 2990, "<!date^1^{ago}|long ago>", 2990 },
		{ "x", 2999, "&", 2999 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = plain_of(rows[i].piece, rows[i].count, rows[i].end);
		size_t whole = rows[i].whole_pieces * strlen(rows[i].piece);

		assert_true(utf8_valid(text, strlen(text)));
		assert_in_range(utf8_count(text, strlen(text)), 1, 3001);
		assert_true(strlen(text) >= whole);
		if (strcmp(text + strlen(text) - 3, "…") == 0)
			assert_true(strlen(text) - 3 - whole < strlen(rows[i].piece));
		else
			assert_int_equal(strlen(text), whole);
		mem_free(&text);
	}
}

static void plain_text_says_that_it_may_be_a_repeat(void **state)
{
	struct settings *s = sample_settings(KEYS);
	struct message m = sample_message("{\"text\":\"hi\",\"blocks\":[]}");
	struct request r;

	(void)state;
	m.progress = "plain";
	m.possible_repeat = true;
	sample_build(s, &m, &r);
	assert_string_equal(r.body.data, "{\"text\":\"possible repeat: hi\","
					 "\"unfurl_links\":false,\"unfurl_media\":false}");
	request_release(&r);
	settings_free(&s);
}

static void what_has_no_text_can_not_become_plain(void **state)
{
	static const char *const bodies[] = { "{\"blocks\":[]}", "{\"text\":\"\"}", "[]" };
	struct settings *s = sample_settings(KEYS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct message m = sample_message(bodies[i]);
		struct request r;
		struct err err;

		m.progress = "plain";
		request_init(&r, REQUEST_HTTP);
		assert_false(s->sinks[0].type->build(&s->sinks[0], &m, &r, &err));
		assert_string_equal(err.text, "Slack refuses what the template makes, and it "
					      "makes no text");
		request_release(&r);
	}
	settings_free(&s);
}

/* ---- checking ---- */

static void a_url_that_is_no_incoming_webhook_is_found(void **state)
{
#define S "type = \"slack\"; url = \"https://hooks.slack.com"
	static const struct {
		const char *keys, *message;
	} rows[] = {
		{ KEYS, "" },
		{ "type = \"slack\"; url = \"http://127.0.0.1:8080/anything\";", "" },
		{ "type = \"slack\"; url = \"https://chat.acme.com/hooks/x\";", "" },
		{ S "/services/T1/B2\";",
		  "sink \"s\": url: is cut off: three pieces follow /services/" },
		{ S "/services/T1/B2/\";",
		  "sink \"s\": url: is cut off: three pieces follow /services/" },
		{ S "/triggers/T1/2/x\";",
		  "sink \"s\": url: starts a workflow, which takes variables and no messages: make "
		  "an incoming webhook" },
		{ S "\";", "sink \"s\": url: is no incoming webhook: "
			   "https://hooks.slack.com/services/T.../B.../..." },
		{ KEYS "icon_emoji = \"bell\";",
		  "sink \"s\": icon_emoji: must be a name between colons, as \":bell:\"" },
		{ "type = \"slack\"; url = \"http://hooks.slack.com/services/T1/B2/x\";",
		  "sink \"s\": url: is plain http, which only loopback may be: use https, or set "
		  "plaintext = true inside a network of your own" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sample_expect_problem(rows[i].keys, CONF_ERROR, rows[i].message);
}

#define TOKEN(token) "type = \"slack\"; channel = \"C1\"; token = \"" token "\"; "

static void a_bot_that_can_not_post_is_found(void **state)
{
	static const struct {
		const char *keys;
		enum conf_level level;
		const char *message;
	} rows[] = {
		{ BOT, CONF_ERROR, "" },
		{ BOT "api_url = \"https://slack-gov.com/api\"; thread = false;", CONF_ERROR,
		  "" },
		{ "type = \"slack\";", CONF_ERROR,
		  "sink \"s\": url: is missing: an incoming webhook's, or set token and channel "
		  "for a bot" },
		{ "type = \"slack\"; token = \"xoxb-1\";", CONF_ERROR,
		  "sink \"s\": token: needs channel beside it: the id of one, C..." },
		{ "type = \"slack\"; channel = \"C1\";", CONF_ERROR,
		  "sink \"s\": url: is missing: an incoming webhook's, or set token and channel "
		  "for a bot" },
		{ KEYS "token = \"xoxb-1\"; channel = \"C1\";", CONF_ERROR,
		  "sink \"s\": url: does not go with token: a webhook or a bot, not both" },
		{ KEYS "channel = \"C1\";", CONF_ERROR,
		  "sink \"s\": channel: does not go with url: a webhook has its own" },
		{ TOKEN("xoxp-1"), CONF_WARNING,
		  "sink \"s\": token: is a person's: it posts as that person; a bot's begins with "
		  "xoxb-" },
		{ TOKEN("xapp-1"), CONF_WARNING,
		  "sink \"s\": token: is an app's own, which can't post: set the bot's, which "
		  "begins with xoxb-" },
		{ TOKEN("xoxe.xoxb-1"), CONF_WARNING,
		  "sink \"s\": token: is one that rotates and ends within a day: set that of an "
		  "app without token rotation" },
		{ TOKEN("https://hooks.slack.com/services/T/B/x"), CONF_ERROR,
		  "sink \"s\": token: is a url: set `url` for an incoming webhook" },
		{ TOKEN("something"), CONF_WARNING,
		  "sink \"s\": token: is no bot's, which begins with xoxb-" },
		{ TOKEN("xoxb-1 2"), CONF_ERROR,
		  "sink \"s\": token: holds a blank or a character that no token has" },
		{ "type = \"slack\"; token = \"xoxb-1\"; channel = \"my alerts\";", CONF_ERROR,
		  "sink \"s\": channel: must be a channel's id, C..., or its name" },
		{ BOT "api_url = \"http://slack.example.com/api\";", CONF_ERROR,
		  "sink \"s\": api_url: is plain http, which only loopback may be: use https, or "
		  "set plaintext = true inside a network of your own" },
		{ BOT "api_url = \"https://slack.com/api/\";", CONF_ERROR,
		  "sink \"s\": api_url: must end before /chat.postMessage: no slash, no question" },
		{ BOT "api_url = \"slack.com/api\";", CONF_ERROR,
		  "sink \"s\": api_url: must begin with https://" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sample_expect_problem(rows[i].keys, rows[i].level, rows[i].message);
}

static void its_defaults_are_those_of_a_chat(void **state)
{
	struct settings *s = sample_settings(KEYS);

	(void)state;
	assert_true(s->sinks[0].collapse);
	assert_int_equal(s->sinks[0].rate.count, 1);
	assert_int_equal(s->sinks[0].rate.per_ms, 1000);
	settings_free(&s);
	s = sample_settings(BOT);
	assert_true(s->sinks[0].collapse);
	assert_int_equal(s->sinks[0].rate.count, 1);
	settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rendered_template_is_posted_as_it_is),
		cmocka_unit_test(name_and_icon_are_members_in_front_only_where_set),
		cmocka_unit_test(a_template_that_makes_no_object_takes_no_name),
		cmocka_unit_test(each_step_of_a_bot_is_a_request),
		cmocka_unit_test(a_digest_is_no_reply_to_the_first_of_one_alert),
		cmocka_unit_test(a_member_of_ours_replaces_one_of_the_template),
		cmocka_unit_test(without_a_part_for_replies_all_of_it_is_said),
		cmocka_unit_test(plain_text_is_cut_between_characters_and_marks),
		cmocka_unit_test(plain_text_says_that_it_may_be_a_repeat),
		cmocka_unit_test(what_has_no_text_can_not_become_plain),
		cmocka_unit_test(a_url_that_is_no_incoming_webhook_is_found),
		cmocka_unit_test(a_bot_that_can_not_post_is_found),
		cmocka_unit_test(its_defaults_are_those_of_a_chat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
