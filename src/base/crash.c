/*
 * crash: the work in hand, and the handler.
 *
 * The handler may run in the midst of anything, so it calls nothing but what POSIX lists as
 * async-signal-safe, allocates nothing and believes nothing: a text that it cannot read ends
 * the process by a second fault, for the signal is blocked meanwhile, and the note is cut short.
 * It runs on a stack of its own, since a stack that has run out is one of the ways to get here.
 *
 * Afterwards the signal is given back to whoever had it before (a sanitizer, else the system).
 * A fault comes again by itself when the handler returns, with everything that a core dump
 * needs; a signal that was sent (abort, kill) is sent again.
 */
#include "base/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum { STACK_LEN = 64 << 10, PATH_LEN_MAX = 4095, OUT_LEN = 512 };

static const struct fatal {
	int number;
	const char *name;
} fatals[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" },
	{ SIGILL, "SIGILL" },   { SIGFPE, "SIGFPE" },
};

/* The signals leave us no other way to know. */
static struct crash_work in_hand;
static struct sigaction before[ARRAY_LEN(fatals)];
static char note_path[PATH_LEN_MAX + 1];
static pid_t watched_thread;

void crash_begin(const struct crash_work *work)
{
	in_hand = *work;
	atomic_signal_fence(memory_order_seq_cst);
}

void crash_over(void)
{
	in_hand.doing = NULL;
	atomic_signal_fence(memory_order_seq_cst);
}

int64_t crash_hash(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	hash &= INT64_MAX;
	return hash != 0 ? (int64_t)hash : 1;
}

/* ---- the note ---- */

struct out {
	int fd;
	char bytes[OUT_LEN];
	size_t len;
};

static void flush(struct out *o)
{
	ssize_t written = write(o->fd, o->bytes, o->len);

	(void)written; /* a note that is cut short is found out by who reads it */
	o->len = 0;
}

static void put(struct out *o, char byte)
{
	if (o->len == sizeof(o->bytes))
		flush(o);
	o->bytes[o->len++] = byte;
}

static void put_plain(struct out *o, const char *text)
{
	for (; *text != '\0'; text++)
		put(o, *text);
}

static void put_text(struct out *o, const char *key, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	if (text == NULL || text[0] == '\0')
		return;
	put_plain(o, key);
	put(o, ' ');
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte > ' ' && byte < 0x7f && byte != '%') {
			put(o, *text);
			continue;
		}
		put(o, '%');
		put(o, digits[byte >> 4]);
		put(o, digits[byte & 15]);
	}
	put(o, '\n');
}

static void put_number(struct out *o, const char *key, int64_t number)
{
	char text[24], *at = text + sizeof(text);

	if (number <= 0)
		return;
	*--at = '\0';
	for (; number > 0; number /= 10)
		*--at = (char)('0' + number % 10);
	put_text(o, key, at);
}

static int64_t now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0)
		return 1;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void write_note(const char *signal_name)
{
	struct out o = { .fd = open(note_path,
				    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW |
					    O_NONBLOCK,
				    0600) };

	if (o.fd < 0)
		return;
	put_text(&o, "doing", in_hand.doing);
	put_text(&o, "signal", signal_name);
	put_number(&o, "at", now());
	put_number(&o, "number", in_hand.number);
	put_text(&o, "place", in_hand.place);
	put_text(&o, "name", in_hand.name);
	if (in_hand.bytes != NULL)
		put_number(&o, "hash", crash_hash(in_hand.bytes, in_hand.bytes_len));
	put_plain(&o, "end\n");
	flush(&o);
	(void)fsync(o.fd);
	close(o.fd);
}

/* ---- the handler ---- */

static void on_fatal(int number, siginfo_t *info, void *context)
{
	size_t i = 0;

	(void)context;
	while (i < ARRAY_LEN(fatals) - 1 && fatals[i].number != number)
		i++;
	if (in_hand.doing != NULL && gettid() == watched_thread)
		write_note(fatals[i].name);
	sigaction(number, &before[i], NULL);
	if (info->si_code <= 0)
		raise(number);
}

void crash_watch(const char *path)
{
	static char stack[STACK_LEN];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fatal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (snprintf(note_path, sizeof(note_path), "%s", path) > PATH_LEN_MAX)
		return; /* a file at a path of that length would not open either */
	watched_thread = gettid();
	(void)sigaltstack(&own, NULL);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(fatals); i++)
		sigaction(fatals[i].number, &action, &before[i]);
}
