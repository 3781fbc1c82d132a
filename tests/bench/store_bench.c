/*
 * store_bench: what the queue costs, as CPU µs per delivery by this thread's clock.
 *
 *   store_bench [-n DELIVERIES] [-k TURN] [-w WAITING] [-s SINKS] [FOLDER]
 *
 * Pages of 100 new alerts of 600 bytes, ids in order, one row a sink; turns that settle k
 * first successes, claim k more and read their bodies, in one commit. First the store is
 * filled with `waiting` alerts, uncounted; then each page is followed by the turns that drain
 * as many rows as it made. Reading the page's JSON is not counted: it is done before the clock
 * starts. Figures move by 10 % between runs: compare within one.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "store/store.h"

enum { PAGE = 100, SINKS_MAX = 16, TURN_MAX = 1024 };

struct bench {
	struct store *s;
	int source, route;
	size_t sink_count, turn_size;
	struct target targets[SINKS_MAX];
	struct ask asks[SINKS_MAX];
	struct settle settles[TURN_MAX];
	size_t settle_count;
	int64_t now, next_id, done;
	double page_us, turn_us;
};

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void decide(void *arg, const struct known *known, const struct alert *seen,
		   struct decision *out)
{
	struct bench *b = arg;

	(void)known;
	(void)seen;
	out->step_count = 1;
	out->steps[0] = (struct step){ .kind = EVENT_OPENED,
				       .new_episode = true,
				       .targets = b->targets,
				       .target_count = b->sink_count };
}

static void on_page(void *arg, const struct page_result *result)
{
	(void)arg;
	if (!result->ok)
		die(EXIT_FAILED, "page: %s", result->error);
}

static void on_turn(void *arg, const struct turn_result *result)
{
	struct bench *b = arg;

	if (!result->ok)
		die(EXIT_FAILED, "turn: %s", result->error);
	b->done += (int64_t)b->settle_count;
	b->settle_count = result->claim_count;
	for (size_t i = 0; i < result->claim_count; i++)
		b->settles[i] = (struct settle){
			.id = result->claims[i].id,
			.state = DELIVERY_DONE,
			.attempt_count = 1,
			.attempt = { .at = b->now, .took_ms = 1, .status = 200 },
		};
}

static void read_item(struct bench *b, struct alert *a)
{
	char bytes[700];
	struct err err;
	int len = snprintf(bytes, sizeof(bytes),
			   "{\"id\":\"al%012" PRId64
			   "\",\"org_id\":\"org_1\",\"type\":\"policy\","
			   "\"severity\":\"high\",\"status\":\"open\",\"title\":\"A title\","
			   "\"created_at\":\"2026-11-24T03:45:56Z\",\"message\":\"%0430d\"}",
			   b->next_id++, 0);

	if (!alert_read(a, bytes, (size_t)len, &err))
		die(EXIT_FAILED, "%s", err.text);
}

static void store_one_page(struct bench *b)
{
	struct alert items[PAGE];
	struct page_batch batch = { .source = b->source,
				    .now = b->now,
				    .items = items,
				    .item_count = PAGE,
				    .decide = decide,
				    .decide_arg = b,
				    .done = on_page,
				    .arg = b };

	for (size_t i = 0; i < PAGE; i++)
		read_item(b, &items[i]);
	double from = cpu_us();

	store_page(b->s, &batch);
	store_tidy(b->s);
	b->page_us += cpu_us() - from;
	for (size_t i = 0; i < PAGE; i++)
		alert_release(&items[i]);
}

static void one_turn(struct bench *b)
{
	struct turn_batch batch = { .now = b->now,
				    .settles = b->settles,
				    .settle_count = b->settle_count,
				    .asks = b->asks,
				    .ask_count = b->sink_count,
				    .done = on_turn,
				    .arg = b };
	double from = cpu_us();

	store_turn(b->s, &batch);
	store_tidy(b->s);
	b->turn_us += cpu_us() - from;
}

static void set_up(struct bench *b, const char *path)
{
	struct store_sink sinks[SINKS_MAX];
	char names[SINKS_MAX][16];
	struct err err;

	b->s = store_open(path, STORE_DAEMON, &err);
	if (b->s == NULL || !store_source_number(b->s, "acme", &b->source, &err) ||
	    !store_route_number(b->s, "rest", &b->route, &err))
		die(EXIT_FAILED, "%s", err.text);
	for (size_t i = 0; i < b->sink_count; i++) {
		snprintf(names[i], sizeof(names[i]), "s%zu", i);
		sinks[i] = (struct store_sink){ .name = names[i], .type = "webhook" };
	}
	if (!store_sinks(b->s, sinks, b->sink_count, &err))
		die(EXIT_FAILED, "%s", err.text);
	for (size_t i = 0; i < b->sink_count; i++) {
		b->targets[i] = (struct target){ .sink = sinks[i].number, .route = b->route };
		b->asks[i] = (struct ask){ .sink = sinks[i].number,
					   .room = (b->turn_size + b->sink_count - 1) /
						   b->sink_count };
	}
}

static void run(struct bench *b, int64_t count, int64_t waiting)
{
	for (; b->next_id < waiting; b->now++)
		store_one_page(b);
	b->page_us = 0;
	for (int64_t made = 0; b->done < count; b->now++) {
		store_one_page(b);
		made += (int64_t)(PAGE * b->sink_count);
		while (b->done + (int64_t)b->settle_count < made)
			one_turn(b);
	}
	double n = (double)b->done;

	printf("S=%zu k=%zu waiting=%" PRId64
	       ": page %.2f + turn %.2f = %.2f us CPU a delivery\n",
	       b->sink_count, b->turn_size, waiting, b->page_us / n, b->turn_us / n,
	       (b->page_us + b->turn_us) / n);
}

static int64_t number(const char *text, int64_t most)
{
	struct err err;
	int64_t value;

	if (!num_parse_int(text, &value, &err))
		die(EXIT_USAGE, "%s: %s", text, err.text);
	if (value < 1 || value > most)
		die(EXIT_USAGE, "%s: from 1 to %" PRId64, text, most);
	return value;
}

int main(int argc, char **argv)
{
	struct bench b = { .turn_size = 64, .sink_count = 1, .now = 1000000 };
	int64_t count = 50000, waiting = 1000;
	int option;

	while ((option = getopt(argc, argv, "n:k:w:s:")) != -1) {
		switch (option) {
		case 'n': count = number(optarg, INT64_MAX); break;
		case 'k': b.turn_size = (size_t)number(optarg, TURN_MAX - SINKS_MAX); break;
		case 'w': waiting = number(optarg, INT64_MAX); break;
		case 's': b.sink_count = (size_t)number(optarg, SINKS_MAX); break;
		default: return EXIT_USAGE;
		}
	}
	char *path = mem_printf("%s/store_bench.%ld.db", optind < argc ? argv[optind] : ".",
				(long)getpid());
	char *lock = mem_printf("%s.lock", path);

	set_up(&b, path);
	run(&b, count, waiting);
	store_close(&b.s);
	unlink(path);
	unlink(lock);
	mem_free(&path);
	mem_free(&lock);
	return EXIT_OK;
}
