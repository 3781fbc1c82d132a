/* Events that wait for their context: without rows until it is here, and never past their time. */
#include "kit.h"

enum { WAIT_MS = 2000 };

/* One sink, and what is new waits. */
static struct kit *begin(void **state)
{
	struct kit *k = *state;

	kit_only(k, 1);
	k->wait_ms = WAIT_MS;
	return k;
}

static void look(struct kit *k, int64_t after, size_t room)
{
	struct page_batch batch = kit_page(k, NULL, 0);

	batch.waiting_after = after;
	batch.waiting_room = room;
	k->looked = 0;
	store_page(k->s, &batch);
	assert_true(k->ok);
}

static void what_waits_has_no_rows_until_its_context_is_here(void **state)
{
	struct kit *k = begin(state);

	see(k, "al1", "open");
	assert_int_equal(k->page.events, 1);
	assert_int_equal(k->page.deliveries, 0);
	assert_int_equal(k->page.waiting_until, k->now + WAIT_MS);
	look(k, 0, 10);
	assert_int_equal(k->looked, 1);
	assert_int_equal(k->page.deliveries, 0);
	k->context = "{\"user\":{}}";
	look(k, 0, 10);
	assert_int_equal(k->page.deliveries, 1);
	assert_int_equal(k->page.waiting_until, INT64_MAX);
	turn(k);
	assert_int_equal(k->claim_count, 1);
	assert_string_equal(k->claims[0].context, "{\"user\":{}}");
	look(k, 0, 10);
	assert_int_equal(k->looked, 0);
}

static void when_its_time_is_over_it_goes_with_what_is_known(void **state)
{
	struct kit *k = begin(state);

	see(k, "al1", "open");
	k->now += WAIT_MS - 1;
	look(k, 0, 10);
	assert_int_equal(k->page.deliveries, 0);
	k->now++;
	look(k, 0, 10);
	assert_int_equal(k->page.deliveries, 1);
	assert_string_equal(ask(k, "SELECT context AS x FROM v_events"), "{}");
}

static void what_follows_ends_the_wait_and_finds_the_rows(void **state)
{
	struct kit *k = begin(state);

	see(k, "al1", "open");
	see(k, "al1", "resolved");
	assert_string_equal(k->known_context, "{}");
	assert_int_equal(k->page.deliveries, 2);
	assert_string_equal(rows(k, "hook"), "opened:due resolved:held(behind)");
	assert_string_equal(ask(k, "SELECT group_concat(context) AS x FROM v_events"), "{},{}");
	assert_int_equal(k->page.waiting_until, INT64_MAX);
}

static void a_restart_keeps_what_waits(void **state)
{
	struct kit *k = begin(state);

	see(k, "al1", "open");
	store_close(&k->s);
	kit_open(k);
	assert_int_equal(store_source_waiting(k->s, k->source), k->now + WAIT_MS);
	k->now += WAIT_MS;
	look(k, 0, 10);
	assert_string_equal(rows(k, "hook"), "opened:due");
}

static void many_are_looked_at_in_rounds_from_the_oldest_on(void **state)
{
	struct kit *k = begin(state);
	char id[16];
	size_t looked = 0;

	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "al%d", i);
		see(k, id, "open");
	}
	k->page.waiting_after = 0;
	do {
		look(k, k->page.waiting_after, 2);
		looked += k->looked;
	} while (k->page.waiting_after != 0);
	assert_int_equal(looked, 5);
	assert_int_equal(k->page.deliveries, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_waits_has_no_rows_until_its_context_is_here),
		STORY(when_its_time_is_over_it_goes_with_what_is_known),
		STORY(what_follows_ends_the_wait_and_finds_the_rows),
		STORY(a_restart_keeps_what_waits),
		STORY(many_are_looked_at_in_rounds_from_the_oldest_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
