/*
 * on_disk: the kit on the disk of the tests, for stories of faults and power cuts.
 */
#ifndef ON_DISK_H
#define ON_DISK_H

#include "disk/disk.h"
#include "kit.h"

static inline int on_disk_setup(void **state)
{
	int failed = kit_setup(state);
	struct kit *k = *state;

	store_close(&k->s);
	disk_install();
	kit_open(k);
	return failed;
}

static inline int on_disk_teardown(void **state)
{
	struct kit *k = *state;

	store_close(&k->s);
	disk_remove();
	kit_open(k);
	return kit_teardown(state);
}

/* The daemon starts on what is left. */
static inline void begin_again(struct kit *k)
{
	store_close(&k->s);
	kit_open(k);
	assert_true(store_recover(k->s, k->now, &k->err) >= 0);
}

static inline void cut_the_power(struct kit *k, uint64_t seed)
{
	disk_power_cut(seed);
	begin_again(k);
}

#define ON_DISK(f) cmocka_unit_test_setup_teardown(f, on_disk_setup, on_disk_teardown)

#endif
