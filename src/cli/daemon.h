/*
 * daemon: what a running daemon says of itself, and whether it still runs.
 *
 * The daemon writes one row when something changed, and each minute: one that lives and has not
 * written for longer can't (a disk that fails, a file taken away). It lives when its pid does and
 * still belongs to a program of this name.
 */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "model/json.h"
#include "store/store.h"

struct daemon_says {
	bool known; /* there has been one */
	bool alive;
	bool silent; /* alive, and it has long written nothing */
	int64_t at;  /* when it wrote */
	int64_t pid;
	char *bytes;       /* owned */
	struct json *json; /* owned; NULL: nothing that can be read */
};

/* False and err when the store can't be read. Release it in any case. */
bool daemon_read(struct daemon_says *d, struct store *store, struct err *err);
void daemon_release(struct daemon_says *d);

/* A member of the living daemon's object; NULL when it is dead. */
const struct json_value *daemon_get(const struct daemon_says *d, const char *key);
/* The object of that name in its list `sources` or `sinks`, dead or alive; NULL: none. */
const struct json_value *daemon_find(const struct daemon_says *d, const char *list,
				     const char *name);

#endif
