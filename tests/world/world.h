/*
 * world: one run: the program and its store, the APIs, the receivers, and how it all goes.
 *
 * Odd seeds try polling: APIs with every fault, and a receiver that takes everything. Even seeds
 * try delivery: an easy API, and receivers with every fault, an operator, and a disk. What they
 * share is the program, its life, and the oracle's questions.
 *
 *   terms.c     what a seed decides before anything happens; terms_sink.c: of receivers
 *   life.c      the program: started, killed, stopped, started again on the same store
 *   conf.c      its configuration; operator.c: who changes it, and the rows
 *   walk.c      the steps of polling: alerts, APIs, clocks, the program; walk_sink.c: of delivery
 *   watch.c     promises that are watched while it goes; watch_sink.c: to each receiver
 *   calm.c      all faults end; promises about time are tried; calm_sink.c: to receivers
 *   ask.c       questions to the store, of all who check
 *   oracle.c    what must be stored; oracle_heard.c: what must have been heard of each alert;
 *               oracle_rows.c: each row against what was heard; oracle_who.c: and against routes
 *
 * A run is a process of its own. world_fail() tells what was violated and ends it.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include "base/backoff.h"
#include "flow/app.h"
#include "store/store.h"
#include "world/api.h"
#include "world/ask.h"
#include "world/receiver.h"

enum { APIS_MAX = 2, WATCHED_MAX = 4096, ITEMS_MAX = 700, RULES_MAX = 64, CLAIMS_MAX = 128 };

struct terms {
	bool delivers; /* else it polls */
	size_t api_count;
	struct api_terms apis[APIS_MAX];
	bool same_ids;
	int64_t poll_ms, sweep_ms;
	const char *start; /* "now" "all" "1h" */
	int64_t since_ms;  /* of start */
	int64_t share_percent;
	size_t history;   /* alerts before the first start */
	size_t items_max; /* for each API */
	size_t sink_count;
	struct sink_terms sinks[SINKS_MAX];
	bool has_clock_steps; /* in a run that delivers: then times promise less */
	int64_t late_ms;      /* of ticks in an idle loop */
};

/* The requests of one life of the program to one API. */
struct watch {
	int64_t at[WATCHED_MAX]; /* of the newest list requests, a ring */
	size_t count;
	bool knows_limit;
	int64_t lists_blocked_until, tokens_blocked_until;
};

/* What is wrong with the disk, and how the program is to die by it. */
struct troubles {
	int64_t sync_ms;  /* each takes so long */
	int64_t crash_in; /* at that sync from now on; 0: none is planned */
	bool is_power;    /* … by a power cut */
	bool has_crashed;
	bool is_unreadable; /* for the oracle, too */
};

/* The rows that the store holds as claimed, read once a turn. */
struct claims {
	size_t turn;
	char ids[CLAIMS_MAX][WEBHOOK_ID_MAX];
	size_t count;
};

struct world {
	uint64_t seed;
	bool is_verbose;
	struct terms terms;
	struct api apis[APIS_MAX];
	struct receiver receivers[SINKS_MAX];
	struct told_log told;
	struct rules rules[RULES_MAX]; /* the last one is in force */
	size_t rules_count;
	struct claims claims;
	struct watch watches[APIS_MAX];
	struct chance chance; /* of the steps */
	size_t step;
	/* The program. */
	char folder[200], store[240], conf[240];
	struct turn *turn; /* NULL: it does not run */
	struct setup *setup;
	struct app *app;
	struct asker *asker; /* ask.c; NULL until something is asked */
	uint64_t lives;
	int64_t life_at; /* start of this one */
	struct troubles troubles;
	/* What makes promises void. */
	bool clock_stepped;            /* the wall clock, ever */
	bool had_answer[APIS_MAX];     /* in this life */
	bool clock_is_wrong[APIS_MAX]; /* this life's first answer had a wrong Date, or none */
	int64_t baseline_at[APIS_MAX]; /* as stored */
	bool baseline_known[APIS_MAX];
	char last_full[APIS_MAX][32]; /* as last looked at */
	size_t false_ends[APIS_MAX];  /* of the API by then */
	bool is_deceived[APIS_MAX];   /* it had to take a false end of that pass for the end */
};

/* Tells the violation and ends the process. */
_Noreturn void world_fail(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* In a verbose run. */
void world_say(const struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Once, before the first run: the store, with its schema and nothing else, that most runs begin
 * with. It is made in that folder, and kept in memory. */
void world_prepare(const char *folder);
/* The whole of one run; steps: how many of the seed's. Returns the simulated time, in ms. */
int64_t world_run(uint64_t seed, size_t steps, const char *folder, bool is_verbose);

/* ---- terms.c ---- */
void terms_draw(struct terms *t, struct chance *chance);
int64_t terms_draw_lateness(struct chance *chance);
void terms_tell(const struct world *w);
/* So few pages and so large a limit that promises about time hold. */
bool terms_are_roomy(const struct world *w, const struct api *a);

/* ---- terms_sink.c ---- */
void terms_draw_delivery(struct terms *t, struct chance *chance);
void terms_tell_sinks(const struct world *w);

/* ---- conf.c ---- */
/* Writes the configuration by the rules in force. */
void conf_write(struct world *w);
/* Other rules from the next event on; or, with a program that runs, from one on until
 * conf_settle(), once it has taken them. */
void conf_change(struct world *w, const struct rules *rules);
void conf_settle(struct world *w);
const struct rules *conf_rules(const struct world *w);

/* ---- life.c ---- */
void life_begin(struct world *w);
/* Nothing that is under way is told. A kill leaves the files as they are; a power cut takes some
 * of what was not synced. */
void life_kill(struct world *w);
void life_power_cut(struct world *w);
/* The same within so many turns: in the midst of the n-th sync, or else after them. */
void life_crash(struct world *w, bool is_power, int64_t syncs, size_t turns);
/* The disk of the world, for good; and all that is wrong with it ends. */
void life_install_disk(struct world *w);
void life_heal_disk(struct world *w);
void life_stop(struct world *w);
/* Time passes, with the program or without. */
void life_run(struct world *w, int64_t ms);
/* Time passes until is(w, arg), which is asked now and each so often; false: it never was. */
bool life_run_until(struct world *w, int64_t ms_max, int64_t every_ms,
		    bool (*is)(struct world *w, void *arg), void *arg);
/* At most so many turns. */
void life_turns(struct world *w, size_t turns, int64_t ms_max);

/* ---- watch.c ---- */
void watch_begin(struct world *w);
void watch_leave(struct world *w, struct api *a, const struct request *r);
void watch_back(struct world *w, struct api *a, const struct request *r,
		const struct reply *reply);

/* ---- watch_sink.c ---- */
void watch_sinks_begin(struct world *w);
/* After the program's end, however it came: what is claimed has an unknown outcome. */
void watch_sinks_end(struct world *w);
void watch_sink_leave(struct world *w, struct receiver *s, const struct request *r);
void watch_sink_arrive(struct world *w, struct receiver *s, const struct request *r,
		       struct sim_answer *out);
void watch_sink_back(struct world *w, struct receiver *s, const struct request *r,
		     const struct reply *reply);
/* It is configured no longer: what the program counts of it begins anew. */
void watch_sink_gone(struct receiver *s);
/* Other weather from now on. */
void watch_sink_spell(struct world *w, struct receiver *s, const struct spell *spell);
/* The item that a delivery tells of. */
struct item *watch_item(struct world *w, const struct told *t);

/* ---- walk.c ---- */
/* One of a table of happenings, by their weights; then a look at the store. */
struct happening {
	int64_t weight;
	void (*happen)(struct world *w);
};
void walk_happen(struct world *w, const struct happening *list, size_t count);
bool walk_one_in(struct world *w, int64_t n);
/* Up to max_ms; short ones are as likely as long ones. */
int64_t walk_span(struct world *w, int64_t max_ms);
/* Time passes, up to max_ms; a long one is at times as long as long_ms. */
void walk_wait(struct world *w, int64_t max_ms, int64_t long_ms);
void walk_history(struct world *w);
/* Cursors die amid the first passes. */
void walk_disturb_first(struct world *w);
void walk_step(struct world *w);
/* count alerts with created_at evenly over the last span_ms; each of a drawn status. */
void walk_add(struct world *w, struct api *a, size_t count, int64_t span_ms);

/* ---- operator.c ---- */
void operator_restart(struct world *w);
void operator_reload(struct world *w);
void operator_reload_broken(struct world *w);
void operator_requeue(struct world *w);
void operator_drop(struct world *w);
void operator_keep_store(struct world *w);

/* ---- walk_sink.c ---- */
void walk_sink_step(struct world *w);

/* ---- calm.c, calm_sink.c ---- */
void calm_down(struct world *w);
void calm_sinks(struct world *w);

/* ---- oracle.c ---- */
/* After each step: what must never be. */
void oracle_look(struct world *w);
/* What sweeps promise; everything: also what only a full pass finds. */
void oracle_check(struct world *w, bool everything);
/* The same as a question: is all that oracle_check() asks of alerts so by now, and is nothing left
 * to be told to those who take everything? */
bool oracle_agrees(struct world *w, bool everything);
/* Is the item stored as it is listed? */
bool oracle_has(struct world *w, const struct api *a, const struct item *i);
/* How many of these are, up to the first that is not. */
size_t oracle_has_first(struct world *w, const struct api *a, const size_t *items,
			size_t count);
void oracle_source_text(struct world *w, const struct api *a, const char *column, char *out,
			size_t size);

/* ---- oracle_heard.c ---- */
void oracle_check_heard(struct world *w);

/* ---- oracle_rows.c ---- */
/* The columns of v_deliveries that oracle_webhook_id() reads. */
#define ORACLE_NAMES "source, alert_id, episode, event, seq, sink, origin, n"
void oracle_webhook_id(const struct question *row, char id[DELIVERY_ID_MAX]);
/* Is this delivery claimed, in what is committed? */
bool oracle_is_claimed(struct world *w, const struct told *t);
/* At any time; is_over: all has been calm for long, so everything must have ended. */
void oracle_check_rows(struct world *w, bool is_over);

/* ---- oracle_who.c ---- */
void oracle_check_who(struct world *w);

#endif
