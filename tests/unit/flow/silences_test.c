/* silences.h: which silence holds an alert until when, and how the table in the store is followed. */
#include "flow/silences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/route.h"
#include "store/inner.h"

enum { NOW = 1000000 };

struct desk {
	char dir[64], path[96];
	struct store *store;
	struct silences *silences;
	int64_t now;
	bool changed;
	int64_t id; /* of the last answer */
	struct err err;
};

static int set_up(void **state)
{
	struct desk *d = mem_new(sizeof(*d));

	snprintf(d->dir, sizeof(d->dir), "/tmp/tocsin-silences-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	snprintf(d->path, sizeof(d->path), "%s/t.db", d->dir);
	d->store = store_open(d->path, STORE_DAEMON, &d->err);
	assert_non_null(d->store);
	d->silences = silences_new();
	d->now = NOW;
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *d = *state;
	char command[96];

	silences_free(&d->silences);
	store_close(&d->store);
	snprintf(command, sizeof(command), "rm -rf %s", d->dir);
	assert_int_equal(system(command), 0);
	mem_free(&d);
	return 0;
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int64_t add(struct desk *d, const char *matchers, int64_t for_ms)
{
	const struct silence silence = { .matchers = matchers,
					 .since = d->now,
					 .until = d->now + for_ms,
					 .comment = "",
					 .who = "" };
	int64_t id;

	if (!store_silence_add(d->store, &silence, &id, &d->err))
		fail_msg("%s", d->err.text);
	return id;
}

static void end(struct desk *d, int64_t id)
{
	if (!store_silence_end(d->store, id, d->now, &d->err))
		fail_msg("%s", d->err.text);
}

static void look(struct desk *d)
{
	if (!silences_look(d->silences, d->store, d->now, &d->changed, &d->err))
		fail_msg("%s", d->err.text);
}

/* Until when an alert with these fields is held, counted from NOW; 0: it is not. */
static int64_t held(struct desk *d, const char *fields)
{
	char bytes[512];
	struct alert a;
	int len = snprintf(bytes, sizeof(bytes), "{\"id\":\"a1\",\"status\":\"open\"%s%s}",
			   fields[0] != '\0' ? "," : "", fields);

	if (!alert_read(&a, bytes, (size_t)len, &d->err))
		fail_msg("%s", d->err.text);
	const struct facts facts = { .alert = &a, .event = EVENT_OPENED, .source = "acme" };
	int64_t until = silences_until(d->silences, &facts, d->now, &d->id);

	alert_release(&a);
	return until == 0 ? 0 : until - NOW;
}

/* ---- which one ---- */

static void a_silence_is_in_force_from_its_beginning_to_its_end(void **state)
{
	struct desk *d = *state;

	d->now = NOW + 100;
	int64_t id = add(d, "[\"severity = low\"]", 400);

	look(d);
	d->now = NOW + 99;
	assert_int_equal(held(d, "\"severity\":\"low\""), 0);
	d->now = NOW + 100;
	assert_int_equal(held(d, "\"severity\":\"low\""), 500);
	assert_int_equal(d->id, id);
	assert_int_equal(held(d, "\"severity\":\"high\""), 0);
	assert_int_equal(d->id, 0);
	d->now = NOW + 499;
	assert_int_equal(held(d, "\"severity\":\"low\""), 500);
	d->now = NOW + 500;
	assert_int_equal(held(d, "\"severity\":\"low\""), 0);
}

static void of_those_that_match_the_last_to_end_counts(void **state)
{
	struct desk *d = *state;

	add(d, "[\"user_id = u1\"]", 300);
	int64_t last = add(d, "[\"severity = low\"]", 700);

	add(d, "[]", 500);
	add(d, "[\"type = x\",\"user_id = u1\"]", 700);
	look(d);
	assert_int_equal(silences_count(d->silences), 4);
	assert_int_equal(held(d, "\"user_id\":\"u1\",\"severity\":\"low\",\"type\":\"x\""),
			 700);
	assert_int_equal(d->id, last);
	assert_int_equal(held(d, "\"user_id\":\"u1\",\"severity\":\"low\""), 700);
	assert_int_equal(held(d, "\"user_id\":\"u1\",\"severity\":\"high\""), 500);
	d->now = NOW + 600;
	assert_int_equal(held(d, "\"user_id\":\"u1\",\"severity\":\"high\""), 0);
}

/* What is filed by a word is found by whatever equals it. */
static void a_word_is_found_as_a_matcher_finds_it(void **state)
{
	static const struct {
		const char *matcher, *fields;
		bool holds;
	} rows[] = {
		{ "metadata.n = 5", "\"metadata\":{\"n\":5}", true },
		{ "metadata.n = 5", "\"metadata\":{\"n\":5.0}", true },
		{ "metadata.n = 5", "\"metadata\":{\"n\":\"5\"}", true },
		{ "metadata.n = 5", "\"metadata\":{\"n\":\"5.0\"}", false },
		{ "metadata.n = 5", "\"metadata\":{\"n\":50}", false },
		{ "region = ''", "", true },
		{ "region = ''", "\"region\":null", true },
		{ "region = ''", "\"region\":\"eu\"", false },
		{ "region = eu", "\"region\":\"eu\\u0000\"", false },
		{ "region = eu", "\"region\":\"e\"", false },
		{ "region = eu", "\"region\":[\"eu\"]", false },
		{ "region = [\\\"eu\\\"]", "\"region\":[\"eu\"]", true },
		{ "first = false", "", true },
		{ "first = true", "", false },
		{ "source = acme", "", true },
		{ "severity = high", "\"severity\":\"unheard of\"", true },
		{ "region = high", "\"region\":\"HIGH\"", false },
		{ "since = 2026-11-24T03:45:56Z", "\"since\":\"2026-11-24T04:45:56+01:00\"",
		  true },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *matchers = mem_printf("[\"%s\"]", rows[i].matcher);
		int64_t id = add(d, matchers, 300);

		look(d);
		if ((held(d, rows[i].fields) != 0) != rows[i].holds)
			fail_msg("%s and {%s}", matchers, rows[i].fields);
		end(d, id);
		mem_free(&matchers);
	}
}

/* ---- many, against the simplest way to ask ---- */

enum { MANY = 300, ASKED = 200 };

static const char *const pool[] = {
	"id = a1",        "user_id = u1",   "user_id = u2",     "user_id != u1",
	"type = x",       "type =~ x|y",    "severity >= high", "severity = low",
	"metadata.n = 5", "metadata.n > 4", "metadata.m = z",   "metadata.m = ''",
	"region !~ eu.*", "title = 'a b'",  "status = open",    "first = false",
};

static const char *const words[] = {
	"u1", "u2", "x", "y", "z", "low", "high", "eu", "", "a b"
};

static unsigned dice(unsigned *seed, size_t sides)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 8) % (unsigned)sides;
}

struct plain_silence {
	const char *matchers[3];
	size_t count;
	int64_t since, until;
};

static bool plain_matches(const struct plain_silence *s, const struct facts *facts)
{
	for (size_t i = 0; i < s->count; i++) {
		struct matcher *m = matcher_new(s->matchers[i], NULL);
		bool holds = matcher_matches(m, facts);

		matcher_free(&m);
		if (!holds)
			return false;
	}
	return true;
}

static int64_t plain_until(const struct plain_silence *list, const struct facts *facts,
			   int64_t now)
{
	int64_t latest = 0;

	for (size_t i = 0; i < MANY; i++)
		if (list[i].since <= now && now < list[i].until && list[i].until > latest &&
		    plain_matches(&list[i], facts))
			latest = list[i].until;
	return latest;
}

static void add_many(struct desk *d, struct plain_silence *list, unsigned *seed)
{
	for (size_t i = 0; i < MANY; i++) {
		struct plain_silence *s = &list[i];
		char matchers[256] = "[";

		s->count = 1 + dice(seed, 3);
		for (size_t k = 0; k < s->count; k++) {
			size_t len = strlen(matchers);

			s->matchers[k] = pool[dice(seed, ARRAY_LEN(pool))];
			snprintf(matchers + len, sizeof(matchers) - len, "%s\"%s\"",
				 k > 0 ? "," : "", s->matchers[k]);
		}
		snprintf(matchers + strlen(matchers), 2, "]");
		d->now = NOW + (int64_t)dice(seed, 400);
		s->since = d->now;
		s->until = d->now + 1 + (int64_t)dice(seed, 600);
		add(d, matchers, s->until - d->now);
	}
}

static void the_answer_is_that_of_asking_each(void **state)
{
	static struct plain_silence list[MANY];
	struct desk *d = *state;
	unsigned seed = 7;
	size_t silenced = 0;

	add_many(d, list, &seed);
	d->now = NOW;
	look(d);
	for (size_t i = 0; i < ASKED; i++) {
#define WORD words[dice(&seed, ARRAY_LEN(words))]
		char *bytes = mem_printf("{\"id\":\"a%u\",\"user_id\":\"%s\",\"type\":\"%s\","
					 "\"severity\":\"%s\",\"title\":\"%s\","
					 "\"metadata\":{\"n\":%u,\"m\":\"%s\"},"
					 "\"status\":\"open\",\"region\":\"%s\"}",
					 dice(&seed, 3), WORD, WORD, WORD, WORD, dice(&seed, 9),
					 WORD, WORD);
#undef WORD
		struct alert a;

		assert_true(alert_read(&a, bytes, strlen(bytes), &d->err));
		const struct facts facts = { .alert = &a, .event = EVENT_OPENED };

		d->now = NOW + (int64_t)dice(&seed, 1000);
		int64_t until = silences_until(d->silences, &facts, d->now, &d->id);

		if (until != plain_until(list, &facts, d->now))
			fail_msg("%s at %d: %d", bytes, (int)d->now, (int)until);
		silenced += until != 0;
		alert_release(&a);
		mem_free(&bytes);
	}
	assert_in_range(silenced, ASKED / 4, ASKED - ASKED / 20);
}

/* ---- following the table ---- */

static void the_table_is_taken_when_it_changes_and_not_else(void **state)
{
	struct desk *d = *state;

	look(d);
	assert_true(d->changed); /* at the start: what ended before is news */
	look(d);
	assert_false(d->changed);
	int64_t id = add(d, "[\"severity = low\"]", 400);

	assert_int_equal(held(d, "\"severity\":\"low\""), 0);
	look(d);
	assert_true(d->changed);
	assert_int_equal(held(d, "\"severity\":\"low\""), 400);
	d->now += 10;
	look(d);
	assert_false(d->changed);
	end(d, id);
	assert_int_equal(held(d, "\"severity\":\"low\""), 400);
	look(d);
	assert_true(d->changed);
	assert_int_equal(silences_count(d->silences), 0);
	assert_int_equal(held(d, "\"severity\":\"low\""), 0);
}

static void those_that_go_on_share_what_others_leave(void **state)
{
	struct desk *d = *state;
	int64_t first = add(d, "[\"user_id = u1\",\"severity = low\"]", 400);

	add(d, "[\"severity = low\"]", 300);
	look(d);
	end(d, first);
	add(d, "[\"user_id = u1\"]", 200);
	look(d);
	assert_int_equal(held(d, "\"user_id\":\"u1\",\"severity\":\"low\""), 300);
	assert_int_equal(held(d, "\"user_id\":\"u1\",\"severity\":\"high\""), 200);
	assert_int_equal(held(d, "\"user_id\":\"u2\",\"severity\":\"low\""), 300);
}

static void a_clock_that_is_set_back_brings_back_what_was_over(void **state)
{
	struct desk *d = *state;

	add(d, "[]", 400);
	d->now = NOW + 5000;
	look(d);
	assert_int_equal(silences_count(d->silences), 0);
	d->now = NOW + 100;
	look(d);
	assert_true(d->changed);
	assert_int_equal(held(d, ""), 400);
}

static void a_table_that_cannot_be_read_changes_nothing(void **state)
{
	struct desk *d = *state;

	add(d, "[\"severity = low\"]", 400);
	look(d);
	db_script(d->store->db, "ALTER TABLE silences RENAME TO gone");
	assert_false(silences_look(d->silences, d->store, d->now, &d->changed, &d->err));
	assert_false(d->changed);
	assert_int_equal(held(d, "\"severity\":\"low\""), 400);
	db_clear(d->store->db);
	db_script(d->store->db, "ALTER TABLE gone RENAME TO silences");
	look(d);
}

/* ---- what can't be read ---- */

/* How often the text is said on stderr while f() runs. */
static size_t said(struct desk *d, void (*f)(struct desk *), const char *text)
{
	char log[4096] = "", name[96];
	size_t count = 0;
	int saved = dup(STDERR_FILENO);

	snprintf(name, sizeof(name), "%s/log", d->dir);
	fflush(stderr);
	assert_non_null(freopen(name, "w", stderr));
	f(d);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	FILE *in = fopen(name, "r");

	assert_non_null(in);
	log[fread(log, 1, sizeof(log) - 1, in)] = '\0';
	fclose(in);
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

static void look_thrice(struct desk *d)
{
	look(d);
	add(d, "[\"type = x\"]", 100);
	look(d);
	d->now -= 1;
	look(d);
	d->now += 1;
}

static void one_that_cannot_be_read_is_said_once_and_holds_nothing(void **state)
{
	static const char *const broken[] = {
		"[\"severity < \"]", "[5]", "{\"a\":1}", "[\"a\"", "", "[\"title =~ (\"]"
	};
	struct desk *d = *state;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		int64_t id = add(d, broken[i], 400);
		char line[80];

		snprintf(line, sizeof(line),
			 "level=error msg=silence-failed silence=%d reason=", (int)id);
		assert_int_equal(said(d, look_thrice, line), 1);
		assert_int_equal(held(d, "\"severity\":\"low\""), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_silence_is_in_force_from_its_beginning_to_its_end),
		STORY(of_those_that_match_the_last_to_end_counts),
		STORY(a_word_is_found_as_a_matcher_finds_it),
		STORY(the_answer_is_that_of_asking_each),
		STORY(the_table_is_taken_when_it_changes_and_not_else),
		STORY(those_that_go_on_share_what_others_leave),
		STORY(a_clock_that_is_set_back_brings_back_what_was_over),
		STORY(a_table_that_cannot_be_read_changes_nothing),
		STORY(one_that_cannot_be_read_is_said_once_and_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
