/*
 * node: what the disk of the tests knows of one file by its name, open or not; its own header.
 */
#ifndef TESTS_DISK_NODE_H
#define TESTS_DISK_NODE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NODE_PATH_MAX = 512 };

struct old;

struct node {
	struct node *next;
	char path[NODE_PATH_MAX];
	size_t open_count;
	bool is_made;   /* the folder was not synced since */
	bool is_gone;   /* deleted, and the folder was not synced since: lies at PATH.gone */
	bool syncs_dir; /* its first sync is one of the folder, too */
	int64_t size, synced_size;
	struct old **sectors; /* by number */
	size_t sector_room;
	size_t *dirty; /* numbers of sectors with an old version */
	size_t dirty_count, dirty_room;
	uint64_t failed_at; /* number of the last write before a sync that failed; 0: none */
};

/* The node of a file that was just opened as `real`; counts it as open. */
struct node *node_open(const char *path, bool is_made, int flags, sqlite3_file *real);
/* NULL: nothing is known of that name. */
struct node *node_find(const char *path);
/* Deletes the file so that a power cut may bring it back; a code of SQLite. */
int node_delete(struct node *n);

/* Bytes from `at` up to `end` are about to change: keeps what they are. A code of SQLite. */
int node_keep(struct node *n, sqlite3_file *real, int64_t at, int64_t end);
/* What was written is safe; but not what a sync that failed has left, until it is written anew. */
void node_sync(struct node *n);
/* A sync failed: the system holds for written what is not, and will not try again. */
void node_sync_failed(struct node *n);
/* The names in the folder of this path are safe: what is gone stays gone, what was made stays. */
void node_sync_folder(const char *path);

/* Makes all files what a power cut by this seed leaves of them. */
void node_cut_all(uint64_t seed);
void node_forget_all(void);

#endif
