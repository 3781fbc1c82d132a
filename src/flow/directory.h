/*
 * directory: the users, policies and budgets of one source, kept as its API lists them.
 *
 *   desk:  RESTS ─ due ─▶ WANTS_PAGE ─▶ PAGE_FLIES ─▶ WANTS_STORE ─ more ─▶ WANTS_PAGE …
 *            ▲                                             └─ the list's end ─▶ WANTS_END ─▶ RESTS
 *            └──────────── given up, after a wait; or off for an hour ◀─┘
 *
 * One desk a list that the configuration names, each walked whole every `context_every`, page by
 * page into the store, so that no list is ever held in memory. It comes after the polls, takes a
 * quarter of the budget at most (flow/budget), and nothing waits for it: what fails is a warning
 * and a metric. It is a part of its source, whose credential it uses.
 */
#ifndef FLOW_DIRECTORY_H
#define FLOW_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/auth.h"
#include "flow/budget.h"
#include "io/turn.h"
#include "io/xfer.h"
#include "model/context.h"
#include "store/store.h"

struct directory;

/* All borrowed. */
struct directory_parts {
	struct source_settings *settings;
	int number; /* the source's, in the store */
	struct store *store;
	struct xfer *xfer;
	struct turn *turn;
	struct budget *budget;
	struct auth *auth;
	/* May a page be asked for? Else a token is on its way, or waits. */
	bool (*has_token)(void *arg, int64_t now);
	void *arg;
};

/* NULL and err when what is stored can't be read. */
struct directory *directory_new(const struct directory_parts *parts, uint64_t seed,
				struct err *err) __attribute__((warn_unused_result));
void directory_free(struct directory **d);
/* The same settings out of another setup. */
void directory_refit(struct directory *d, struct source_settings *settings);
/* No request is started any more; one that is cut is nobody's fault. */
void directory_stop(struct directory *d);
/* Nothing is started or stored any more, and no setting is read. */
void directory_retire(struct directory *d);
/* No request is under way. */
bool directory_is_over(const struct directory *d);

/* Called at the end of every turn; may_begin: the polls get through. */
void directory_turn_end(struct directory *d, bool may_begin);
/* Steady; when it can do something by itself; INT64_MAX: something else will wake it. */
int64_t directory_wakes_at(const struct directory *d, bool may_begin);
/* Nothing is due or under way: all lists were read, or have failed. */
bool directory_is_quiet(const struct directory *d);

/*
 * An alert names an id that is not known: its list is read early, once ever for an id. True while
 * a pass that may bring it is wanted or under way.
 */
bool directory_want(struct directory *d, enum context_kind kind, const char *id);

/* Does a pass that is wanted, due or under way bring what is not known yet? */
bool directory_comes(const struct directory *d, enum context_kind kind);
/* Its last answer was none, or the list is off. */
bool directory_fails(const struct directory *d, enum context_kind kind);
/* Moves on whenever a page is stored, a pass ends, or one fails. */
int64_t directory_news(const struct directory *d);

struct directory_status {
	bool is_kept;           /* the configuration names this list */
	bool is_off;            /* the API refuses it: 403, 404 */
	int64_t completed_at;   /* the last whole pass; 0: never */
	int64_t count;          /* how many it listed */
	int64_t passes, errors; /* since start: begun; answers that were no page */
	const char *error;      /* "" while all is well */
};
void directory_status(const struct directory *d, enum context_kind kind,
		      struct directory_status *out);

#endif
