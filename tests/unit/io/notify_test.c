/* notify.h: what a service manager's socket gets to hear. */
#include "io/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

enum { HEARD_MAX = 400 };

struct scene {
	struct turn *turn;
	struct notify *notify;
	int fd; /* the manager's; -1: there is none */
	char folder[64], path[96];
	char heard[HEARD_MAX];
};

/* A manager listens at the path in s->path ("@name" for the abstract kind). */
static void listen_there(struct scene *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(s->path);

	memcpy(at.sun_path, s->path, len);
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	setenv("NOTIFY_SOCKET", s->path, 1);
}

static void open_scene(struct scene *s)
{
	s->turn = turn_new();
	s->notify = notify_new(s->turn);
}

static void close_scene(struct scene *s)
{
	notify_free(&s->notify);
	turn_free(&s->turn);
	if (s->fd >= 0)
		close(s->fd);
}

/* The next message; "" for none. */
static const char *hear(struct scene *s)
{
	ssize_t len = recv(s->fd, s->heard, HEARD_MAX - 1, MSG_DONTWAIT);

	s->heard[len > 0 ? len : 0] = '\0';
	return s->heard;
}

static int set_up(void **state)
{
	struct scene *s = mem_new(sizeof(*s));

	snprintf(s->folder, sizeof(s->folder), "/tmp/notify-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	s->fd = -1;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	close_scene(s);
	unlink(s->path);
	rmdir(s->folder);
	mem_free(&s);
	return 0;
}

static void without_a_manager_nothing_happens(void **state)
{
	static const char *const sockets[] = {
		NULL, "", "@", "relative", "/no/such/socket", "vsock:2:1234"
	};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		if (sockets[i] != NULL)
			setenv("NOTIFY_SOCKET", sockets[i], 1);
		open_scene(s);
		notify_ready(s->notify);
		notify_status(s->notify, "well");
		notify_reloading(s->notify);
		notify_stopping(s->notify, 5);
		close_scene(s);
	}
}

static void each_state_is_a_message(void **state)
{
	struct scene *s = *state;

	listen_there(s);
	open_scene(s);
	notify_ready(s->notify);
	assert_string_equal(hear(s), "READY=1");
	notify_stopping(s->notify, 20000);
	assert_string_equal(hear(s), "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000");
	assert_string_equal(hear(s), "");
}

static void a_reload_says_when_on_the_machines_clock(void **state)
{
	static const char before[] = "RELOADING=1\nMONOTONIC_USEC=";
	struct scene *s = *state;
	struct timespec t;
	int64_t us;

	listen_there(s);
	open_scene(s);
	notify_reloading(s->notify);
	clock_gettime(CLOCK_MONOTONIC, &t);
	assert_int_equal(strncmp(hear(s), before, strlen(before)), 0);
	assert_true(num_parse_int(s->heard + strlen(before), &us, NULL));
	assert_in_range((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 - us, 0, 10000000);
	notify_ready(s->notify);
	assert_string_equal(hear(s), "READY=1");
}

static void a_status_is_said_when_it_is_news(void **state)
{
	struct scene *s = *state;

	listen_there(s);
	open_scene(s);
	notify_status(s->notify, "14 due");
	assert_string_equal(hear(s), "STATUS=14 due");
	notify_status(s->notify, "14 due");
	assert_string_equal(hear(s), "");
	notify_status(s->notify, "15 due");
	assert_string_equal(hear(s), "STATUS=15 due");
}

/* What a server wrote may stand in it. */
static void a_status_is_one_line_and_no_longer_than_it_may(void **state)
{
	struct scene *s = *state;
	char text[2 * NOTIFY_STATUS_MAX];

	listen_there(s);
	open_scene(s);
	notify_status(s->notify, "bad\nMAINPID=1\r\x01 \xc3");
	assert_string_equal(hear(s), "STATUS=bad MAINPID=1   ?");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	notify_status(s->notify, text);
	assert_int_equal(strlen(hear(s)), strlen("STATUS=") + NOTIFY_STATUS_MAX - 1);
	notify_status(s->notify, text);
	assert_string_equal(hear(s), "");
}

static void an_abstract_socket_is_found(void **state)
{
	struct scene *s = *state;

	snprintf(s->path, sizeof(s->path), "@tocsin-notify-test-%ld", (long)getpid());
	listen_there(s);
	open_scene(s);
	notify_ready(s->notify);
	assert_string_equal(hear(s), "READY=1");
}

/* A manager that is down, or does not read, is told later: never waited for. */
static void a_state_that_was_not_taken_is_owed(void **state)
{
	struct scene *s = *state;

	setenv("NOTIFY_SOCKET", s->path, 1);
	open_scene(s);
	notify_ready(s->notify);
	notify_status(s->notify, "well");
	listen_there(s);
	notify_status(s->notify, "well");
	assert_string_equal(hear(s), "READY=1");
	assert_string_equal(hear(s), "STATUS=well");
	for (int i = 0; i < 10000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		notify_status(s->notify, text);
	}
	notify_stopping(s->notify, 1);
	while (hear(s)[0] != '\0')
		;
	notify_status(s->notify, "gone");
	assert_string_equal(hear(s), "STOPPING=1\nEXTEND_TIMEOUT_USEC=1000");
	assert_string_equal(hear(s), "STATUS=gone");
}

static void stop(void *arg)
{
	turn_stop(arg);
}

/* How many WATCHDOG=1 come in half a second. */
static size_t count_alive(struct scene *s)
{
	size_t count = 0;

	listen_there(s);
	open_scene(s);
	notify_ready(s->notify);
	struct timer *end = timer_new(s->turn, stop, s->turn);

	timer_set(end, 500);
	turn_run(s->turn);
	timer_free(&end);
	while (hear(s)[0] != '\0')
		count += strcmp(s->heard, "WATCHDOG=1") == 0;
	return count;
}

static void the_watchdog_hears_of_us_at_half_its_interval(void **state)
{
	setenv("WATCHDOG_USEC", "100000", 1);
	/* A busy machine may make it fewer; half would be one an interval. */
	assert_in_range(count_alive(*state), 4, 11);
}

static void the_watchdog_of_our_pid_is_ours(void **state)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	assert_true(count_alive(*state) > 3);
}

static void the_watchdog_of_another_is_not(void **state)
{
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(count_alive(*state), 0);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(without_a_manager_nothing_happens),
		SCENE(each_state_is_a_message),
		SCENE(a_reload_says_when_on_the_machines_clock),
		SCENE(a_status_is_said_when_it_is_news),
		SCENE(a_status_is_one_line_and_no_longer_than_it_may),
		SCENE(an_abstract_socket_is_found),
		SCENE(a_state_that_was_not_taken_is_owed),
		SCENE(the_watchdog_hears_of_us_at_half_its_interval),
		SCENE(the_watchdog_of_our_pid_is_ours),
		SCENE(the_watchdog_of_another_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
