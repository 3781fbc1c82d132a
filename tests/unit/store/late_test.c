/* A page's commit does not wait for the disk; the turn that lets its rows leave does. */
#include "on_disk.h"

static const char *nth(uint64_t seed)
{
	static char id[24];

	snprintf(id, sizeof(id), "a%d", (int)seed);
	return id;
}

/* Alerts that are stored, and rows that say that they may have been sent. */
static void assert_stored(struct kit *k, uint64_t alerts, uint64_t sent)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%d %d", (int)alerts, (int)sent);
	assert_string_equal(ask(k,
				"SELECT (SELECT count(*) FROM v_alerts) || ' ' ||"
				" (SELECT count(*) FROM v_deliveries WHERE maybe_sent) AS x"),
			    expected);
}

static void inv1_what_is_claimed_is_on_the_disk_with_its_alert(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	for (uint64_t seed = 0; seed < 40; seed++) {
		see(k, nth(seed), "open");
		turn(k);
		cut_the_power(k, seed);
		assert_stored(k, seed + 1, seed + 1);
	}
}

static int64_t number(struct kit *k, const char *sql)
{
	return strtoll(ask(k, sql), NULL, 10);
}

static void show_with_position(struct kit *k, const char *id, int64_t last_head_at)
{
	struct source_state position = { .order_seen = "unknown",
					 .last_head_at = last_head_at };
	struct alert a;

	kit_alert(&a, id, "open", "t");
	struct page_batch batch = kit_page(k, &a, 1);

	batch.position = &position;
	store_page(k->s, &batch);
	alert_release(&a);
}

/* And a baseline, which may not be taken twice. */
static void inv3_a_position_is_on_the_disk_with_the_pages_that_it_skips_past(void **state)
{
	struct kit *k = *state;

	for (uint64_t seed = 0; seed < 40; seed++) {
		see(k, nth(2 * seed), "open");
		show_with_position(k, nth(2 * seed + 1), (int64_t)seed + 1);
		cut_the_power(k, seed);
		assert_stored(k, 2 * seed + 2, 0);
		assert_int_equal(number(k, "SELECT last_head_at AS x FROM v_sources"),
				 seed + 1);
	}
}

/* All of a page goes, so that it is read again, or nothing. */
static void a_power_cut_takes_a_page_that_is_late_as_a_whole(void **state)
{
	struct kit *k = *state;
	uint64_t stored = 0;

	for (uint64_t seed = 0; seed < 40; seed++) {
		see(k, nth(seed), "open");
		cut_the_power(k, seed);
		stored += (uint64_t)number(k, "SELECT count(*) AS x FROM v_alerts") > stored;
		assert_stored(k, stored, 0);
		assert_int_equal(number(k, "SELECT count(*) AS x FROM v_events"), stored);
		assert_int_equal(number(k, "SELECT count(*) AS x FROM v_deliveries"),
				 2 * stored);
	}
	assert_in_range(stored, 1, 39);
}

static int64_t syncs_since(int64_t *count)
{
	int64_t before = *count;

	*count = disk_count(DISK_SYNC);
	return *count - before;
}

static void a_page_is_on_the_disk_by_the_next_commit_that_waits_or_tidying_up(void **state)
{
	struct kit *k = *state;
	int64_t count = 0;

	kit_only(k, 0);
	see(k, "a", "open");
	turn(k);
	syncs_since(&count);
	see(k, "b", "open");
	assert_int_equal(syncs_since(&count), 0);
	turn(k);
	assert_int_equal(syncs_since(&count), 1);
	store_tidy(k->s);
	assert_int_equal(syncs_since(&count), 0);
	see(k, "c", "open");
	store_tidy(k->s);
	assert_int_equal(syncs_since(&count), 1);
	store_tidy(k->s);
	assert_int_equal(syncs_since(&count), 0);
	for (uint64_t seed = 0; seed < 10; seed++)
		cut_the_power(k, seed);
	assert_string_equal(ask(k, "SELECT count(*) AS x FROM v_alerts"), "3");
}

/*
 * The system holds for written what a sync that failed has left: the page before the turn that
 * failed is written anew, or all that is built upon it would go with it.
 */
static void a_sync_that_failed_is_mended_before_more_is_built_on_it(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	for (uint64_t seed = 0; seed < 80; seed++) {
		see(k, nth(seed), "open");
		disk_fail(DISK_SYNC, 1, 1, DISK_IOERR);
		if (seed % 2 == 0) {
			kit_turn(k, NULL, 0, 64);
			assert_false(k->ok);
		} else {
			store_tidy(k->s);
		}
		turn(k);
		assert_int_equal(k->claim_count, 1);
		cut_the_power(k, seed);
		assert_stored(k, seed + 1, seed + 1);
		kit_turn(k, NULL, 0, 64);
		settle_all(k, DELIVERY_DONE);
	}
}

/* Each try would write all of the log, which may be large. */
static void while_no_sync_succeeds_the_log_is_not_written_again_and_again(void **state)
{
	struct kit *k = *state;

	kit_only(k, 0);
	for (uint64_t seed = 0; seed < 50; seed++)
		see(k, nth(seed), "open");
	disk_fail(DISK_SYNC, 1, -1, DISK_IOERR);
	store_tidy(k->s);
	int64_t written = disk_count(DISK_WRITE);

	for (int i = 0; i < 20; i++) {
		kit_turn(k, NULL, 0, 64);
		assert_false(k->ok);
		assert_non_null(strstr(k->error, "disk I/O error"));
	}
	assert_int_equal(disk_count(DISK_WRITE), written);
	disk_heal();
	turn(k);
	assert_int_equal(k->claim_count, 50);
	cut_the_power(k, 1);
	assert_stored(k, 50, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_DISK(inv1_what_is_claimed_is_on_the_disk_with_its_alert),
		ON_DISK(inv3_a_position_is_on_the_disk_with_the_pages_that_it_skips_past),
		ON_DISK(a_power_cut_takes_a_page_that_is_late_as_a_whole),
		ON_DISK(a_page_is_on_the_disk_by_the_next_commit_that_waits_or_tidying_up),
		ON_DISK(a_sync_that_failed_is_mended_before_more_is_built_on_it),
		ON_DISK(while_no_sync_succeeds_the_log_is_not_written_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
