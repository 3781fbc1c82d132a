/*
 * sim_io: io/turn.h and io/xfer.h in a simulated world: no socket, no sleep, a clock of its own.
 *
 * Time stands still while code runs and jumps to the next timer, arrival or answer when nothing
 * is left to do. A request is on its way for a while, arrives (only then is it answered, so the
 * answer tells of that instant), and its answer is on its way again: a process that dies may
 * have been heard without knowing. Who lives at the other end is a struct sim_wire.
 *
 * A tick is a timer that sets itself again and again to the same wait. In an idle loop, where
 * nothing is under way, a tick alone does not make a turn: it comes with the next timer that
 * does, or late by as much as sim_be_lazy() allows, as on a machine that is busy with others.
 * Most simulated time is idle, and most of a run's cost was its ticks.
 *
 * The linker takes these functions instead of libio's. Everything is deterministic.
 */
#ifndef WORLD_SIM_IO_H
#define WORLD_SIM_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/turn.h"
#include "io/xfer.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* What the other end says to one request. */
struct sim_answer {
	enum reply_kind kind;
	int status;
	bool hangs;  /* nothing comes until the client's own timeout */
	bool unsent; /* whatever ends it, the request had not left: no connection came about */
	int64_t way_back_ms;
	struct buf body, headers;
};

struct sim_wire {
	/* A request leaves; returns how long it is on its way, in ms. */
	int64_t (*leave)(void *arg, const struct request *r);
	/* It is here: fills the answer, which is empty, ANSWERED and 200. */
	void (*arrive)(void *arg, const struct request *r, struct sim_answer *out);
	/* The answer is about to be told to the program. */
	void (*back)(void *arg, const struct request *r, const struct reply *reply);
	/* It was on its way when the program cut it: does it arrive all the same? */
	bool (*arrives_late)(void *arg, const struct request *r);
	void *arg;
};

/* The beginning of time: sets the program's clocks. The wire is copied. */
void sim_begin(int64_t at, const struct sim_wire *wire);
/* The true time, which the other end knows; the program's steady clock shows it, too. */
int64_t sim_now(void);
/* The program's wall clock is that much ahead of the truth. */
void sim_skew(int64_t ahead_ms);
/* Ticks of an idle loop come so late at most; 0: each in its time. */
void sim_be_lazy(int64_t late_ms);
/* Time passes while no program runs, or while it waits for its disk. */
void sim_pass(int64_t ms);
/* Counts the turns of all lives. */
size_t sim_turns(void);
/* The program died within this turn: no other comes. */
void sim_halt(void);

/*
 * Runs the loop until that instant, so many turns (0: any number), or sim_halt(). True when the
 * program stopped it. A loop that turns for ever while time stands still is an error: it aborts.
 */
bool sim_run(struct turn *t, int64_t until, size_t turns);
/* What is under way ends as cut; what had arrived was heard all the same, and what was on its
 * way may be. */
void sim_cut(struct turn *t);

#endif
