/*
 * inner: what the files of the store share; nobody outside includes it.
 */
#ifndef STORE_INNER_H
#define STORE_INNER_H

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
};

struct store {
	struct db *db;
	enum store_mode mode;
	int lock_fd;          /* -1: none */
	int64_t version_seen; /* the last answer of store_version() */
	struct history history;
	struct sink_facts sinks[DELIVERY_SINK_MAX + 1]; /* by number, as stored */
};

/* For what is synchronous: a transaction that waits a while for another writer. */
void store_begin_patient(struct store *s);
bool store_commit_patient(struct store *s, struct err *err);

/* Fills s->sinks from the table. */
void store_load_sinks(struct store *s);

/* The first key of an event's rows; those of the next event follow. */
static inline int64_t first_key(int64_t event)
{
	return delivery_key(event, 0, ORIGIN_ROUTE, 0);
}

#endif
