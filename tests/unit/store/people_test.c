/*
 * Sinks whose recipients alerts name, told as stories: a digest is for the same people, and what
 * follows on an open is for those who heard it. Here an alert is for the people in its title,
 * "" for nobody; flow's other answers are the kit's.
 */
#include "held.h"

#include "store/people.h"

/* Called within transactions: it looks at the event alone. */
static int64_t people_by_title(void *arg, int sink, const struct opening *o)
{
	struct kit *k = arg;
	struct alert a;
	struct err err;

	assert_int_equal(o->source, k->source);
	assert_int_equal(sink, k->sinks[0].number);
	assert_true(alert_read(&a, o->body, o->body_len, &err));
	int64_t people =
		a.title[0] == '\0' ? STORE_NOBODY : alert_hash(a.title, strlen(a.title));

	alert_release(&a);
	return people != 0 ? people : 7;
}

/* The chat's recipients are named. */
static struct kit *named(void **state)
{
	struct kit *k = *state;

	store_set_namer(k->s, &(struct store_namer){ .people = people_by_title, .arg = k });
	k->sinks[0].names_people = true;
	talents(k, 0, 20, 20, false);
	(void)kit_only(k, 0);
	return k;
}

static void held(struct kit *k, enum hold_reason reason, int64_t until)
{
	wish(k, reason, until);
	(void)kit_only(k, 0);
	k->targets[0].wish = k->wish;
}

/* The title that names whom this claim is for. */
static const char *for_whom(const struct claim *c)
{
	static char title[64];
	struct alert a;
	struct err err;
	const char *body = c->opening.body != NULL ? c->opening.body : c->body;
	size_t len = c->opening.body != NULL ? c->opening.body_len : c->body_len;

	assert_true(alert_read(&a, body, len, &err));
	snprintf(title, sizeof(title), "%s", a.title);
	alert_release(&a);
	return title;
}

static void a_quiet_night_of_two_people_makes_two_digests(void **state)
{
	struct kit *k = named(state);

	held(k, HOLD_QUIET, k->now + HOUR);
	kit_show(k, "al1", "open", "jane");
	kit_show(k, "al2", "open", "joe");
	kit_show(k, "al3", "open", "jane");
	kit_show(k, "al4", "open", "joe");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "quiet : al1 al3 ; quiet : al2 al4 ;");
}

/* What one digest counts without listing is of the same people, too. */
static void what_is_counted_and_not_listed_is_not_mixed(void **state)
{
	struct kit *k = named(state);

	talents(k, 0, 20, 1, false);
	held(k, HOLD_SILENCE, k->now + HOUR);
	kit_show(k, "al1", "open", "jane");
	kit_show(k, "al2", "open", "jane");
	kit_show(k, "al3", "open", "joe");
	kit_show(k, "gone", "open", "joe");
	kit_show(k, "gone", "resolved", "joe");
	kit_show(k, "over", "open", "ann");
	kit_show(k, "over", "resolved", "ann");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests,
			    "silence : al1 {\"count\":1,\"by_severity\":{\"high\":1},"
			    "\"by_type\":{\"\":1}} ; "
			    "silence : al3 {\"count\":1,\"by_severity\":{\"high\":1},"
			    "\"by_type\":{\"\":1}} ;");
}

static void nobody_left_ends_the_row_and_stops_no_other(void **state)
{
	struct kit *k = named(state);

	held(k, HOLD_DIGEST, k->now + HOUR);
	kit_show(k, "al1", "open", "");
	kit_show(k, "al2", "open", "jane");
	kit_show(k, "al3", "open", "");
	kit_show(k, "al4", "open", "jane");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "digest : al2 al4 ;");
	assert_string_equal(ask(k, "SELECT alert_id||':'||state||':'||reason AS x"
				   " FROM v_deliveries WHERE state = 'dropped' ORDER BY id"),
			    "al1:dropped:no recipient al3:dropped:no recipient");
}

static void what_follows_is_for_those_who_heard_the_open(void **state)
{
	struct kit *k = named(state);

	kit_show(k, "al1", "open", "jane");
	turn(k);
	assert_string_equal(for_whom(&k->claims[0]), "jane");
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al1", "acknowledged", "joe");
	turn(k);
	assert_string_equal(for_whom(&k->claims[0]), "jane");
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al1", "resolved", "ann");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
	assert_string_equal(for_whom(&k->claims[0]), "jane");
	settle_all(k, DELIVERY_DONE);
	/* Another episode is another matter. */
	kit_show(k, "al1", "open", "ann");
	turn(k);
	assert_string_equal(claimed(k), "reopened@1");
	assert_string_equal(for_whom(&k->claims[0]), "ann");
}

static void the_first_that_was_for_anybody_counts(void **state)
{
	struct kit *k = named(state);
	struct settle settle;

	k->is_raised = true;
	kit_show(k, "al1", "open", "");
	turn(k);
	settle = kit_outcome(k, &k->claims[0], DELIVERY_DROPPED);
	settle.reason = STORE_NO_RECIPIENT;
	kit_turn(k, &settle, 1, 64);
	kit_show(k, "al1", "open", "jane");
	turn(k);
	assert_string_equal(claimed(k), "opened@1");
	assert_string_equal(for_whom(&k->claims[0]), "jane");
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al1", "resolved", "joe");
	turn(k);
	assert_string_equal(for_whom(&k->claims[0]), "jane");
}

/* An open and its close that wait stay together, for the same people. */
static void a_close_joins_its_open_for_the_same_people(void **state)
{
	struct kit *k = named(state);

	k->sinks[0].collapse = false;
	talents(k, 0, 20, 20, false);
	held(k, HOLD_QUIET, k->now + HOUR);
	kit_show(k, "al1", "open", "jane");
	kit_show(k, "al2", "open", "joe");
	kit_show(k, "al1", "resolved", "joe");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "quiet : al1 al1 resolved ;");
	assert_int_equal(k->claim_count, 2); /* joe's goes alone */
}

/* Who heard an open is owed its close, though the alert has opened again for another. */
static void news_for_others_do_not_take_the_place_of_a_close(void **state)
{
	struct kit *k = named(state);

	kit_show(k, "al1", "open", "jane");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al1", "resolved", "jane");
	kit_show(k, "al1", "open", "joe");
	turn(k);
	assert_string_equal(claimed(k), "resolved@1");
	assert_string_equal(for_whom(&k->claims[0]), "jane");
	settle_all(k, DELIVERY_DONE);
	turn(k);
	assert_string_equal(claimed(k), "reopened@1");
	assert_string_equal(for_whom(&k->claims[0]), "joe");
}

static void for_the_same_people_they_fold_as_ever(void **state)
{
	struct kit *k = named(state);

	kit_show(k, "al1", "open", "jane");
	turn(k);
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al1", "resolved", "jane");
	kit_show(k, "al1", "open", "jane");
	turn(k);
	assert_string_equal(rows(k, "chat"),
			    "opened:done resolved:dropped(superseded) reopened:claimed");
}

/* A digest for one may not take up what waits behind it and is for another. */
static void what_waits_behind_a_digest_joins_it_only_for_its_people(void **state)
{
	struct kit *k = named(state);

	k->sinks[0].collapse = false;
	talents(k, 0, 20, 20, false);
	held(k, HOLD_QUIET, k->now + HOUR);
	kit_show(k, "al1", "open", "jane");
	kit_show(k, "al2", "open", "jane");
	kit_show(k, "al1", "resolved", "jane");
	kit_show(k, "al1", "open", "joe");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "quiet : al1 al2 al1 resolved ;");
	assert_string_equal(
		ask(k, "SELECT state AS x FROM v_deliveries WHERE event = 'reopened'"), "held");
}

static int64_t count(struct kit *k, const char *sql)
{
	int64_t value;
	struct err err;

	assert_true(num_parse_int(ask(k, sql), &value, &err));
	return value;
}

/* However many people there are, no tick takes long. */
static void a_night_of_very_many_people_is_told_in_steps(void **state)
{
	enum { PEOPLE = 300, STEP_MAX = 200 };
	struct kit *k = named(state);
	int64_t told = 0;

	held(k, HOLD_QUIET, k->now + HOUR);
	for (int i = 0; i < PEOPLE * 2; i++) {
		char id[16], who[16];

		snprintf(id, sizeof(id), "al%d", i);
		snprintf(who, sizeof(who), "p%d", i % PEOPLE);
		kit_show(k, id, "open", who);
	}
	k->now += HOUR;
	for (int i = 0; i < 20; i++) {
		tick(k);
		settle_all(k, DELIVERY_DONE);
		int64_t now = count(k, "SELECT count(*) AS x FROM v_batches"
				       " WHERE state <> 'forming'");

		assert_true(now - told <= STEP_MAX);
		told = now;
	}
	assert_int_equal(told, PEOPLE);
	assert_int_equal(count(k, "SELECT count(*) AS x FROM v_batches WHERE count <> 2"), 0);
	assert_int_equal(count(k, "SELECT count(*) AS x FROM v_deliveries"
				  " WHERE state <> 'done'"),
			 0);
}

/* Rows of a storm are counted together, and told to each by what is his. */
static void a_storm_tells_each_by_his_own(void **state)
{
	struct kit *k = named(state);

	k->wish = (struct wish){ .storm = { .key = 55, .over = 1, .within_ms = 60000 } };
	k->targets[0].wish = k->wish;
	kit_show(k, "al1", "open", "jane");
	kit_show(k, "al2", "open", "joe");
	turn(k);
	assert_string_equal(k->digests, "storm began : al2 ;");
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al3", "open", "jane");
	kit_show(k, "al4", "open", "joe");
	k->now += 60000;
	tick(k);
	assert_string_equal(k->digests, "storm going on : al3 ; storm going on : al4 ;");
	settle_all(k, DELIVERY_DONE);
	kit_show(k, "al5", "open", "joe");
	k->now += 60000;
	tick(k);
	assert_string_equal(k->digests, "storm over : al5 ;");
}

/* A sink like any other is never asked. */
static void of_other_sinks_nobody_is_asked(void **state)
{
	struct kit *k = *state;

	store_set_namer(k->s, &(struct store_namer){ .people = people_by_title, .arg = k });
	(void)kit_only(k, 1);
	wish(k, HOLD_QUIET, k->now + HOUR);
	kit_show(k, "al1", "open", "jane");
	kit_show(k, "al2", "open", "joe");
	k->now += HOUR;
	tick(k);
	assert_string_equal(k->digests, "quiet : al1 al2 ;");
	settle_all(k, DELIVERY_DONE);
	wish(k, HOLD_NONE, 0);
	kit_show(k, "al1", "resolved", "joe");
	turn(k);
	assert_null(k->claims[0].opening.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_quiet_night_of_two_people_makes_two_digests),
		STORY(what_is_counted_and_not_listed_is_not_mixed),
		STORY(nobody_left_ends_the_row_and_stops_no_other),
		STORY(what_follows_is_for_those_who_heard_the_open),
		STORY(the_first_that_was_for_anybody_counts),
		STORY(a_close_joins_its_open_for_the_same_people),
		STORY(news_for_others_do_not_take_the_place_of_a_close),
		STORY(for_the_same_people_they_fold_as_ever),
		STORY(what_waits_behind_a_digest_joins_it_only_for_its_people),
		STORY(a_night_of_very_many_people_is_told_in_steps),
		STORY(a_storm_tells_each_by_his_own),
		STORY(of_other_sinks_nobody_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
