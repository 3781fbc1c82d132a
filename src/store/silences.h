/*
 * silences: what the operator wants quiet for a while, and until when.
 *
 * A command writes them, the daemon reads them; neither waits for the other. What a silence holds
 * are ordinary rows, each with its id (store/holds.h). A silence that has ended stays for the
 * retention: people ask what it was for and how many rows it dropped. All calls are synchronous.
 */
#ifndef STORE_SILENCES_H
#define STORE_SILENCES_H

#include "store/store.h"

/* More in force at once are refused: each is kept in memory, and asked of each alert. */
enum { SILENCES_MAX = 10000 };

struct silence {
	int64_t id;           /* small, ascending, never used again */
	const char *matchers; /* a JSON list of texts; empty: it takes every alert */
	int64_t since, until; /* in force while since <= now < until */
	const char *comment, *who;
};

/* Adds one; its id comes back in *id, whatever the silence's was. False and err: SILENCES_MAX, too. */
bool store_silence_add(struct store *s, const struct silence *silence, int64_t *id,
		       struct err *err) __attribute__((warn_unused_result));

/* It is over from `now` on. False, with err, also for one that is unknown or over already. */
bool store_silence_end(struct store *s, int64_t id, int64_t now, struct err *err)
	__attribute__((warn_unused_result));

/* Another one whenever a silence was added or has been ended. */
struct silences_stamp {
	int64_t last_id, until_sum;
};
bool store_silences_stamp(struct store *s, struct silences_stamp *out, struct err *err)
	__attribute__((warn_unused_result));

/*
 * Each that is not over, by ascending id, without comment and who. False and err: some were not
 * told.
 */
bool store_silences_each(struct store *s, int64_t now,
			 void (*take)(void *arg, const struct silence *silence), void *arg,
			 struct err *err) __attribute__((warn_unused_result));

#endif
