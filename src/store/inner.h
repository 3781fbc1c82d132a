/*
 * inner: what the files of the store share; nobody outside includes it.
 */
#ifndef STORE_INNER_H
#define STORE_INNER_H

#include "base/file.h"
#include "base/idset.h"
#include "store/db.h"
#include "store/history.h"
#include "store/sql.h"
#include "store/store.h"

enum {
	PATIENCE_START_MS = 2000, /* the daemon's, for what it does at start and at a reload */
	PATIENCE_COMMAND_MS = 10000, /* a command's; the daemon's turns never wait */
};

struct sink_facts {
	bool is_absent; /* no longer configured: its rows are orphaned */
	bool is_collapse;
	bool pairs;         /* this and what follows only where the daemon has said it */
	int64_t batch_max;  /* 0: not said */
	int64_t listed_max; /* 0: all */
	bool names_people;  /* its recipients are the alerts' to name */
	int heir; /* of an absent one: who has taken over, and is not absent; 0: nobody */
};

enum { STORE_FILES = 3 }; /* the store, its log, the log's index */

/* Events that were touched since the audit last asked. */
struct noted {
	bool is_on; /* somebody will ask */
	struct idset events;
	int64_t from, to; /* a range that holds those that were too many; 0: none */
	int64_t last;
};

/* Where the round of prune.c stands. */
struct prune {
	size_t leg;
	int64_t key, hash;
};

struct store {
	struct db *db;
	char *path;
	enum store_mode mode;
	int lock_fd;          /* -1: none */
	int64_t version_seen; /* the last answer of store_version() */
	struct store_opened opened;
	/* What came up before that may have been told by another store: 0: none. This run's alone. */
	int64_t doubt_until;
	struct file_facts files[STORE_FILES]; /* as we opened them; inode 0: not there yet */
	char lost[480];                       /* what became of them; "": all is well */
	bool is_damaged;
	struct history history;
	struct store_namer namer;
	int64_t adopt_from; /* rows from this key on may not be as their sinks are; -1: all are */
	struct prune prune;
	struct noted noted;
	struct idset claimed; /* rows that this process has claimed and not settled */
	struct sink_facts sinks[DELIVERY_SINK_MAX + 1]; /* by number, as stored */
};

/* For what is synchronous: a transaction that waits a while for another writer. */
void store_begin_patient(struct store *s);
bool store_commit_patient(struct store *s, struct err *err);

extern const int store_version_known; /* of the schema */

/* ---- aside.c: the daemon's start on a damaged file ---- */

/* True and what is wrong with it; looks at all of a small file, or of a suspect one. */
bool aside_is_damaged(const char *path, struct err *damage);
/* Sets the damaged file aside and fills s->opened (its `damage` is the caller's). */
bool aside_move(struct store *s, struct err *err) __attribute__((warn_unused_result));

/* The daemon's first start on a backup; see store_opened(). */
bool aside_adopt_backup(struct store *s, struct err *err) __attribute__((warn_unused_result));
/* Where a new store is to begin that takes the place of this one, written last at that time. */
int64_t aside_rings_from(struct db *db, int64_t written_at);

/* ---- keep.c: is the file still ours, and whole? ---- */

/* A note beside the store, kept until a start is complete: look at all of it, and a store made
 * anew rings from `since` on. */
void keep_suspect(const char *path, int64_t since);
bool keep_is_suspect(const char *path, int64_t *since);
void keep_trust(const char *path);
/* After a failure that err tells of: names the file in err and returns the remedy. */
const char *keep_failed(struct store *s, struct err *err);

/* Fills s->sinks and adopt_from from the table. */
void store_load_sinks(struct store *s);

/* Row `id` of a sink that has an heir was on its way and has settled: it, or what waited behind
 * it, is for the heir (adopt.c). Within a transaction. */
void adopt_note(struct store *s, int64_t id);

/* Who hears now what is for that sink: itself, or its heir. */
static inline int store_sink_now(const struct store *s, int sink)
{
	return s->sinks[sink].heir != 0 ? s->sinks[sink].heir : sink;
}
/* A row of this event is made or changed (audit.c). */
void store_note_event(struct store *s, int64_t event);

/* ---- missing.c: within a transaction; failures stick to it ---- */

bool missing_any(struct store *s, int source);
void missing_count(struct store *s, int source, int64_t now, struct missing *out);
/* The same, outside of a transaction. */
bool missing_read(struct store *s, int source, int64_t now, struct missing *out,
		  struct err *err);
/* A page lists the alert: it is not missing. */
void missing_found(struct store *s, int source, int64_t alert);
/* The end of a walk; how many have vanished by it. */
size_t missing_end(struct store *s, const struct page_batch *batch);

/* The first key of an event's rows; those of the next event follow. */
static inline int64_t first_key(int64_t event)
{
	return delivery_key(event, 0, ORIGIN_ROUTE, 0);
}

#endif
