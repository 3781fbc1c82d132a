/*
 * crash: what was in hand when a fatal signal came, noted for the next start.
 *
 * crash_begin() says what is in hand, crash_over() that it went well; both only store some
 * words. When SIGSEGV, SIGABRT, SIGBUS, SIGILL or SIGFPE comes in between, a handler writes a
 * note beside the store and lets the signal do what it would have done: a core dump, mostly.
 * kill -9 and a power cut leave no note and so accuse nobody; neither does a fault of another
 * thread (a resolver's), which has nothing to do with what is in hand.
 *
 * A note is lines of a word and a value, in which bytes that are not plain are %XX, and ends
 * with the line "end"; so one that was cut short is told from a whole one.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Texts are borrowed until crash_over(), or the next crash_begin(). */
struct crash_work {
	const char *doing; /* a word: "building" */
	const char *place; /* for whom, or from where; NULL: not known */
	const char *name;  /* of what is in hand; NULL: it has none */
	int64_t number;    /* likewise; 0: it has none */
	const char
		*bytes; /* what is in hand itself: its crash_hash() is noted; NULL: nothing */
	size_t bytes_len;
};

void crash_begin(const struct crash_work *work);
void crash_over(void);

/* From now on a fatal signal to this thread leaves a note at path. Once a process. */
void crash_watch(const char *path);

/* 63-bit hash of some bytes, cheap and safe in a signal handler; never 0. It is stored, so it
 * never changes (FNV-1a, sign bit off). */
int64_t crash_hash(const char *bytes, size_t len);

struct crash_note {
	char *doing, *place, *name; /* owned, never NULL; "" where it had none */
	int64_t number, hash;       /* 0: none */
	char *signal;               /* owned: "SIGSEGV" */
	int64_t at;
};

/* What lies at path. False and err for what is no whole note; *is_there: something lies there. */
bool crash_read(const char *path, struct crash_note *note, bool *is_there, struct err *err)
	__attribute__((warn_unused_result));
void crash_release(struct crash_note *note);

#endif
