/*
 * listing: one page of users, policies or budgets: bytes in, objects with their ids out.
 *
 * As lenient as a page of alerts: what has no id, is no object or is too large is left out and
 * counted, and the page goes on. An object's own bytes are kept (repaired where they were no
 * text): what they say is for who shows them.
 */
#ifndef MODEL_LISTING_H
#define MODEL_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/context.h"
#include "model/json.h"

enum {
	LISTING_BYTES_MAX = 8 << 20, /* of a page */
	LISTING_ITEM_MAX = 64 << 10, /* bytes of one object */
	LISTING_ITEMS_MAX = 10000,   /* of a page */
	LISTING_ID_MAX = 1024,       /* bytes */
};

struct listed {
	char *id;   /* owned */
	char *body; /* owned; UTF-8, an object */
	size_t body_len;
	int64_t hash;
	/* Owned; of a budget: its department in small letters, "" for the whole organisation; NULL
	 * otherwise. */
	char *place;
};

struct listing {
	struct listed *items;
	size_t item_count;
	size_t left_out;
	char why[200];     /* the first of them was */
	char *next_cursor; /* owned; NULL on the last page */
	bool is_torn;      /* it says that there is more, and not where */
};

/* False, and nothing to release, for what is no page (see frame.h), or too long a one. */
bool listing_read(struct listing *l, enum context_kind kind, const char *bytes, size_t len,
		  struct err *err) __attribute__((warn_unused_result));
void listing_release(struct listing *l);

/*
 * Hands over, in order, each object of the items of a page (frame.h) that is wanted for what it
 * says alone; what is none, or too large, is left out. item lives until take() returns. False
 * and err when the list is cut; some were taken by then.
 */
bool listing_each(struct json_span items, void (*take)(void *arg, const struct json *item),
		  void *arg, struct err *err) __attribute__((warn_unused_result));

/* A department as listed.place has it; the caller frees it. NULL gives "". */
char *listing_place(const char *department, size_t len) __attribute__((warn_unused_result));

#endif
