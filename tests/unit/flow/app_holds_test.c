/*
 * What routes hold, by chance: groups, digests, storms, delays, repeats, quiet hours, silences,
 * escalations in any mixture, beside kills, reloads, failing receivers and clocks that jump.
 * Then calm, and the promise is asked for: every event of every alert is heard by every sink
 * that has a row for it exactly once, alone or in one digest, or its row tells why not; and who
 * heard an open hears its close. A seed that fails is replayed by HOLDS_SEED=n.
 */
#include "world.h"

#include "base/backoff.h"

enum { ALERTS = 8, STEPS = 120, SEEDS = 3, TOLD_MAX = 20000 };

/* One event as a receiver heard it, alone or in a digest. */
struct told {
	char path[16], id[16], type[16], webhook_id[64];
	int status;
	size_t send; /* which request it came in */
	bool possible_repeat;
};

static size_t send_count;
static struct told tolds[TOLD_MAX];
static size_t told_count;
static struct chance chance;
static const char *status_of[ALERTS], *severity_of[ALERTS];
static int failing_percent;

static bool one_in(int64_t n)
{
	return chance_below(&chance, n) == 0;
}

static int64_t between(int64_t least, int64_t most)
{
	return least + chance_below(&chance, most - least + 1);
}

/* ---- receivers ---- */

static int status_by_chance(void)
{
	static const int failures[] = { 503, 409, 0, 429, 404 };

	if (chance_below(&chance, 100) >= failing_percent)
		return 200;
	return failures[chance_below(&chance, ARRAY_LEN(failures))];
}

static void note(const struct request *r, const char *at, int status)
{
	struct told *t = &tolds[told_count++];
	const char *id = request_get_header(r, "webhook-id");

	assert_true(told_count < TOLD_MAX);
	*t = (struct told){ .status = status, .send = send_count };
	snprintf(t->path, sizeof(t->path), "%s", strrchr(r->url, '/'));
	copy_between(at, "\"type\":\"alert.", '"', t->type, sizeof(t->type));
	copy_between(at, "\"id\":\"", '"', t->id, sizeof(t->id));
	copy_between(r->body.data, "\"key\":\"", '"', t->webhook_id, sizeof(t->webhook_id));
	if (id != NULL)
		snprintf(t->webhook_id, sizeof(t->webhook_id), "%s", id);
	t->possible_repeat = strstr(r->body.data, "\"possible_repeat\":true") != NULL;
}

static void hear(const struct request *r, struct fake_answer *out)
{
	static const char mark[] = "\"type\":\"alert.";
	int status = status_by_chance();

	send_count++;
	for (const char *at = r->body.data; (at = strstr(at, mark)) != NULL; at++)
		if (strncmp(at + sizeof(mark) - 1, "digest", 6) != 0)
			note(r, at, status);
	out->reply.status = status;
	snprintf(out->body, sizeof(out->body), "ok");
	out->delay_ms = 3;
	if (status == 0) {
		out->delay_ms = 30 * SECOND;
		out->reply.kind = REPLY_TIMEOUT;
		out->reply.maybe_sent = true;
	}
}

static void answer_all(const struct request *r, struct fake_answer *out)
{
	if (strstr(r->url, "/v1/") == NULL)
		hear(r, out);
	else
		answer(r, out);
}

/* ---- the API ---- */

static void list_all(void)
{
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 0; i < ALERTS; i++) {
		char id[16], text[300];

		if (status_of[i] == NULL)
			continue;
		snprintf(id, sizeof(id), "a%zu", i + 1);
		alert_text(text, sizeof(text), id, status_of[i], severity_of[i]);
		len += (size_t)snprintf(world.page + len, sizeof(world.page) - len, "%s%s",
					world.page[len - 1] == '[' ? "" : ",", text);
	}
	snprintf(world.page + len, sizeof(world.page) - len, "],\"next_cursor\":null}");
}

static void change_an_alert(void)
{
	static const char *const words[] = { "open", "acknowledged", "resolved", "open" };
	static const char *const severities[] = { "low", "medium", "high", "critical" };
	size_t i = (size_t)chance_below(&chance, ALERTS);

	if (status_of[i] == NULL)
		severity_of[i] = severities[chance_below(&chance, 4)];
	status_of[i] = words[chance_below(&chance, 4)];
	if (one_in(8))
		severity_of[i] = severities[chance_below(&chance, 4)];
	list_all();
	app_poll(world.app);
}

/* ---- the configuration ---- */

/* Takes one at a time, pairs opens and closes. */
static void write_pager(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pager.preset", world.folder);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs("title = \"P\"; base_url = \"https://x.example\"; batch_max = 1; pairs = true;\n"
	      "requests = ( { name = \"tell\"; events = [ \"opened\", \"reopened\", "
	      "\"changed\", \"acknowledged\", \"resolved\" ]; } );\n"
	      "=== tell.json\nPOST {{{base_url}}}/pager\n\n"
	      "{ \"type\":\"alert.{{event}}\", \"id\":\"{{id}}\", \"key\":\"{{delivery_id}}\""
	      "{{#possible_repeat}}, \"possible_repeat\":true{{/possible_repeat}} }\n",
	      out);
	fclose(out);
}

static void add(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

static void add_holds(char *text, size_t size)
{
	int hour = (int)between(0, 23), until = (int)between(0, 23);

	if (one_in(2))
		add(text, size, " group = { %s wait = \"%ds\"; max = %d; };",
		    one_in(2) ? "by = [ \"severity\" ];" : "", (int)between(1, 90),
		    (int)between(2, 5));
	if (one_in(3))
		add(text, size, " storm = { over = %d; within = \"%ds\"; };",
		    (int)between(1, 4), (int)between(5, 120));
	if (one_in(4))
		add(text, size, " delay = \"%ds\";", (int)between(1, 120));
	if (one_in(4))
		add(text, size, " digest = { at = [ \"%02d:00\", \"%02d:30\" ]; };", hour,
		    until);
	if (one_in(4))
		add(text, size, " repeat = \"%dm\";", (int)between(30, 500));
	if (one_in(3))
		add(text, size,
		    " quiet = ( { from = \"%02d:00\"; until = \"%02d:15\"; "
		    "tz = \"Europe/Berlin\"; except = [ \"severity = critical\" ]; } );",
		    hour, until);
	if (one_in(3))
		add(text, size, " escalate = ( { after = \"%dm\"; to = [ \"boss\" ]; } );",
		    (int)between(1, 30));
}

static void configure(void)
{
	char routes[4000] = "";

	world.more = one_in(3) ? "flap = { over = 1; within = \"1h\"; };" : "";

	if (one_in(2)) {
		add(routes, sizeof(routes),
		    "{ name = \"high\"; match = [ \"severity >= high\" ]; to = [ \"pager\", "
		    "\"bus\" ]; continue = %s;",
		    one_in(2) ? "true" : "false");
		add_holds(routes, sizeof(routes));
		add(routes, sizeof(routes), " }, ");
	}
	add(routes, sizeof(routes),
	    "{ name = \"all\"; to = [ \"bus\", \"chat\", \"pager\" ]; "
	    "events = [ \"opened\", \"acknowledged\", \"reopened\", \"resolved\"%s ];",
	    one_in(2) ? ", \"changed\"" : "");
	add_holds(routes, sizeof(routes));
	add(routes, sizeof(routes), " }");
	write_conf(
		"{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus\"; }, "
		"{ name = \"boss\"; type = \"webhook\"; url = \"http://127.0.0.1:1/boss\"; "
		"}, { name = \"chat\"; type = \"webhook\"; url = \"http://127.0.0.1:1/chat\"; "
		"collapse = true; }, { name = \"pager\"; type = \"webhook\"; preset = "
		"\"pager\"; base_url = \"http://127.0.0.1:1\"; rate = \"off\"; collapse = "
		"true; }",
		routes);
}

/* ---- what happens ---- */

static void reload(void)
{
	configure();
	app_reload(world.app);
	run_until(fake.now + chance_below(&chance, 3));
	log_setup(LOG_ERROR, LOG_TEXT); /* the file says info */
}

static void restart(void)
{
	if (one_in(2)) {
		app_stop(world.app);
		run_until(fake.now + MINUTE);
	}
	die_here();
	if (one_in(2))
		configure();
	begin();
}

static void do_something(void)
{
	static const int percents[] = { 0, 5, 50, 95, 100 };

	switch (chance_below(&chance, 14)) {
	case 0: restart(); return;
	case 1: failing_percent = percents[chance_below(&chance, 5)]; return;
	case 2: reload(); return;
	case 3:
		if (one_in(4))
			fake.skew = chance_below(&chance, 2 * HOUR) - HOUR;
		return;
	case 4: run_until(fake.now + chance_below(&chance, 6 * HOUR)); return;
	default: change_an_alert(); return;
	}
}

static void calm_down(void)
{
	failing_percent = 0;
	die_here();
	begin();
	run_until(fake.now + 2 * HOUR);
	for (size_t i = 0; i < ALERTS; i++)
		status_of[i] = status_of[i] != NULL ? "resolved" : NULL;
	list_all();
	run_until(fake.now + 72 * HOUR);
}

/* ---- the promise ---- */

/* In an earlier request; one digest may tell of an alert what it told before a reopening. */
static bool is_repeat(size_t n, bool perhaps)
{
	for (size_t i = 0; i < n; i++)
		if (tolds[i].send != tolds[n].send &&
		    (tolds[i].status == 200 || (perhaps && tolds[i].status == 0)) &&
		    strcmp(tolds[i].path, tolds[n].path) == 0 &&
		    strcmp(tolds[i].id, tolds[n].id) == 0 &&
		    strcmp(tolds[i].type, tolds[n].type) == 0 &&
		    strcmp(tolds[i].webhook_id, tolds[n].webhook_id) == 0)
			return true;
	return false;
}

static void heard(const char *sink, const char *id, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < told_count; i++)
		if (tolds[i].status == 200 && strcmp(tolds[i].path + 1, sink) == 0 &&
		    strcmp(tolds[i].id, id) == 0 && !is_repeat(i, false))
			snprintf(out + strlen(out), size - strlen(out), "%s ", tolds[i].type);
}

/* "reopened" holds "opened", so whole words count. */
static int64_t count_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	int64_t times = 0;

	for (const char *at = text; *at != '\0'; at += strcspn(at, " ") + 1)
		times += strncmp(at, word, len) == 0 && at[len] == ' ';
	return times;
}

static void expect_what_is_stored(const char *sink, const char *id)
{
	static const char *const kinds[] = { "opened", "acknowledged", "changed", "reopened",
					     "resolved" };
	char sql[400], got[4000];

	heard(sink, id, got, sizeof(got));
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		int64_t times = count_word(got, kinds[k]);

		snprintf(sql, sizeof(sql),
			 "SELECT count(*) AS n FROM v_deliveries WHERE sink = '%s' AND "
			 "alert_id = '%s' AND event = '%s' AND state = 'done'",
			 sink, id, kinds[k]);
		if (times != count_of(sql))
			fail_msg("%s heard of %s: %s; %s: %d, stored %d", sink, id, got,
				 kinds[k], (int)times, (int)count_of(sql));
	}
}

static void expect_closed(const char *sink, const char *id)
{
	char got[4000];

	heard(sink, id, got, sizeof(got));
	size_t len = strlen(got);

	if (len > 0 && strcmp(got + len - strlen("resolved "), "resolved ") != 0)
		fail_msg("%s heard of %s: %s", sink, id, got);
}

static void expect_reasons(void)
{
	assert_int_equal(
		count_of("SELECT count(*) AS n FROM v_deliveries WHERE state = 'dropped' AND "
			 "reason NOT IN ('superseded', 'silenced', 'resolved within delay', "
			 "'no longer open', 'resolved before it was seen open', "
			 "'event not chosen', 'flapping')"),
		0);
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_deliveries WHERE state NOT IN "
				  "('done', 'dropped') OR after IS NOT NULL"),
			 0);
	/* The daemon has found nothing wrong with itself. */
	assert_int_equal(count_of("SELECT count(*) AS n FROM v_alerts WHERE source = 'tocsin' "
				  "AND body LIKE '%audit%'"),
			 0);
}

static void expect_the_promise(void)
{
	static const char *const sinks[] = { "bus", "chat", "pager", "boss" };

	expect_reasons();
	for (size_t i = 0; i < told_count; i++)
		if (is_repeat(i, true))
			assert_true(tolds[i].possible_repeat);
	for (size_t i = 1; i <= ALERTS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "a%zu", i);
		for (size_t k = 0; k < ARRAY_LEN(sinks); k++) {
			expect_what_is_stored(sinks[k], id);
			expect_closed(sinks[k], id);
		}
	}
}

static void live(uint64_t seed)
{
	print_message("seed %llu\n", (unsigned long long)seed);
	chance_seed(&chance, seed);
	told_count = send_count = 0;
	failing_percent = 20;
	fake.answer = answer_all;
	world.poll_every = "1m";
	memset(status_of, 0, sizeof(status_of));
	list_all();
	write_pager();
	configure();
	begin();
	for (size_t i = 0; i < STEPS; i++) {
		run_until(fake.now +
			  chance_below(&chance, one_in(6) ? 20 * MINUTE : 20 * SECOND));
		do_something();
	}
	calm_down();
	expect_the_promise();
}

static void whatever_is_held_the_promise_holds(void **state)
{
	const char *given = getenv("HOLDS_SEED");
	uint64_t from = given != NULL ? strtoull(given, NULL, 10) : 1;
	uint64_t count = given != NULL ? 1 : SEEDS;

	for (uint64_t seed = from; seed < from + count; seed++) {
		live(seed);
		tear_down(state);
		set_up(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { STORY(whatever_is_held_the_promise_holds) };

	log_setup(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
