/* silences.h: what is added, ended and read, and how one sees that something changed. */
#include "kit.h"

#include "store/silences.h"

static int64_t add(struct kit *k, const char *matchers, int64_t for_ms)
{
	const struct silence silence = { .matchers = matchers,
					 .since = k->now,
					 .until = k->now + for_ms,
					 .comment = "a \"reason\"",
					 .who = "mia" };
	int64_t id = 0;

	if (!store_silence_add(k->s, &silence, &id, &k->err))
		fail_msg("%s", k->err.text);
	return id;
}

static void end(struct kit *k, int64_t id)
{
	if (!store_silence_end(k->s, id, k->now, &k->err))
		fail_msg("%s", k->err.text);
}

static void note(void *arg, const struct silence *s)
{
	struct kit *k = arg;
	size_t len = strlen(k->text);

	snprintf(k->text + len, sizeof(k->text) - len, "%s%d:%d-%d%s", len != 0 ? " " : "",
		 (int)s->id, (int)s->since, (int)s->until, s->matchers);
}

/* "1:1000000-1000500[…] …" */
static const char *those_in_force(struct kit *k)
{
	k->text[0] = '\0';
	if (!store_silences_each(k->s, k->now, note, k, &k->err))
		fail_msg("%s", k->err.text);
	return k->text;
}

static void they_are_told_by_id_until_they_are_over(void **state)
{
	struct kit *k = *state;

	assert_string_equal(those_in_force(k), "");
	assert_int_equal(add(k, "[\"severity = low\",\"user_id = u1\"]", 500), 1);
	assert_int_equal(add(k, "[]", 200), 2);
	assert_string_equal(those_in_force(k),
			    "1:1000000-1000500[\"severity = low\",\"user_id = u1\"] "
			    "2:1000000-1000200[]");
	k->now += 200;
	assert_string_equal(those_in_force(k),
			    "1:1000000-1000500[\"severity = low\",\"user_id = u1\"]");
	assert_string_equal(ask(k, "SELECT id||'|'||matchers||'|'||since||'|'||until||'|'||"
				   "comment||'|'||who||'|'||held||'|'||dropped AS x "
				   "FROM v_silences WHERE id = 2"),
			    "2|[]|1000000|1000200|a \"reason\"|mia|0|0");
}

static void one_that_is_ended_is_over_from_now_on(void **state)
{
	struct kit *k = *state;
	int64_t id = add(k, "[]", 500);

	k->now += 100;
	end(k, id);
	assert_string_equal(those_in_force(k), "");
	assert_string_equal(ask(k, "SELECT until AS x FROM v_silences"), "1000100");
}

static void to_end_what_is_over_or_unknown_is_said(void **state)
{
	struct kit *k = *state;
	int64_t id = add(k, "[]", 500);

	assert_false(store_silence_end(k->s, 7, k->now, &k->err));
	assert_string_equal(k->err.text, "the store knows no silence 7");
	end(k, id);
	k->now += 50;
	assert_false(store_silence_end(k->s, id, k->now, &k->err));
	assert_string_equal(k->err.text, "silence 1 is over already");
	/* … and its end stays as it was. */
	assert_string_equal(ask(k, "SELECT until AS x FROM v_silences"), "1000000");
}

static void an_id_is_never_used_again(void **state)
{
	struct kit *k = *state;

	add(k, "[]", 500);
	assert_int_equal(add(k, "[]", 500), 2);
	db_script(k->s->db, "DELETE FROM silences WHERE id = 2");
	assert_int_equal(add(k, "[]", 500), 3);
}

static void more_than_can_be_asked_are_refused(void **state)
{
	const struct silence silence = {
		.matchers = "[]", .since = 1000000, .until = 1000500, .comment = "", .who = ""
	};
	struct kit *k = *state;
	int64_t id = add(k, "[]", 500);

	db_script(k->s->db, "WITH n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n"
			    " WHERE i < 10000) INSERT INTO silences (matchers, since, until,"
			    " comment, who) SELECT '[]', 1000000, 1000500, '', '' FROM n");
	assert_false(store_silence_add(k->s, &silence, &id, &k->err));
	assert_non_null(strstr(k->err.text, "10000 silences are in force"));
	end(k, 77);
	assert_true(store_silence_add(k->s, &silence, &id, &k->err));
	assert_int_equal(id, 10001);
}

static bool is_news(struct kit *k, struct silences_stamp *last)
{
	struct silences_stamp now;

	assert_true(store_silences_stamp(k->s, &now, &k->err));
	bool is_other = now.last_id != last->last_id || now.until_sum != last->until_sum;

	*last = now;
	return is_other;
}

static void each_change_is_news_and_nothing_else_is(void **state)
{
	struct kit *k = *state;
	struct silences_stamp stamp = { 0 };

	assert_false(is_news(k, &stamp));
	add(k, "[]", 500);
	assert_true(is_news(k, &stamp));
	int64_t other = add(k, "[]", 500);

	assert_true(is_news(k, &stamp));
	see(k, "a", "open");
	db_script(k->s->db, "UPDATE silences SET dropped = dropped + 1");
	assert_false(is_news(k, &stamp));
	k->now += 1;
	end(k, other);
	assert_true(is_news(k, &stamp));
	/* One ends as another of the same length begins. */
	add(k, "[]", 499);
	assert_true(is_news(k, &stamp));
}

static void a_command_writes_beside_the_daemon(void **state)
{
	struct kit *k = *state;
	struct store *daemon = k->s;
	int64_t before = store_version(daemon);

	k->s = store_open(k->path, STORE_COMMAND, &k->err);
	assert_non_null(k->s);
	add(k, "[\"id = a\"]", 500);
	store_close(&k->s);
	k->s = daemon;
	assert_true(store_version(daemon) != before);
	assert_string_equal(those_in_force(k), "1:1000000-1000500[\"id = a\"]");
}

/* What each holds is counted by the rows themselves. */
static void a_silence_tells_how_many_rows_it_holds(void **state)
{
	struct kit *k = *state;
	int64_t id = add(k, "[]", 500), other = add(k, "[]", 900);

	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i].wish = (struct wish){ .reason = HOLD_SILENCE,
						    .until = k->now + 500,
						    .grp = i == 0 ? id : other };
	see(k, "a", "open");
	kit_only(k, 0);
	k->targets[0].wish =
		(struct wish){ .reason = HOLD_SILENCE, .until = k->now + 500, .grp = id };
	see(k, "b", "open");
	assert_string_equal(ask(k, "SELECT id||':'||held AS x FROM v_silences ORDER BY id"),
			    "1:2 2:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(they_are_told_by_id_until_they_are_over),
		STORY(one_that_is_ended_is_over_from_now_on),
		STORY(to_end_what_is_over_or_unknown_is_said),
		STORY(an_id_is_never_used_again),
		STORY(more_than_can_be_asked_are_refused),
		STORY(each_change_is_news_and_nothing_else_is),
		STORY(a_command_writes_beside_the_daemon),
		STORY(a_silence_tells_how_many_rows_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
