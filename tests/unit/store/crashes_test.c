/* What the program crashed on is counted once a crash, and given up at the second (invariant 2). */
#include "kit.h"

static const struct store_crash *at_row(struct store_crash *c, int64_t id, int64_t at)
{
	*c = (struct store_crash){ .at = at,
				   .delivery = id,
				   .source = "",
				   .alert = "",
				   .reason = "crashed",
				   .given_up = "crashed twice" };
	return c;
}

static const struct store_crash *at_alert(struct store_crash *c, const char *alert,
					  int64_t hash, int64_t at)
{
	*c = (struct store_crash){ .at = at,
				   .source = "acme",
				   .alert = alert,
				   .hash = hash,
				   .reason = "crashed",
				   .given_up = "crashed twice" };
	return c;
}

static enum store_crashed count(struct kit *k, const struct store_crash *c, int64_t times)
{
	int64_t counted = -1;
	enum store_crashed what = store_crashed(k->s, c, k->now, &counted, &k->err);

	assert_int_equal(counted, times);
	return what;
}

/* A row that was on its way when the program crashed, and is due again. */
static int64_t crashed_row(struct kit *k)
{
	turn(k);
	int64_t id = k->claims[0].id;

	assert_true(store_recover(k->s, k->now, &k->err) > 0);
	return id;
}

static void a_row_is_tried_again_after_one_crash_and_a_dead_letter_after_two(void **state)
{
	struct kit *k = *state;
	struct store_crash c;

	kit_only(k, 1);
	see(k, "a", "open");
	int64_t id = crashed_row(k);

	see(k, "a", "resolved");
	assert_int_equal(count(k, at_row(&c, id, 7), 1), CRASHED_COUNTED);
	assert_string_equal(rows(k, "hook"), "opened:due(crashed) resolved:held(behind)");
	turn(k);
	assert_int_equal(k->claims[0].id, id);
	assert_true(k->claims[0].possible_repeat);
	assert_true(store_recover(k->s, k->now, &k->err) > 0);
	assert_int_equal(count(k, at_row(&c, id, 8), 2), CRASHED_GIVEN_UP);
	assert_string_equal(rows(k, "hook"), "opened:dead(crashed twice) resolved:due");
	assert_string_equal(ask(k, "SELECT verdict || ':' || answer AS x FROM v_attempts"),
			    "later:crashed later:crashed");
	assert_string_equal(
		ask(k, "SELECT delivery || '*' || count AS x FROM v_crashes"),
		ask(k, "SELECT id || '*2' AS x FROM v_deliveries WHERE state = 'dead'"));
}

static void the_same_note_counts_once(void **state)
{
	struct kit *k = *state;
	struct store_crash c;

	kit_only(k, 1);
	see(k, "a", "open");
	int64_t id = crashed_row(k);

	assert_int_equal(count(k, at_row(&c, id, 7), 1), CRASHED_COUNTED);
	assert_int_equal(count(k, at_row(&c, id, 7), 0), CRASHED_STALE);
	assert_int_equal(count(k, at_alert(&c, "a", 0, 7), 1), CRASHED_COUNTED);
	assert_int_equal(count(k, at_alert(&c, "a", 0, 7), 0), CRASHED_STALE);
	assert_string_equal(rows(k, "hook"), "opened:due(crashed)");
}

static void what_does_not_wait_is_stale(void **state)
{
	struct kit *k = *state;
	struct store_crash c;

	kit_only(k, 1);
	see(k, "a", "open");
	assert_int_equal(count(k, at_row(&c, 4711, 7), 0), CRASHED_STALE);
	turn(k);
	int64_t id = k->claims[0].id;

	settle_all(k, DELIVERY_DONE);
	assert_int_equal(count(k, at_row(&c, id, 7), 0), CRASHED_STALE);
	assert_string_equal(rows(k, "hook"), "opened:done");
	at_alert(&c, "a", 0, 7);
	c.source = "gone";
	assert_int_equal(count(k, &c, 0), CRASHED_STALE);
	assert_int_equal(count(k, at_alert(&c, "", 0, 7), 0), CRASHED_STALE);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_crashes"), "0");
}

struct given_up {
	char text[128];
};

static void take(void *arg, const char *alert, int64_t hash, const char *reason)
{
	struct given_up *all = arg;
	size_t len = strlen(all->text);

	snprintf(all->text + len, sizeof(all->text) - len, "[%s %d %s]", alert, (int)hash,
		 reason);
}

static void alerts_are_given_up_by_id_or_bytes_each_of_its_source(void **state)
{
	struct kit *k = *state;
	struct store_crash c;
	struct given_up all = { "" };
	int other;

	assert_true(store_source_number(k->s, "other", &other, &k->err));
	assert_int_equal(count(k, at_alert(&c, "a", 0, 7), 1), CRASHED_COUNTED);
	assert_int_equal(count(k, at_alert(&c, "", 99, 8), 1), CRASHED_COUNTED);
	assert_true(store_crashed_alerts(k->s, k->source, take, &all, &k->err));
	assert_string_equal(all.text, "");
	assert_int_equal(count(k, at_alert(&c, "a", 0, 9), 2), CRASHED_GIVEN_UP);
	assert_int_equal(count(k, at_alert(&c, "", 99, 10), 2), CRASHED_GIVEN_UP);
	assert_int_equal(count(k, at_alert(&c, "b", 0, 11), 1), CRASHED_COUNTED);
	assert_true(store_crashed_alerts(k->s, other, take, &all, &k->err));
	assert_string_equal(all.text, "");
	assert_true(store_crashed_alerts(k->s, k->source, take, &all, &k->err));
	assert_string_equal(all.text, "[ 99 crashed twice][a 0 crashed twice]");
}

static void another_version_of_the_program_counts_anew(void **state)
{
	struct kit *k = *state;
	struct store_crash c;
	struct given_up all = { "" };

	assert_int_equal(count(k, at_alert(&c, "a", 0, 7), 1), CRASHED_COUNTED);
	assert_int_equal(count(k, at_alert(&c, "a", 0, 8), 2), CRASHED_GIVEN_UP);
	db_script(k->s->db, "UPDATE crashes SET version = 'older'");
	assert_true(store_crashed_alerts(k->s, k->source, take, &all, &k->err));
	assert_string_equal(all.text, "");
	assert_int_equal(count(k, at_alert(&c, "a", 0, 9), 1), CRASHED_COUNTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_row_is_tried_again_after_one_crash_and_a_dead_letter_after_two),
		STORY(the_same_note_counts_once),
		STORY(what_does_not_wait_is_stale),
		STORY(alerts_are_given_up_by_id_or_bytes_each_of_its_source),
		STORY(another_version_of_the_program_counts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
