/*
 * bench_loop: what posting costs without us: libcurl's multi socket interface on epoll, and
 * with -s the least store that loses nothing.
 *
 *   bench_loop [-n COUNT] [-w WINDOW] [-s FILE] URL
 *
 * Posts COUNT bodies, WINDOW at a time, all over kept connections: the alert of that number in
 * the webhook's envelope, with the headers of one, unsigned. With -s each body is a row of a
 * SQLite file first (WAL, synchronous=FULL; 100 rows a commit, as pages come), and each turn is one
 * commit that deletes what was answered and reads what is posted next. The rows come
 * meanwhile: one commit of 100 whenever fewer than WINDOW wait. It prints seconds, CPU
 * seconds and the peak of its memory in KiB.
 */
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "bench_alert.h"

enum { PAGE = 100, WINDOW_MAX = 1000, EVENTS = 128, BODY_MAX = BENCH_ALERT_MAX + 200 };

struct slot {
	CURL *easy;
	struct curl_slist *headers;
	int64_t number;
	char body[BODY_MAX];
};

struct loop {
	const char *url;
	int64_t count, made, taken, done; /* bodies: stored, posted, answered */
	size_t window;
	int poll;
	long timeout_ms;
	CURLM *multi;
	struct slot slots[WINDOW_MAX], *idle[WINDOW_MAX];
	size_t idle_count;
	int64_t answered[WINDOW_MAX]; /* not yet deleted */
	size_t answered_count;
	sqlite3 *db;
	sqlite3_stmt *insert, *select, *remove;
};

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int make_body(char body[BODY_MAX], int64_t number)
{
	char alert[BENCH_ALERT_MAX];

	bench_alert(alert, (uint64_t)number, false);
	return snprintf(body, BODY_MAX,
			"{\"type\":\"alert.opened\",\"timestamp\":\"2026-01-01T00:00:00.000Z\","
			"\"data\":{\"alert\":%s,\"source\":\"bench\",\"route\":\"all\","
			"\"sink\":\"hook\"}}",
			alert);
}

/* ---- the store --------------------------------------------------------------------------- */

static void run_sql(struct loop *l, const char *sql)
{
	if (sqlite3_exec(l->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(EXIT_FAILED, "%s: %s", sql, sqlite3_errmsg(l->db));
}

static sqlite3_stmt *prepare(struct loop *l, const char *sql)
{
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(l->db, sql, -1, &s, NULL) != SQLITE_OK)
		die(EXIT_FAILED, "%s: %s", sql, sqlite3_errmsg(l->db));
	return s;
}

static void store_open(struct loop *l, const char *path)
{
	if (sqlite3_open(path, &l->db) != SQLITE_OK)
		die(EXIT_FAILED, "%s: %s", path, sqlite3_errmsg(l->db));
	run_sql(l, "PRAGMA journal_mode=WAL");
	run_sql(l, "PRAGMA synchronous=FULL");
	run_sql(l, "CREATE TABLE outbox (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
	l->insert = prepare(l, "INSERT INTO outbox (id, body) VALUES (?, ?)");
	l->select = prepare(l, "SELECT id, body FROM outbox WHERE id >= ? LIMIT ?");
	l->remove = prepare(l, "DELETE FROM outbox WHERE id = ?");
}

static void step_done(struct loop *l, sqlite3_stmt *s)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		die(EXIT_FAILED, "%s: %s", sqlite3_sql(s), sqlite3_errmsg(l->db));
	sqlite3_reset(s);
}

static void store_page(struct loop *l)
{
	char body[BODY_MAX];

	run_sql(l, "BEGIN IMMEDIATE");
	for (int i = 0; i < PAGE && l->made < l->count; i++, l->made++) {
		int len = make_body(body, l->made);

		sqlite3_bind_int64(l->insert, 1, l->made);
		sqlite3_bind_text(l->insert, 2, body, len, SQLITE_STATIC);
		step_done(l, l->insert);
	}
	run_sql(l, "COMMIT");
}

/* Fills the idle slots; returns how many. Nothing is posted before the commit. */
static size_t store_turn(struct loop *l)
{
	size_t n = 0;

	run_sql(l, "BEGIN IMMEDIATE");
	for (size_t i = 0; i < l->answered_count; i++) {
		sqlite3_bind_int64(l->remove, 1, l->answered[i]);
		step_done(l, l->remove);
	}
	sqlite3_bind_int64(l->select, 1, l->taken);
	sqlite3_bind_int64(l->select, 2, (int64_t)l->idle_count);
	while (sqlite3_step(l->select) == SQLITE_ROW) {
		struct slot *slot = l->idle[l->idle_count - 1 - n++];

		slot->number = sqlite3_column_int64(l->select, 0);
		snprintf(slot->body, BODY_MAX, "%s", sqlite3_column_text(l->select, 1));
	}
	sqlite3_reset(l->select);
	run_sql(l, "COMMIT");
	l->answered_count = 0;
	return n;
}

static size_t take_unstored(struct loop *l)
{
	size_t n = 0;

	for (; n < l->idle_count && l->taken + (int64_t)n < l->count; n++) {
		struct slot *slot = l->idle[l->idle_count - 1 - n];

		slot->number = l->taken + (int64_t)n;
		make_body(slot->body, slot->number);
	}
	l->answered_count = 0;
	return n;
}

/* ---- posting ----------------------------------------------------------------------------- */

static void post(struct loop *l, struct slot *slot)
{
	char id[64], at[64];

	curl_slist_free_all(slot->headers);
	snprintf(id, sizeof(id), "webhook-id: msg_%024" PRIu64, (uint64_t)slot->number);
	snprintf(at, sizeof(at), "webhook-timestamp: %lld", (long long)time(NULL));
	slot->headers = curl_slist_append(NULL, "Content-Type: application/json");
	slot->headers = curl_slist_append(slot->headers, id);
	slot->headers = curl_slist_append(slot->headers, at);
	curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->headers);
	curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, slot->body);
	curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(slot->body));
	curl_multi_add_handle(l->multi, slot->easy);
}

/* A turn is worth a commit when half of the window is free, or nothing else is to do. */
static void start_more(struct loop *l)
{
	bool is_stored = l->db != NULL;

	if (l->idle_count < (l->window + 1) / 2 && l->taken < l->count)
		return;
	if (is_stored && l->made < l->count && l->made - l->taken < (int64_t)l->window)
		store_page(l);
	if (l->taken == l->count && l->done < l->count)
		return;
	size_t n = is_stored ? store_turn(l) : take_unstored(l);

	for (; n > 0; n--, l->taken++)
		post(l, l->idle[--l->idle_count]);
}

static void collect(struct loop *l)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(l->multi, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		struct slot *slot = NULL;
		long status = 0;

		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
		if (message->data.result != CURLE_OK || status != 200)
			die(EXIT_FAILED, "post: %s, status %ld",
			    curl_easy_strerror(message->data.result), status);
		curl_multi_remove_handle(l->multi, easy);
		l->answered[l->answered_count++] = slot->number;
		l->idle[l->idle_count++] = slot;
		l->done++;
	}
}

/* ---- the loop ---------------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct loop *l = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(l->poll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = ((what & CURL_POLL_IN) ? (uint32_t)EPOLLIN : 0) |
		       ((what & CURL_POLL_OUT) ? (uint32_t)EPOLLOUT : 0);
	epoll_ctl(l->poll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	curl_multi_assign(l->multi, fd, l);
	return 0;
}

static int on_timeout(CURLM *multi, long timeout_ms, void *arg)
{
	struct loop *l = arg;

	(void)multi;
	l->timeout_ms = timeout_ms;
	return 0;
}

static void wait_once(struct loop *l)
{
	struct epoll_event ready[EVENTS];
	int running, count = epoll_wait(l->poll, ready, EVENTS, (int)l->timeout_ms);

	if (count == 0)
		curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	for (int i = 0; i < count; i++) {
		uint32_t events = ready[i].events;
		int what = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
			   ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
			   ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(l->multi, ready[i].data.fd, what, &running);
	}
}

static void set_up(struct loop *l)
{
	l->poll = epoll_create1(0);
	l->timeout_ms = -1;
	l->multi = curl_multi_init();
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	for (size_t i = 0; i < l->window; i++) {
		struct slot *slot = &l->slots[i];

		slot->easy = curl_easy_init();
		curl_easy_setopt(slot->easy, CURLOPT_URL, l->url);
		curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
		curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, 30000L);
		curl_easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L);
		l->idle[l->idle_count++] = slot;
	}
}

/* Not ru_maxrss: that begins with what the parent had. */
static long peak_kib(void)
{
	char line[200];
	long kib = 0;
	FILE *status = fopen("/proc/self/status", "r");

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (status != NULL)
		fclose(status);
	return kib;
}

int main(int argc, char **argv)
{
	struct loop *l = mem_new(sizeof(*l));

	l->count = 20000;
	l->window = 64;
	for (int option; (option = getopt(argc, argv, "n:w:s:")) != -1;) {
		switch (option) {
		case 'n': l->count = strtoll(optarg, NULL, 10); break;
		case 'w': l->window = strtoul(optarg, NULL, 10); break;
		case 's': store_open(l, optarg); break;
		default: return EXIT_USAGE;
		}
	}
	if (optind != argc - 1 || l->window < 1 || l->window > WINDOW_MAX)
		return EXIT_USAGE;
	l->url = argv[optind];
	double began = seconds_of(CLOCK_MONOTONIC);

	set_up(l);
	while (l->done < l->count) {
		start_more(l);
		wait_once(l);
		collect(l);
	}
	start_more(l); /* the last answers */
	printf("%.6f %.6f %ld\n", seconds_of(CLOCK_MONOTONIC) - began,
	       seconds_of(CLOCK_PROCESS_CPUTIME_ID), peak_kib());
	return EXIT_OK;
}
