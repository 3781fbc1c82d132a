/*
 * route_bench: what choosing the routes of an alert costs, as CPU µs by this thread's clock.
 *
 *   route_bench [-r ROUTES] [-m MATCHERS] [-n ALERTS]
 *
 * Alerts of 20 fields, each of which has one of a handful to some hundred values, are read before
 * the clock starts. Each line is one way to write the routes:
 *
 *   mixed      as teams write them: who, what, which model, how much, since when, now and then
 *              a pattern; most alerts match one or a few
 *   all but    every matcher of every route holds, but for the last one
 *   all        every matcher of every route holds, and every route says `continue`
 *   numbers    as "all but", each matcher a comparison with a number of its own
 *
 * `router` is what the daemon asks; `one by one` is the definition, each matcher of each route in
 * turn. Both must choose the same. Instructions are the processor's count where it may be read.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/router.h"

enum { SINKS = 20, KINDS = 200, TEXT_MAX = 2000, FIELDS = 20 };

struct bench {
	int64_t route_count, matcher_count, alert_count;
	struct route *routes;
	size_t *to;
	struct alert *kinds; /* KINDS different ones */
	int counter;         /* of instructions; -1: none */
};

/* ---- alerts ---- */

static const char *const severities[] = { "low", "medium", "high", "critical" };
static const char *const types[] = { "policy_violation", "budget_exceeded", "anomaly_detected",
				     "security_event" };

/* A field's name, and how many values it has: u0 to u99. */
static const struct {
	const char *name;
	unsigned values;
} texts[FIELDS - 6] = {
	{ "user_id", 100 },         { "policy_id", 40 },      { "metadata.model", 12 },
	{ "metadata.team", 50 },    { "metadata.region", 6 }, { "metadata.app", 80 },
	{ "metadata.env", 3 },      { "metadata.owner", 60 }, { "metadata.host", 150 },
	{ "metadata.project", 70 }, { "metadata.tier", 4 },   { "metadata.rule", 90 },
	{ "metadata.zone", 9 },     { "metadata.vendor", 5 },
};

static unsigned value_of(size_t field, unsigned kind)
{
	return (kind * 7919U + (unsigned)field * 104729U) / 3U % texts[field].values;
}

static void make_alert(struct alert *a, unsigned kind)
{
	char text[TEXT_MAX];
	struct err err;
	int len = snprintf(
		text, sizeof(text),
		"{\"id\":\"al%u\",\"org_id\":\"o\",\"type\":\"%s\",\"severity\":"
		"\"%s\",\"status\":\"open\",\"title\":\"Tokens of app %u over budget\","
		"\"created_at\":\"2026-11-%02uT10:30:00Z\",\"user_id\":\"u%u\","
		"\"policy_id\":\"u%u\",\"metadata\":{\"tokens\":%u,\"cost\":%u.5",
		kind, types[kind % 4], severities[kind / 4 % 4], kind, 1 + kind % 28,
		value_of(0, kind), value_of(1, kind), 2000000 + kind, kind);

	for (size_t i = 2; i < ARRAY_LEN(texts); i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",\"%s\":\"u%u\"",
				texts[i].name + strlen("metadata."), value_of(i, kind));
	len += snprintf(text + len, sizeof(text) - (size_t)len, "}}");
	if (!alert_read(a, text, (size_t)len, &err))
		die(EXIT_FAILED, "the alert is none: %s", err.text);
}

/* ---- routes ---- */

typedef char *write_fn(size_t route, size_t matcher, bool is_last);

/* A value that is not far from being hit: of route 7 that of alert 7. */
static char *write_mixed(size_t route, size_t matcher, bool is_last)
{
	size_t field = (route + matcher) % ARRAY_LEN(texts);
	unsigned value = value_of(field, (unsigned)route);

	if (is_last && route % 10 == 0)
		return mem_printf("title =~ '.*app (%zu|%zu) .*'", route % KINDS, matcher);
	switch (matcher) {
	case 0: return mem_printf("metadata.team = u%u", value_of(3, (unsigned)route));
	case 1: return mem_printf("type = %s", types[route % 4]);
	case 2: return mem_printf("severity >= %s", severities[route / 4 % 3]);
	case 3: return mem_printf("metadata.tokens > %zu", route * 2000);
	case 4: return mem_printf("created_at >= 2026-11-%02zu", 1 + route % 20);
	case 5: return mem_printf("source = acme");
	default: break;
	}
	return mem_printf("%s != u%u", texts[field].name, value + (unsigned)matcher);
}

static char *write_all(size_t route, size_t matcher, bool is_last)
{
	(void)is_last;
	switch (matcher % 5) {
	case 0: return mem_printf("source = acme");
	case 1: return mem_printf("severity >= low");
	case 2: return mem_printf("%s != x%zu", texts[matcher % ARRAY_LEN(texts)].name, route);
	case 3: return mem_printf("event = opened");
	default: break;
	}
	return mem_printf("metadata.tokens > %zu", matcher);
}

static char *write_all_but(size_t route, size_t matcher, bool is_last)
{
	if (is_last)
		return mem_printf("metadata.team = x%zu", route);
	return write_all(route, matcher, false);
}

static char *write_numbers(size_t route, size_t matcher, bool is_last)
{
	if (is_last)
		return mem_printf("metadata.tokens < %zu", 1000000 + route);
	return mem_printf("metadata.tokens > %zu", route * 100 + matcher);
}

static void make_routes(struct bench *b, write_fn *write, bool goes_on)
{
	struct err err;

	for (size_t i = 0; i < (size_t)b->route_count; i++) {
		struct route *r = &b->routes[i];

		*r = (struct route){ .closes = true,
				     .events = 31,
				     .goes_on = goes_on || i % 4 == 0,
				     .to = &b->to[i % SINKS],
				     .to_count = 1,
				     .match_count = (size_t)b->matcher_count };
		r->match = mem_array(r->match_count, sizeof(*r->match));
		for (size_t k = 0; k < r->match_count; k++) {
			char *text = write(i, k, k + 1 == r->match_count);

			r->match[k] = matcher_new(text, &err);
			if (r->match[k] == NULL)
				die(EXIT_FAILED, "%s", err.text);
			mem_free(&text);
		}
	}
}

static void release_routes(struct bench *b)
{
	for (size_t i = 0; i < (size_t)b->route_count; i++) {
		for (size_t k = 0; k < b->routes[i].match_count; k++)
			matcher_free(&b->routes[i].match[k]);
		mem_free(&b->routes[i].match);
	}
}

/* ---- measuring ---- */

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_HW_INSTRUCTIONS,
					.exclude_kernel = 1,
					.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int64_t instructions(const struct bench *b)
{
	int64_t count;

	if (b->counter < 0 || read(b->counter, &count, sizeof(count)) != sizeof(count))
		return -1;
	return count;
}

struct cost {
	double us;
	int64_t instructions; /* -1: not known */
	size_t chosen;
};

/* router NULL: one by one. */
static struct cost measure(const struct bench *b, struct router *router, int64_t alerts)
{
	struct route_target targets[SINKS];
	struct cost c = { .chosen = 0 };
	int64_t from = instructions(b);
	double start = cpu_us();

	for (int64_t i = 0; i < alerts; i++) {
		struct facts facts = { .alert = &b->kinds[i % KINDS], .source = "acme" };

		c.chosen += router != NULL ? router_choose(router, &facts, targets, SINKS)
					   : route_choose(b->routes, (size_t)b->route_count,
							  &facts, targets, SINKS);
	}
	c.us = (cpu_us() - start) / (double)alerts;
	c.instructions = from < 0 ? -1 : (instructions(b) - from) / alerts;
	return c;
}

static void run(struct bench *b, const char *name, write_fn *write, bool goes_on)
{
	char count[24] = "-";

	make_routes(b, write, goes_on);
	struct router *router = router_new(b->routes, (size_t)b->route_count);
	struct cost plain = measure(b, NULL, KINDS), check = measure(b, router, KINDS);
	struct cost quick = measure(b, router, b->alert_count);

	if (plain.chosen != check.chosen)
		die(EXIT_FAILED, "%s: the router chose %zu sinks, one by one they are %zu",
		    name, check.chosen, plain.chosen);
	if (quick.instructions >= 0)
		snprintf(count, sizeof(count), "%" PRId64, quick.instructions);
	printf("%-10s %8.2f us %14s instructions %8.1f sinks   one by one %9.1f us\n", name,
	       quick.us, count, (double)quick.chosen / (double)b->alert_count, plain.us);
	router_free(&router);
	release_routes(b);
}

static void parse(struct bench *b, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "r:m:n:")) != -1) {
		int64_t *to = option == 'r'   ? &b->route_count
			      : option == 'm' ? &b->matcher_count
			      : option == 'n' ? &b->alert_count
					      : NULL;

		if (to == NULL || !num_parse_int(optarg, to, NULL) || *to < 1)
			die(EXIT_USAGE, "usage: route_bench [-r ROUTES] [-m MATCHERS] "
					"[-n ALERTS]");
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .route_count = 1000, .matcher_count = 20, .alert_count = 20000 };

	parse(&b, argc, argv);
	b.counter = open_counter();
	b.routes = mem_array((size_t)b.route_count, sizeof(*b.routes));
	b.kinds = mem_array(KINDS, sizeof(*b.kinds));
	b.to = mem_array(SINKS, sizeof(*b.to));
	for (size_t i = 0; i < SINKS; i++)
		b.to[i] = i;
	for (unsigned i = 0; i < KINDS; i++)
		make_alert(&b.kinds[i], i);
	printf("%" PRId64 " routes of %" PRId64 " matchers; CPU an alert, of %" PRId64
	       " alerts\n",
	       b.route_count, b.matcher_count, b.alert_count);
	run(&b, "mixed", write_mixed, false);
	run(&b, "all but", write_all_but, false);
	run(&b, "all", write_all, true);
	run(&b, "numbers", write_numbers, false);
	for (size_t i = 0; i < KINDS; i++)
		alert_release(&b.kinds[i]);
	mem_free(&b.kinds);
	mem_free(&b.routes);
	mem_free(&b.to);
	return EXIT_OK;
}
