/*
 * Lives of an alert, and what `tocsin explain` makes of each, word by word.
 *
 * The clock is moved by hand, so nothing in a story depends on the day. tests/golden/explain/
 * holds them. GOLDEN=write writes them anew; read each as if it had woken you before it is
 * committed.
 */
#include "../flow/world.h"

#include "cli/cli.h"
#include "store/silences.h"

enum { ANSWER_MAX = 16000 };

#define SINK(name) \
	"{ name = \"" name "\"; type = \"webhook\"; url = \"http://127.0.0.1:1/" name "\"; }"
#define SINK_WITH(name, keys)                                                         \
	"{ name = \"" name "\"; type = \"webhook\"; url = \"http://127.0.0.1:1/" name \
	"\"; " keys " }"
#define HIGH "name = \"urgent\"; match = [ \"severity >= high\" ]; to = [ \"chat\" ]; "

/* ---- what the API lists ---- */

static void list(size_t count, const char *status, const char *severity)
{
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 1; i <= count; i++)
		len += (size_t)snprintf(
			world.page + len, sizeof(world.page) - len,
			"%s{\"id\":\"al-%zu\",\"org_id\":\"acme\",\"type\":\"anomaly_detected\","
			"\"status\":\"%s\",\"severity\":\"%s\",\"title\":\"Token use is eight "
			"times what it was\",\"message\":\"\",\"created_at\":"
			"\"2025-11-24T16:30:00Z\"}",
			i > 1 ? "," : "", i, status, severity);
	snprintf(world.page + len, sizeof(world.page) - len,
		 "],\"next_cursor\":null,\"has_more\":false}");
}

static void start(const char *sinks, const char *routes)
{
	write_conf(sinks, routes);
	begin();
	run_until(START + 30 * MINUTE);
}

static void live(int64_t ms)
{
	run_until(fake.now + ms);
}

/* ---- receivers ---- */

static size_t chat_calls;

static int chat_fails_twice(const struct hit *hit)
{
	(void)hit;
	return ++chat_calls <= 2 ? 503 : 200;
}

static int chat_refuses(const struct hit *hit)
{
	return strcmp(hit->path, "/chat") == 0 ? 422 : 200;
}

static int chat_is_down(const struct hit *hit)
{
	return strcmp(hit->path, "/chat") == 0 ? 503 : 200;
}

/* ---- what is told ---- */

static void read_file(const char *path, char *out, size_t size)
{
	FILE *in = fopen(path, "r");
	size_t len = in != NULL ? fread(out, 1, size - 1, in) : 0;

	out[len] = '\0';
	if (in != NULL)
		fclose(in);
}

/* What `tocsin explain` prints, at the moment that the clock shows. `option` is one word, and may
 * hold what it takes behind a "=". */
static void explain(const char *id, const char *option, char *out, size_t size)
{
	char conf[128], path[128];
	static char tocsin[] = "tocsin", dash_c[] = "-c", word[] = "explain";
	char *argv[] = { tocsin, dash_c, conf, word, (char *)id, (char *)option, NULL };
	int argc = option != NULL ? 6 : 5;

	snprintf(conf, sizeof(conf), "%s/t.conf", world.folder);
	snprintf(path, sizeof(path), "%s/told", world.folder);
	fflush(stdout);
	int before = dup(STDOUT_FILENO);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(before >= 0 && fd >= 0);
	dup2(fd, STDOUT_FILENO);
	int code = cli_main(argc, argv);

	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	close(fd);
	assert_int_equal(code, 0);
	read_file(path, out, size);
}

static void write_golden(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void expect_story_with(const char *name, const char *id, const char *option)
{
	static char got[ANSWER_MAX], wanted[ANSWER_MAX];
	const char *mode = getenv("GOLDEN");
	char path[128];

	snprintf(path, sizeof(path), "tests/golden/explain/%s.txt", name);
	explain(id, option, got, sizeof(got));
	if (mode != NULL && strcmp(mode, "write") == 0)
		write_golden(path, got);
	read_file(path, wanted, sizeof(wanted));
	if (strcmp(got, wanted) != 0)
		fail_msg("%s is told otherwise (GOLDEN=write writes it):\n%s", path, got);
}

static void expect_story(const char *name, const char *id)
{
	expect_story_with(name, id, NULL);
}

/* A member of the story as JSON: the same holds are in it. */
static void expect_json(const char *id, const char *member)
{
	static char got[ANSWER_MAX];

	explain(id, "--json", got, sizeof(got));
	if (strstr(got, member) == NULL)
		fail_msg("no %s in:\n%s", member, got);
}

/* ---- the stories ---- */

static void a_plain_delivery(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "}");
	list(1, "open", "high");
	live(20 * MINUTE);
	list(1, "resolved", "high");
	live(40 * MINUTE);
	expect_story("delivered", "al-1");
	expect_json("al-1", "\"hold\":null,\"hold_until\":null,\"batch\":null,\"silences\":[]");
}

static void a_retry(void **state)
{
	(void)state;
	chat_calls = 0;
	world.receive = chat_fails_twice;
	start(SINK("chat"), "{ " HIGH "}");
	list(1, "open", "high");
	live(10 * MINUTE);
	expect_story("retried", "al-1");
}

static void a_dead_letter(void **state)
{
	(void)state;
	world.receive = chat_refuses;
	start(SINK("chat"), "{ " HIGH "}");
	list(1, "open", "high");
	live(10 * MINUTE);
	expect_story("dead", "al-1");
}

static void a_fallback(void **state)
{
	(void)state;
	world.receive = chat_is_down;
	start(SINK_WITH("chat",
			"fallback = \"phone\"; fallback_after = \"5m\"; ") ", " SINK("phone"),
	      "{ " HIGH "}");
	list(1, "open", "high");
	live(20 * MINUTE);
	expect_story("fallback", "al-1");
}

static void quiet_hours_hold_it(void **state)
{
	(void)state;
	start(SINK("chat"),
	      "{ " HIGH "quiet = ( { from = \"16:00\"; until = \"07:00\"; except = "
	      "[ \"severity = critical\" ]; } ); }");
	list(1, "open", "high");
	live(3 * HOUR);
	expect_story("quiet", "al-1");
	expect_json("al-1", "\"hold\":\"quiet\",\"hold_until\":\"2025-11-25T07:00:00Z\"");
}

/* Where people read, a digest lists the twenty most severe. */
static void quiet_hours_are_over(void **state)
{
	(void)state;
	start("{ name = \"chat\"; type = \"slack\"; url = \"http://127.0.0.1:1/chat\"; }",
	      "{ " HIGH "quiet = ( { from = \"16:00\"; until = \"17:00\"; } ); }");
	list(25, "open", "high");
	live(40 * MINUTE);
	expect_story("quiet-over", "al-7");
	expect_json("al-7", "\"rest\":{\"count\":5,");
}

static void a_group_goes_out_as_one(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "group = { by = [ \"type\" ]; wait = \"30s\"; }; }");
	list(4, "open", "high");
	live(10 * MINUTE);
	expect_story("group", "al-2");
	expect_json("al-2",
		    "\"batch\":{\"id\":1,\"why\":\"group\",\"storm\":null,\"count\":4,");
}

static void a_storm_holds_the_rest(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "storm = { over = 2; within = \"10m\"; }; }");
	list(6, "open", "high");
	live(5 * MINUTE);
	expect_story("storm-began", "al-3");
	expect_story("storm-held", "al-4");
	live(20 * MINUTE);
	expect_story("storm-told", "al-4");
}

static void a_delay_drops_both(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "delay = \"5m\"; }");
	list(1, "open", "high");
	live(2 * MINUTE);
	list(1, "resolved", "high");
	live(20 * MINUTE);
	expect_story("delay", "al-1");
}

static void silence(const char *matchers, const char *comment)
{
	char path[128];
	struct err err;
	struct silence one = { .matchers = matchers,
			       .since = fake.now,
			       .until = fake.now + 2 * HOUR,
			       .comment = comment,
			       .who = "mia" };
	int64_t id;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_COMMAND, &err);

	assert_non_null(store);
	assert_true(store_silence_add(store, &one, &id, &err));
	store_close(&store);
	live(5 * SECOND);
}

static void a_silence_holds_it(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "}");
	silence("[\"severity = low\"]", "not about this one");
	silence("[\"type = anomaly_detected\",\"severity < critical\"]", "load test");
	list(1, "open", "high");
	live(45 * MINUTE);
	expect_story("silence", "al-1");
	expect_json("al-1", "\"silences\":[{\"id\":2,\"matchers\":[\"type = anomaly_detected\","
			    "\"severity < critical\"],\"until\":\"2025-11-24T18:30:05Z\","
			    "\"comment\":\"load test\",\"who\":\"mia\"}]");
	list(1, "resolved", "high");
	live(15 * MINUTE);
	expect_story("silenced", "al-1");
}

static void an_escalation(void **state)
{
	(void)state;
	start(SINK("chat") ", " SINK("phone") ", " SINK("boss"),
	      "{ " HIGH "escalate = ( { after = \"15m\"; to = [ \"phone\" ]; }, "
	      "{ after = \"1h\"; to = [ \"boss\" ]; } ); }");
	list(1, "open", "high");
	live(30 * MINUTE);
	expect_story("escalation-waiting", "al-1");
	list(1, "acknowledged", "high");
	live(60 * MINUTE);
	expect_story("escalation-acknowledged", "al-1");
}

static void a_repeat(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "repeat = \"4h\"; }");
	list(1, "open", "high");
	live(6 * HOUR);
	expect_story("repeat", "al-1");
}

static void nobody_wanted_it(void **state)
{
	(void)state;
	start(SINK("chat"), "{ " HIGH "}");
	list(1, "open", "low");
	live(5 * MINUTE);
	expect_story("unrouted", "al-1");
}

/* Three alerts: of somebody, of nobody, and of one who is not to get mail. */
static void list_owned(void)
{
	static const char *const owners[] = { "\"Jane Doe <jane@acme.com>\"", "null",
					      "\"eve@example.net\"" };
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 0; i < ARRAY_LEN(owners); i++)
		len += (size_t)snprintf(
			world.page + len, sizeof(world.page) - len,
			"%s{\"id\":\"al-%zu\",\"org_id\":\"acme\",\"type\":\"anomaly_detected\","
			"\"status\":\"open\",\"severity\":\"high\",\"title\":\"Token use is eight "
			"times what it was\",\"metadata\":{\"owner\":%s,\"team\":\"risk\"},"
			"\"created_at\":\"2025-11-24T16:30:00Z\"}",
			i > 0 ? "," : "", i + 1, owners[i]);
	snprintf(world.page + len, sizeof(world.page) - len,
		 "],\"next_cursor\":null,\"has_more\":false}");
}

/* What one sink hears and sees, and whom its mails are for. */
static void for_one_sink(void **state)
{
	(void)state;
	start("{ name = \"mail\"; type = \"email\"; server = \"smtp://127.0.0.1:1\"; "
	      "starttls = \"off\"; from = \"tocsin@acme.com\"; to = [ \"{{metadata.owner}}\" ]; "
	      "to_domains = [ \"acme.com\" ]; }, "
	      "{ name = \"mails\"; type = \"email\"; server = \"smtp://127.0.0.1:1\"; "
	      "starttls = \"off\"; from = \"tocsin@acme.com\"; to = [ \"{{metadata.owner}}\" ]; "
	      "cc = [ \"secops@acme.org\" ]; to_domains = [ \"acme.com\" ]; }, "
	      "{ name = \"blind\"; type = \"webhook\"; url = \"http://127.0.0.1:1/blind\"; "
	      "redact = [ \"title\", \"severity\", \"metadata.*\" ]; }",
	      "{ name = \"risk\"; match = [ \"metadata.team = risk\", \"type =~ anomaly.*\" ]; "
	      "to = [ \"mail\", \"mails\", \"blind\" ]; }");
	list_owned();
	live(10 * MINUTE);
	expect_story_with("for-somebody", "al-1", "--for=mail");
	expect_story_with("for-nobody", "al-2", "--for=mail");
	expect_story_with("for-one-left", "al-3", "--for=mails");
	expect_story_with("for-blind", "al-1", "--for=blind");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_plain_delivery),        STORY(a_retry),
		STORY(a_dead_letter),           STORY(a_fallback),
		STORY(quiet_hours_hold_it),     STORY(quiet_hours_are_over),
		STORY(a_group_goes_out_as_one), STORY(a_storm_holds_the_rest),
		STORY(a_delay_drops_both),      STORY(a_silence_holds_it),
		STORY(an_escalation),           STORY(a_repeat),
		STORY(nobody_wanted_it),        STORY(for_one_sink),
	};

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
