/*
 * chunks: how long a command may keep a daemon from its turn.
 *
 * A daemon that finds the store taken looks again every 5 ms (flow/deliver). So a chunk is to
 * take CHUNK_MS, it grows and shrinks towards that, and after each the store is left alone for
 * at least PAUSE_MS and for as long as the chunk kept it: a turn waits for one chunk at most, and
 * the daemon has half of the time. Alone, a million rows take about half a minute more by that;
 * whether a daemon is about to start nobody knows.
 *
 * An interrupt is heeded between two chunks, so whatever happens the store is consistent, and
 * what was done is told.
 */
#include "cli/chunks.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	CHUNK_FIRST = 100,
	CHUNK_MIN =
		100, /* what is left then is the commit, which no smaller chunk makes faster */
	CHUNK_MS = 10,
	PAUSE_MS = 8,
	PROGRESS_MS = 500,
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void watch_signals(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Ends early at an interrupt. */
static void pause_ms(int64_t ms)
{
	struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

static void show(const struct chunks *c, const char *end)
{
	fprintf(stderr, "\r%s: %zu of %zu rows%s", c->done, c->taken, c->id_count, end);
	fflush(stderr);
}

static bool run_chunk(struct chunks *c, size_t count, int64_t *kept_ms, struct err *err)
{
	struct selection which = { .ids = c->ids + c->taken,
				   .id_count = count,
				   .states = c->states,
				   .pace = c->pace,
				   .kept_ms = kept_ms };
	int64_t changed = c->change(c->store, &which, clock_now(), err);

	if (changed < 0)
		return false;
	c->taken += count;
	c->changed += changed;
	return true;
}

static size_t next_size(size_t size, int64_t kept_ms)
{
	if (kept_ms > CHUNK_MS)
		return size / 2 > CHUNK_MIN ? size / 2 : CHUNK_MIN;
	if (kept_ms <= CHUNK_MS / 2)
		return size * 2 < STORE_CHUNK_MAX ? size * 2 : STORE_CHUNK_MAX;
	return size;
}

static bool run_all(struct chunks *c, bool shows, struct err *err)
{
	int64_t shown_at = clock_steady();
	size_t size = CHUNK_FIRST;

	while (c->taken < c->id_count && interrupted == 0) {
		size_t left = c->id_count - c->taken;
		int64_t kept_ms;

		if (!run_chunk(c, size < left ? size : left, &kept_ms, err))
			return false;
		if (shows && clock_steady() - shown_at >= PROGRESS_MS) {
			show(c, "");
			shown_at = clock_steady();
		}
		size = next_size(size, kept_ms);
		store_tidy(c->store); /* with no daemon, nobody else would */
		if (c->taken < c->id_count)
			pause_ms(kept_ms > PAUSE_MS ? kept_ms : PAUSE_MS);
	}
	return true;
}

bool chunks_run(struct chunks *c, struct err *err)
{
	bool shows = isatty(STDERR_FILENO) == 1 && c->id_count > STORE_CHUNK_MAX;

	interrupted = 0;
	watch_signals(on_signal);
	bool ok = run_all(c, shows, err);

	watch_signals(SIG_DFL);
	c->is_interrupted = c->taken < c->id_count && interrupted != 0;
	if (shows)
		show(c, "\n");
	return ok;
}
