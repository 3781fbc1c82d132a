/*
 * app_inner: what the files of app share; nobody outside includes it.
 *
 *   app.c         the end of a turn, the tick, stopping, life
 *   app_parts.c   sources, budgets and the queue's sinks, made out of a configuration
 *   app_reload.c  another configuration while all goes on
 */
#ifndef FLOW_APP_INNER_H
#define FLOW_APP_INNER_H

#include "base/buf.h"
#include "flow/app.h"
#include "flow/deliver.h"
#include "flow/queue.h"
#include "flow/roster.h"
#include "flow/source.h"
#include "flow/upkeep.h"
#include "flow/watch.h"
#include "io/xfer.h"
#include "store/store.h"

enum app_state { RUNNING, DRAINING, CUT };

/* What the API counts one credential's requests by. */
struct purse {
	struct budget budget;
	struct purse *next;
};

struct app {
	struct setup *setup; /* one hold */
	struct turn *turn;
	struct store *store;
	struct roster roster;
	struct holding holding;
	struct silences *silences;
	struct xfer *xfer;
	struct queue *queue;
	struct deliver *deliver;
	/* In the settings' order, and whose budget each spends. */
	struct source **sources;
	struct purse **purses;
	size_t source_count;
	struct source **retired; /* with a request still on its way */
	size_t retired_count;
	struct purse *all_purses;
	uint64_t seed; /* of the next who needs chance */
	bool is_once;
	enum app_state state;
	struct timer *tick, *grace;
	int64_t version;   /* of the store, as last seen; -1: what it holds is looked at anew */
	int64_t ticked_at; /* by the clock that may jump */
	int64_t adopt_at;  /* steady; not before */
	int64_t left_at;   /* the same, for what sources that are gone have left waiting */
	struct buf runtime, written;
	int64_t started_at;
	bool was_ready, is_room_low;
	struct err lost; /* what became of the store's file; "": it is where it was */
	bool reload_wanted;
	char *reload_error; /* owned; why the last reload failed, NULL: it did not */
	struct upkeep *upkeep;
	struct watch *watch; /* NULL: nobody watches */
};

/* Nothing new is taken in: there is no room, or no store. */
static inline bool app_is_paused(const struct app *a)
{
	return a->is_room_low || a->lost.text[0] != '\0';
}

/* ---- app_parts.c ---- */

/* One a source of the settings; those that go on as they are were in a->sources before. */
struct app_sources {
	struct source **list;
	struct purse **purses;
	size_t count;
	size_t fresh; /* of them new */
};

/*
 * Sources that are configured as now go on, the others are made, with the budget of their
 * credential. Nothing of a is changed. False and err: what was made is gone again.
 */
bool app_make_sources(struct app *a, struct settings *settings, const struct roster *roster,
		      struct app_sources *out, struct err *err)
	__attribute__((warn_unused_result));
/* Not taken after all. */
void app_drop_sources(struct app *a, struct app_sources *sources);
/* They are a's from now on, with a->setup and a->roster; the others retire. */
void app_take_sources(struct app *a, struct app_sources *sources);
/* Events of sources that are configured no more wait for nothing: they are routed with what is
 * known. False: the store refuses. */
bool app_route_left(struct app *a) __attribute__((warn_unused_result));
/* Frees those that are retired and over. */
void app_bury_sources(struct app *a);
void app_free_sources(struct app *a);

/* The sinks of a->setup and a->roster; old: the roster before, or NULL. The caller frees it. */
struct queue_sink *app_queue_sinks(const struct app *a, const struct roster *old);

/* What an operator has said of the sinks, as stored, in the settings' order. */
void app_heed(struct app *a, const struct store_sink *sinks);

/* ---- app_reload.c ---- */

/* Reloads when that was asked for and nothing is with the store. From the end of a turn. */
void app_reload_now(struct app *a);

#endif
