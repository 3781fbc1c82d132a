/*
 * turn: one libev loop with a hook at the end of each turn.
 *
 *            ┌─────────────── one turn ───────────────┐
 *   sleep ──▶ timers, sockets, signals ──▶ end hook ──▶ sleep
 *               │ may note work, wake, stop   │
 *               └─────────────────────────────┴─ turn_wake(): the next sleep is no sleep
 *
 * The end hook is an ev_prepare watcher, which libev runs right before it waits, after every
 * callback of the turn. turn_wake() starts an ev_idle watcher: while one is active libev does
 * not wait, and it runs only when nothing else is pending; its callback stops it again. So a
 * wake from the hook gives exactly one more turn, however often it is called.
 *
 * turn_stop() does not break the loop by itself: that would leave out the hook, and what the
 * last callbacks noted would never be settled. It notes the wish, and the hook's watcher breaks
 * the loop after the hook has run.
 */
#include "io/turn.h"

#include <ev.h>
#include <signal.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct listener {
	ev_signal watcher;
	struct listener *next;
	void (*fn)(void *arg, int signal_number);
	void *arg;
};

struct turn {
	struct ev_loop *loop;
	ev_prepare before_sleep;
	ev_idle awake;
	void (*end)(void *arg);
	void *end_arg;
	bool stopping;
	size_t timer_count;
	struct listener *listeners;
};

struct timer {
	struct turn *turn;
	ev_timer watcher;
	void (*fn)(void *arg);
	void *arg;
};

/* Longer waits are one and the same; as seconds it is exact in a double. */
static const int64_t wait_max_ms = INT64_C(3650) * 24 * 3600 * 1000;

static void on_before_sleep(struct ev_loop *loop, ev_prepare *watcher, int events)
{
	struct turn *t = watcher->data;

	(void)events;
	if (t->end != NULL)
		t->end(t->end_arg);
	if (t->stopping)
		ev_break(loop, EVBREAK_ONE);
}

static void on_awake(struct ev_loop *loop, ev_idle *watcher, int events)
{
	(void)events;
	ev_idle_stop(loop, watcher);
}

struct turn *turn_new(void)
{
	struct turn *t = mem_new(sizeof(*t));

	/* A peer that closes while we write is an error code, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	t->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (t->loop == NULL)
		die(EXIT_FAILED, "cannot make an event loop: are there file descriptors left "
				 "(LimitNOFILE=)?");
	ev_prepare_init(&t->before_sleep, on_before_sleep);
	ev_idle_init(&t->awake, on_awake);
	t->before_sleep.data = t;
	ev_prepare_start(t->loop, &t->before_sleep);
	return t;
}

static void release_listeners(struct turn *t)
{
	while (t->listeners != NULL) {
		struct listener *l = t->listeners;

		t->listeners = l->next;
		ev_signal_stop(t->loop, &l->watcher);
		mem_free(&l);
	}
}

void turn_free(struct turn **t)
{
	struct turn *turn = *t;

	if (turn == NULL)
		return;
	if (turn->timer_count > 0)
		BUG("a loop is freed with %zu timers on it", turn->timer_count);
	release_listeners(turn);
	ev_idle_stop(turn->loop, &turn->awake);
	ev_prepare_stop(turn->loop, &turn->before_sleep);
	ev_loop_destroy(turn->loop);
	mem_free(t);
}

void turn_on_end(struct turn *t, void (*end)(void *arg), void *arg)
{
	t->end = end;
	t->end_arg = arg;
}

void turn_run(struct turn *t)
{
	ev_run(t->loop, 0);
	t->stopping = false;
}

void turn_stop(struct turn *t)
{
	t->stopping = true;
	turn_wake(t);
}

void turn_wake(struct turn *t)
{
	ev_idle_start(t->loop, &t->awake);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct listener *l = watcher->data;

	(void)loop;
	(void)events;
	l->fn(l->arg, watcher->signum);
}

void turn_on_signal(struct turn *t, int signal_number, void (*fn)(void *arg, int signal_number),
		    void *arg)
{
	struct listener *l = mem_new(sizeof(*l));

	*l = (struct listener){ .next = t->listeners, .fn = fn, .arg = arg };
	t->listeners = l;
	ev_signal_init(&l->watcher, on_signal, signal_number);
	l->watcher.data = l;
	ev_signal_start(t->loop, &l->watcher);
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct timer *timer = watcher->data;

	(void)loop;
	(void)events;
	timer->fn(timer->arg); /* last: it may free the timer */
}

struct timer *timer_new(struct turn *t, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = mem_new(sizeof(*timer));

	*timer = (struct timer){ .turn = t, .fn = fn, .arg = arg };
	ev_timer_init(&timer->watcher, on_timer, 0., 0.);
	timer->watcher.data = timer;
	t->timer_count++;
	return timer;
}

void timer_free(struct timer **timer)
{
	if (*timer == NULL)
		return;
	timer_stop(*timer);
	(*timer)->turn->timer_count--;
	mem_free(timer);
}

/*
 * libev counts a wait from the moment its turn began. After a long callback that is too early,
 * and who set the timer would wake before his time, find nothing due and set it again; so the
 * loop's idea of now is brought up to date first.
 */
void timer_set(struct timer *timer, int64_t wait_ms)
{
	struct ev_loop *loop = timer->turn->loop;

	if (wait_ms < 0)
		wait_ms = 0;
	if (wait_ms > wait_max_ms)
		wait_ms = wait_max_ms;
	if (wait_ms > 0)
		ev_now_update(loop);
	ev_timer_stop(loop, &timer->watcher);
	ev_timer_set(&timer->watcher, (double)wait_ms / 1000., 0.);
	ev_timer_start(loop, &timer->watcher);
}

void timer_stop(struct timer *timer)
{
	ev_timer_stop(timer->turn->loop, &timer->watcher);
}

void *turn_loop(struct turn *t)
{
	return t->loop;
}
