/*
 * disk: a disk for tests, under SQLite: it fails, fills up, is slow, and loses power.
 *
 * disk_install() puts it in front of the system's own files as the default of every connection
 * opened from then on; files stay real files, readable by anyone. It is deterministic: what
 * happens follows from the calls and the seed. No threads. Nothing is really synced, so a test
 * pays for no fsync; what a sync would have made safe is kept account of.
 *
 * A crash: disk_kill() or disk_power_cut(), then close what was open (closing changes nothing
 * any more: every call on it fails), then open anew. To open before all is closed is a mistake
 * and ends the test.
 */
#ifndef TESTS_DISK_H
#define TESTS_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum disk_op {
	DISK_OPEN,
	DISK_READ,
	DISK_WRITE, /* and truncations */
	DISK_SYNC,
	DISK_LOCK, /* of a file, or to write to the log */
	DISK_OPS,
};

enum disk_fault {
	DISK_IOERR,
	DISK_FULL,
	DISK_BUSY,
	DISK_READONLY,
};

/* Every file is as on a healthy disk without end, whatever was asked before. */
void disk_install(void);
/* All files must be closed. */
void disk_remove(void);

/*
 * The n-th operation of this kind from now on fails (1: the next), and `times` in all (-1: until
 * disk_heal()). What a failed sync leaves is lost at a power cut even when a later sync succeeds,
 * unless it was written anew. One fault a kind of operation; a later one replaces it.
 */
void disk_fail(enum disk_op op, int64_t n, int64_t times, enum disk_fault how);
/* No operation fails any more. What room there is stays. */
void disk_heal(void);

/* So many bytes more fit; files that shrink or go give theirs back. -1: no end. */
void disk_set_room(int64_t bytes);
int64_t disk_room(void); /* -1: no end */

/* How many there were since disk_install(), failed ones included. */
int64_t disk_count(enum disk_op op);
/* Called at each sync, before it counts as done: a slow disk moves the test's clock here, and a
 * crash may come here: then the sync fails, as all that follows. */
void disk_on_sync(void (*slow)(void *arg), void *arg);

/* The process dies: all that was written is there. */
void disk_kill(void);
/*
 * The power goes: each file keeps what was synced and, by the seed, none, all, the first ones or
 * any of the sectors written since; so for its length. A file made or deleted since the last sync
 * of its folder may be there or not. The log's index is lost.
 */
void disk_power_cut(uint64_t seed);

#endif
