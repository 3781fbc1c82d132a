/* world: the wire between all who live in it, and the course of one run. */
#include "world/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

static const int64_t beginning = 1764000000000; /* 2025-11-24T16:00:00Z */

void world_say(const struct world *w, const char *format, ...)
{
	char text[CLOCK_TEXT_MAX];
	va_list args;

	if (!w->is_verbose)
		return;
	clock_iso(sim_now(), true, text);
	printf("%s step %zu: ", text, w->step);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

void world_fail(struct world *w, const char *format, ...)
{
	char text[CLOCK_TEXT_MAX];
	va_list args;

	clock_iso(sim_now(), true, text);
	printf("violated: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n          at %s, after step %zu, life %" PRIu64 " since %" PRId64 " s\n",
	       text, w->step, w->lives, (sim_now() - w->life_at) / SECOND);
	fflush(stdout);
	_exit(1);
}

/* ---- the wire ---- */

/* NULL: a receiver. */
static struct api *api_of(struct world *w, const struct request *r)
{
	const char *port = strstr(r->url, ":800");

	return port == NULL ? NULL : &w->apis[port[4] - '0'];
}

static struct receiver *receiver_of(struct world *w, const struct request *r)
{
	return &w->receivers[strstr(r->url, ":900")[4] - '0'];
}

static int64_t on_leave(void *arg, const struct request *r)
{
	struct world *w = arg;
	struct api *a = api_of(w, r);

	if (a == NULL) {
		struct receiver *s = receiver_of(w, r);

		watch_sink_leave(w, s, r);
		return 1 + chance_below(&s->chance, s->terms.way_ms);
	}
	watch_leave(w, a, r);
	return api_leave(a, r);
}

static void on_arrive(void *arg, const struct request *r, struct sim_answer *out)
{
	struct world *w = arg;
	struct api *a = api_of(w, r);

	if (a != NULL)
		api_arrive(a, r, out);
	else
		watch_sink_arrive(w, receiver_of(w, r), r, out);
}

static bool on_arrives_late(void *arg, const struct request *r)
{
	struct world *w = arg;

	return api_of(w, r) == NULL && chance_below(&receiver_of(w, r)->chance, 2) == 0;
}

static void on_back(void *arg, const struct request *r, const struct reply *reply)
{
	struct world *w = arg;
	struct api *a = api_of(w, r);

	if (a == NULL) {
		watch_sink_back(w, receiver_of(w, r), r, reply);
		return;
	}
	if (reply->kind != REPLY_ANSWERED || reply->status != 200)
		world_say(w, "org%d answers %d %d to %s", a->number, reply->kind, reply->status,
			  strrchr(r->url, '/'));
	watch_back(w, a, r, reply);
}

/* ---- the store that most runs begin with ---- */

enum { BLANK_MAX = 4 << 20, ANEW_ONE_IN = 8 };

static struct buf blank; /* its bytes; freed by nobody, as each run is a copy of the process */

void world_prepare(const char *folder)
{
	char path[240];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", folder);
	buf_init(&blank, BLANK_MAX);
	struct store *store = store_open(path, STORE_DAEMON, &err);

	if (store == NULL)
		die(1, "%s", err.text);
	store_close(&store);
	if (!file_read(path, &blank, &err))
		die(1, "%s", err.text);
}

/* To make a schema costs more than many a life; some runs do it all the same. */
static void lay_store(const struct world *w)
{
	if (w->seed / 2 % ANEW_ONE_IN == 0)
		return;
	FILE *out = fopen(w->store, "w");

	if (out == NULL || fwrite(blank.data, 1, blank.len, out) != blank.len ||
	    fclose(out) != 0)
		die(1, "cannot write %s", w->store);
}

/* ---- the run ---- */

static void set_up(struct world *w)
{
	const struct sim_wire wire = {
		.leave = on_leave,
		.arrive = on_arrive,
		.back = on_back,
		.arrives_late = on_arrives_late,
		.arg = w,
	};

	snprintf(w->store, sizeof(w->store), "%s/t.db", w->folder);
	snprintf(w->conf, sizeof(w->conf), "%s/t.conf", w->folder);
	sim_begin(beginning, &wire);
	lay_store(w);
	life_install_disk(w);
	chance_seed(&w->chance, w->seed);
	if (w->seed % 2 == 0)
		terms_draw_delivery(&w->terms, &w->chance);
	else
		terms_draw(&w->terms, &w->chance);
	w->terms.late_ms = terms_draw_lateness(&w->chance);
	sim_be_lazy(w->terms.late_ms);
	for (size_t i = 0; i < w->terms.api_count; i++) {
		uint64_t ids = w->terms.same_ids ? w->seed : w->seed + (i + 1) * 7919;

		api_init(&w->apis[i], &w->terms.apis[i], (int)i, chance_next(&w->chance), ids);
	}
	for (size_t i = 0; i < w->terms.sink_count; i++)
		receiver_init(&w->receivers[i], &w->terms.sinks[i], (int)i,
			      chance_next(&w->chance));
	rules_plain(&w->rules[0], w->terms.sink_count);
	if (w->terms.delivers)
		rules_draw(&w->rules[0], w->terms.sink_count, &w->chance);
	for (size_t i = 0; i < w->terms.sink_count; i++)
		w->rules[0].window[i] = w->terms.sinks[i].window;
	w->rules_count = 1;
	terms_tell(w);
}

static void tear_down(struct world *w)
{
	life_kill(w);
	ask_leave(w);
	for (size_t i = 0; i < w->terms.api_count; i++)
		api_release(&w->apis[i]);
	told_release(&w->told);
	clock_use(NULL, NULL);
}

int64_t world_run(uint64_t seed, size_t steps, const char *folder, bool is_verbose)
{
	struct world *w = mem_new(sizeof(*w));

	w->seed = seed;
	w->is_verbose = is_verbose;
	snprintf(w->folder, sizeof(w->folder), "%s", folder);
	log_setup(is_verbose ? LOG_INFO : LOG_ERROR, LOG_TEXT);
	set_up(w);
	walk_history(w);
	conf_write(w);
	life_begin(w);
	if (!w->terms.delivers)
		walk_disturb_first(w);
	for (w->step = 1; w->step <= steps; w->step++)
		(w->terms.delivers ? walk_sink_step : walk_step)(w);
	(w->terms.delivers ? calm_sinks : calm_down)(w);
	int64_t lived_ms = sim_now() - beginning;

	tear_down(w);
	mem_free(&w);
	return lived_ms;
}
