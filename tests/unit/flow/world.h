/*
 * world: the whole of flow on a scripted wire, for stories: one source, some receivers, a real
 * store in a folder of its own, the clock moved by hand.
 *
 * A story writes a configuration, says what the API lists and how receivers answer, begin()s the
 * program and run_until()s an instant; die_here() is kill -9. What was heard is in world.hits,
 * what was stored is asked in SQL. Each function is static inline: a story needs not all of them.
 */
#ifndef TESTS_FLOW_WORLD_H
#define TESTS_FLOW_WORLD_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "fake_io.h"
#include "flow/app.h"
#include "store/store.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t START = 1764000000000; /* 2025-11-24T16:00:00Z */

/* ---- a world of one source and some receivers ---- */

struct hit {
	int64_t at;
	char path[32], id[64], webhook_id[64], type[32];
	bool possible_repeat;
	int status;
};

static struct {
	char folder[64];
	const char *poll_every, *credentials, *more; /* more: keys of the top; NULL: none */
	char page[12000];                            /* what /alerts answers */
	int page_status;
	/* Answers a request to the API in its own way; false: as usual. May be NULL. */
	bool (*api)(const struct request *r, struct fake_answer *out);
	size_t api_count; /* requests to the API */
	struct hit hits[4000];
	size_t hit_count;
	/* The status for one request to a receiver, by its path; 0: it hangs for a minute. */
	int (*receive)(const struct hit *hit);
	int64_t receive_ms;
	struct app *app;
	struct turn *turn;
	struct setup *setup;
	int stderr_fd, log_fd; /* while the log is heard */
} world;

static inline int always_ok(const struct hit *hit)
{
	(void)hit;
	return 200;
}

static inline void alert_text(char *out, size_t size, const char *id, const char *status,
			      const char *severity)
{
	snprintf(
		out, size,
		"{\"id\":\"%s\",\"org_id\":\"o\",\"type\":\"anomaly_detected\",\"status\":\"%s\","
		"\"severity\":\"%s\",\"title\":\"t\",\"created_at\":\"2025-11-24T16:30:00Z\"}",
		id, status, severity);
}

/* What the API lists from now on: ids a1…an. */
static inline void list_alerts(size_t count, const char *status, const char *severity)
{
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 1; i <= count; i++) {
		char id[16], text[300];

		snprintf(id, sizeof(id), "a%zu", i);
		alert_text(text, sizeof(text), id, status, severity);
		len += (size_t)snprintf(world.page + len, sizeof(world.page) - len, "%s%s",
					i > 1 ? "," : "", text);
	}
	snprintf(world.page + len, sizeof(world.page) - len,
		 "],\"next_cursor\":null,\"has_more\":false}");
}

static inline void copy_between(const char *text, const char *before, char after, char *out,
				size_t size)
{
	const char *at = strstr(text, before);

	out[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(before);
	snprintf(out, size, "%.*s", (int)strcspn(at, (char[]){ after, '\0' }), at);
}

static inline void answer_receiver(const struct request *r, struct fake_answer *out)
{
	struct hit *hit = &world.hits[world.hit_count++];
	const char *id = request_get_header(r, "webhook-id");

	assert_true(world.hit_count < ARRAY_LEN(world.hits));
	*hit = (struct hit){ .at = fake.now };
	snprintf(hit->path, sizeof(hit->path), "%s", strrchr(r->url, '/'));
	snprintf(hit->webhook_id, sizeof(hit->webhook_id), "%s", id != NULL ? id : "");
	copy_between(r->body.data, "\"type\":\"alert.", '"', hit->type, sizeof(hit->type));
	copy_between(r->body.data, "\"id\":\"", '"', hit->id, sizeof(hit->id));
	hit->possible_repeat = strstr(r->body.data, "\"possible_repeat\":true") != NULL;
	hit->status = world.receive(hit);
	out->reply.status = hit->status;
	snprintf(out->body, sizeof(out->body), "ok");
	out->delay_ms = world.receive_ms;
	if (hit->status == 0) {
		out->delay_ms = 30 * SECOND;
		out->reply.kind = REPLY_TIMEOUT;
		out->reply.maybe_sent = true;
	}
}

static inline void answer(const struct request *r, struct fake_answer *out)
{
	if (strstr(r->url, "/v1/") == NULL) {
		answer_receiver(r, out);
		return;
	}
	world.api_count++;
	out->delay_ms = 5;
	if (world.api != NULL && world.api(r, out))
		return;
	if (strstr(r->url, "/oauth/token") != NULL) {
		snprintf(out->body, sizeof(out->body), "{\"access_token\":\"t\"}");
		return;
	}
	out->reply.status = world.page_status;
	snprintf(out->body, sizeof(out->body), "%s", world.page);
	snprintf(out->headers, sizeof(out->headers), "Date: Mon, 24 Nov 2025 16:00:00 GMT\r\n");
}

/* ---- the program on it ---- */

static inline void write_conf(const char *sinks, const char *routes)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/t.conf", world.folder);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out,
		"store = \"%s/t.db\"; templates = \"templates\";\n"
		"sources = ( { name = \"acme\"; base_url = \"http://127.0.0.1:1/v1\"; %s "
		"poll_every = \"%s\"; } );\nsinks = ( %s );\nroutes = ( %s );\n%s\n",
		world.folder, world.credentials, world.poll_every, sinks, routes,
		world.more != NULL ? world.more : "");
	fclose(out);
}

#define BUS           "{ name = \"bus\"; type = \"webhook\"; url = \"http://127.0.0.1:1/bus\"; }"
#define CAR           "{ name = \"car\"; type = \"webhook\"; url = \"http://127.0.0.1:1/car\"; }"
#define ALL_TO(sinks) "{ name = \"all\"; to = [ " sinks " ]; }"

static inline void begin(void)
{
	char path[128];
	struct conf_problems problems = { .list = NULL };
	struct err err;

	snprintf(path, sizeof(path), "%s/t.conf", world.folder);
	world.setup = setup_load(path, &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s\n", problems.list[i].message);
	assert_non_null(world.setup);
	conf_problems_release(&problems);
	world.turn = turn_new();
	world.app = app_new(world.setup, world.turn, 7, &err);
	if (world.app == NULL)
		print_error("%s\n", err.text);
	assert_non_null(world.app);
}

static inline void run_until(int64_t at)
{
	fake.stop_at = at;
	turn_run(world.turn);
}

/* The process dies: no turn ends any more, so nothing that comes now is told to the store. */
static inline void die_here(void)
{
	xfer_cut(fake.xfer);
	app_free(&world.app);
	turn_free(&world.turn);
	setup_free(&world.setup);
}

static inline int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	const char *folder = getenv("TMPDIR");

	snprintf(world.folder, sizeof(world.folder), "%.40s/app_test_XXXXXX",
		 folder != NULL ? folder : "/tmp");
	assert_non_null(mkdtemp(world.folder));
	world.receive = always_ok;
	world.receive_ms = 3;
	world.poll_every = "10s";
	world.credentials = "api_key = \"k\";";
	world.page_status = 200;
	list_alerts(0, "open", "high");
	memset(&fake, 0, sizeof(fake));
	fake.now = START;
	fake.answer = answer;
	clock_use(fake_wall, fake_steady);
	return 0;
}

static inline int tear_down(void **state)
{
	char command[128];

	(void)state;
	if (world.app != NULL)
		die_here();
	if (world.log_fd != 0) {
		dup2(world.stderr_fd, STDERR_FILENO);
		close(world.stderr_fd);
		close(world.log_fd);
	}
	clock_use(NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", world.folder);
	return system(command);
}

/* ---- questions ---- */

static inline size_t hits_of(const char *path, const char *type)
{
	size_t count = 0;

	for (size_t i = 0; i < world.hit_count; i++)
		count += strcmp(world.hits[i].path, path) == 0 &&
			 strcmp(world.hits[i].type, type) == 0;
	return count;
}

static inline int64_t count_of(const char *sql)
{
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_READ, &err);

	if (store == NULL)
		print_error("%s\n", err.text);
	assert_non_null(store);
	struct view *v = view_open(store, sql, NULL, 0, &err);

	assert_non_null(v);
	assert_true(view_next(v));
	int64_t n = view_int(v, "n");

	view_close(&v);
	store_close(&store);
	return n;
}

/* The disk takes nothing while `failing`; what SQLite then says is an I/O error. */
static inline void fail_disk(bool failing)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = failing ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Stderr from here on, up to a pipe's size; said() looks whether a text came and reads on. */
static inline void hear_log(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	fflush(stderr);
	world.stderr_fd = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	world.log_fd = ends[0];
}

/* How often a text came in the log since the last call. */
static inline size_t said(const char *text)
{
	static char log[65537];
	size_t len = 0, count = 0;
	ssize_t got;

	while ((got = read(world.log_fd, log + len, sizeof(log) - 1 - len)) > 0)
		len += (size_t)got;
	log[len] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
