/*
 * turn: the loop: timers, signals, and one hook at the end of every turn.
 *
 * A turn is: wait for something, run what is ready, then call the end hook once, before the
 * loop sleeps again. The end hook is the durability point: only there are outcomes handed to
 * the store and transfers started. Callbacks of timers, signals and transfers only leave notes.
 * turn_wake() makes sure that another turn comes without sleeping. libev is behind it; a
 * simulated turn with the same header moves time by script.
 */
#ifndef IO_TURN_H
#define IO_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turn;

/* From here on SIGPIPE is ignored: a peer that closes is an error code, not a signal. */
struct turn *turn_new(void) __attribute__((warn_unused_result));
/* Every timer, transfer and server on it must be gone. */
void turn_free(struct turn **t);

/* The end hook; one only. It runs at the end of every turn, never inside another callback. */
void turn_on_end(struct turn *t, void (*end)(void *arg), void *arg);

/* Runs until turn_stop(). */
void turn_run(struct turn *t);
/* Makes turn_run() return after the current turn's end hook; it may be run again. */
void turn_stop(struct turn *t);
/* One more turn without sleeping: for work that was noted while the hook ran. */
void turn_wake(struct turn *t);

/* Calls fn from the loop for each signal of that number (SIGTERM, SIGINT, SIGHUP, SIGUSR1). */
void turn_on_signal(struct turn *t, int signal_number, void (*fn)(void *arg, int signal_number),
		    void *arg);

/*
 * A one-shot timer. Setting it again moves it. The wait counts from the call, also after a long
 * turn; 0 (or less) fires in the next turn. Its function may set it again or free it.
 */
struct timer;
struct timer *timer_new(struct turn *t, void (*fn)(void *arg), void *arg)
	__attribute__((warn_unused_result));
void timer_free(struct timer **timer);
void timer_set(struct timer *timer, int64_t wait_ms);
void timer_stop(struct timer *timer);

/* For io/ only: the library's loop. */
void *turn_loop(struct turn *t);

#endif
