/* A sync has failed, and what was late is in doubt: nothing is built upon it or taken from it. */
#include "on_disk.h"
#include "store/db_care.h"

static void show(struct kit *k, int *next, const char *status, size_t count)
{
	struct alert a[8];
	char id[24];

	for (size_t i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "a%d", (*next)++);
		kit_alert(&a[i], id, status, "t");
	}
	struct page_batch batch = kit_page(k, a, count);

	store_page(k->s, &batch);
	assert_true(k->ok);
	for (size_t i = 0; i < count; i++)
		alert_release(&a[i]);
}

static void assert_sound(struct kit *k, uint64_t seed)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	assert_true(db_check(k->path, true, NULL, &out, &k->err));
	if (out.len != 0)
		fail_msg("after cut %d: %.*s", (int)seed, (int)out.len, out.data);
	buf_release(&out);
}

static void who_stops_in_doubt_leaves_no_damage(void **state)
{
	struct kit *k = *state;
	int next = 0;

	kit_only(k, 0);
	for (uint64_t seed = 0; seed < 200; seed++) {
		show(k, &next, "open", 8);
		turn(k);
		show(k, &next, "open", 8);
		show(k, &next, "resolved", 8);
		disk_fail(DISK_SYNC, 1, 1, DISK_IOERR);
		store_tidy(k->s);
		show(k, &next, "open", 1);
		/* of the tick, of its mend, and of the last one */
		disk_fail(DISK_SYNC, 1, 3, DISK_IOERR);
		store_tidy(k->s);
		store_close(&k->s);
		disk_power_cut(seed);
		kit_open(k);
		assert_false(store_opened(k->s)->was_damaged);
		assert_true(store_recover(k->s, k->now, &k->err) >= 0);
		assert_sound(k, seed);
	}
}

/* The row that is claimed is there after a power cut, and marked. */
static void assert_marked(struct kit *k, int64_t id, uint64_t seed)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT maybe_sent AS x FROM v_deliveries WHERE id = %lld",
		 (long long)id);
	const char *marked = ask(k, sql);

	if (strcmp(marked, "1") != 0)
		fail_msg("cut %d takes the row that was told: '%s'", (int)seed, marked);
}

static void nothing_is_told_while_the_log_cannot_be_written_anew(void **state)
{
	struct kit *k = *state;
	int next = 0;

	kit_only(k, 0);
	for (uint64_t seed = 0; seed < 40; seed++) {
		show(k, &next, "open", 1);
		disk_fail(DISK_SYNC, 1, 1, DISK_IOERR);
		kit_turn(k, NULL, 0, 64);
		assert_false(k->ok);
		disk_fail(DISK_WRITE, 1, 1,
			  DISK_FULL); /* a byte written anew takes room, too */
		kit_turn(k, NULL, 0, 64);
		if (!k->ok)
			turn(k);
		int64_t id = k->claims[0].id;

		cut_the_power(k, seed);
		assert_marked(k, id, seed);
		turn(k);
		settle_all(k, DELIVERY_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_DISK(who_stops_in_doubt_leaves_no_damage),
		ON_DISK(nothing_is_told_while_the_log_cannot_be_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
