/* What a sync that failed has left in the log is not built upon until it is written anew. */
#include "on_disk.h"

static int64_t alert_count(struct kit *k)
{
	return strtoll(ask(k, "SELECT count(*) AS x FROM v_alerts"), NULL, 10);
}

/*
 * The system holds for written what a sync that failed has left, and does not try again. A process
 * that is killed then takes its own log up as it reads it; a power cut loses it from there on.
 */
static void what_is_committed_after_a_failed_sync_and_a_kill_survives_a_power_cut(void **state)
{
	struct kit *k = *state;

	for (uint64_t seed = 0; seed < 40; seed++) {
		int64_t before = alert_count(k);
		char id[16];

		disk_fail(DISK_SYNC, 1, 1, DISK_IOERR);
		assert_false(store_runtime(k->s, ++k->now, "{}", &k->err));
		disk_kill();
		begin_again(k);
		snprintf(id, sizeof(id), "a%d", (int)seed);
		see(k, id, "open");
		store_tidy(k->s);
		cut_the_power(k, seed);
		assert_int_equal(alert_count(k), before + 1);
	}
}

/* One that fails again keeps the daemon from starting; a full disk does not. */
static void a_log_that_cannot_be_written_anew_is_told(void **state)
{
	struct kit *k = *state;

	see(k, "a", "open");
	disk_fail(DISK_SYNC, 1, 1, DISK_IOERR);
	assert_int_equal(store_recover(k->s, k->now, &k->err), -1);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
	disk_fail(DISK_WRITE, 1, 1, DISK_FULL);
	assert_int_equal(store_recover(k->s, k->now, &k->err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_DISK(what_is_committed_after_a_failed_sync_and_a_kill_survives_a_power_cut),
		ON_DISK(a_log_that_cannot_be_written_anew_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
