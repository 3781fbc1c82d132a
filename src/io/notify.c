/*
 * notify: a socket, what was last said, and what is still owed.
 *
 * The socket is not connected: the manager may be restarted and bind it anew. Of the states
 * (ready, reloading, stopping) the newest alone is owed when the socket is full; the status is
 * owed by `said` being cleared, so that its next text counts as news.
 */
#include "io/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"

enum { STATE_MAX = 128 };

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_len;
	struct timer *timer; /* NULL: there is no watchdog */
	int64_t alive_every_ms;
	char owed[STATE_MAX];         /* a state that was not taken; "": none */
	char said[NOTIFY_STATUS_MAX]; /* the last status that was taken */
};

static bool send_text(struct notify *n, const char *text)
{
	ssize_t sent = sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
			      (const struct sockaddr *)&n->to, n->to_len);

	return sent >= 0;
}

static void send_owed(struct notify *n)
{
	if (n->owed[0] != '\0' && send_text(n, n->owed))
		n->owed[0] = '\0';
}

static void send_state(struct notify *n, const char *text)
{
	if (n->fd < 0)
		return;
	snprintf(n->owed, sizeof(n->owed), "%s", text);
	send_owed(n);
}

static void on_alive(void *arg)
{
	struct notify *n = arg;

	send_owed(n);
	(void)send_text(n, "WATCHDOG=1");
	timer_set(n->timer, n->alive_every_ms);
}

/* ---- what the environment says ---- */

/* False: there is no such variable, or it holds no number over 0. */
static bool read_number(const char *name, int64_t *number)
{
	const char *text = getenv(name);

	return text != NULL && num_parse_int(text, number, NULL) && *number > 0;
}

static void find_watchdog(struct notify *n, struct turn *turn)
{
	int64_t interval_us, pid;

	if (!read_number("WATCHDOG_USEC", &interval_us))
		return;
	if (getenv("WATCHDOG_PID") != NULL &&
	    !(read_number("WATCHDOG_PID", &pid) && pid == (int64_t)getpid()))
		return;
	n->alive_every_ms = interval_us / 2000 > 0 ? interval_us / 2000 : 1;
	n->timer = timer_new(turn, on_alive, n);
}

static bool find_socket(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);

	if (len < 2 || (path[0] != '/' && path[0] != '@') || len >= sizeof(n->to.sun_path))
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
				(path[0] == '/')); /* a path's NUL counts */
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return n->fd >= 0;
}

struct notify *notify_new(struct turn *turn)
{
	struct notify *n = mem_new(sizeof(*n));

	n->fd = -1;
	if (find_socket(n))
		find_watchdog(n, turn);
	return n;
}

void notify_free(struct notify **n)
{
	if (*n == NULL)
		return;
	timer_free(&(*n)->timer);
	if ((*n)->fd >= 0)
		close((*n)->fd);
	mem_free(n);
}

/* ---- what there is to say ---- */

void notify_ready(struct notify *n)
{
	send_state(n, "READY=1");
	if (n->timer != NULL)
		on_alive(n);
}

void notify_reloading(struct notify *n)
{
	char text[STATE_MAX];
	struct timespec t;

	/* The machine's own clock, whatever ours is: the manager compares it with its own. */
	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		 (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	send_state(n, text);
}

void notify_stopping(struct notify *n, int64_t most_ms)
{
	char text[STATE_MAX];

	snprintf(text, sizeof(text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64,
		 most_ms * 1000);
	send_state(n, text);
}

void notify_status(struct notify *n, const char *text)
{
	char line[NOTIFY_STATUS_MAX + sizeof("STATUS=")];

	if (n->fd < 0)
		return;
	send_owed(n);
	if (strncmp(text, n->said, sizeof(n->said) - 1) == 0)
		return;
	snprintf(line, sizeof(line), "STATUS=%.*s", NOTIFY_STATUS_MAX - 1, text);
	/* A line end would begin another message, and half a character of UTF-8 spoil all. */
	for (char *c = line; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = (unsigned char)*c < ' ' ? ' ' : '?';
	n->said[0] = '\0';
	if (send_text(n, line))
		snprintf(n->said, sizeof(n->said), "%s", text);
}
