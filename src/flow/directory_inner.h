/*
 * directory_inner: what the files of directory share; nobody outside includes it.
 *
 *   directory.c       when a list is due, the pump, the store
 *   directory_page.c  one page: asked for, answered; what fails
 */
#ifndef FLOW_DIRECTORY_INNER_H
#define FLOW_DIRECTORY_INNER_H

#include "base/backoff.h"
#include "base/bits.h"
#include "flow/directory.h"
#include "model/listing.h"
#include "store/directory.h"

enum { DESK_PAGE_LIMIT = 100 }; /* the most that the API gives */

enum desk_doing {
	DESK_RESTS,
	DESK_WANTS_PAGE,
	DESK_PAGE_FLIES,
	DESK_WANTS_STORE,
	DESK_WANTS_END,
};

struct desk {
	struct directory *directory;
	enum context_kind kind;
	bool is_kept;
	enum desk_doing doing;
	int64_t not_before; /* steady */
	int64_t next_at;    /* steady; when its next pass is due */
	bool is_early;      /* one is wanted before that */
	int64_t ended_at;   /* steady; the last pass's end */

	/* the walk */
	char *cursor;      /* owned; of the page that is wanted; NULL: the first */
	int64_t cursor_at; /* steady; when it was given to us */
	char *mark;        /* owned; Brent's: an earlier cursor */
	size_t pages;
	size_t items, changed, left_out;
	char why_left_out[200];
	struct bits listed;         /* rows of the store that were listed */
	int64_t began_at, asked_at; /* steady */
	int64_t from;               /* of the end's steps */
	size_t page_limit;
	struct listing page; /* while WANTS_STORE */

	char *bearer;    /* owned; what the newest request was sent with */
	bool is_renewed; /* 401 was answered by one renewal for this page already */
	int64_t repeats; /* of this page */
	bool ends_empty; /* the list was seen to end with an empty page */

	/* what fails */
	char error[ERR_TEXT_MAX]; /* "": nothing */
	int64_t fails;            /* given up in a row */
	bool is_off;

	int64_t completed_at, count;
	int64_t passes, errors;
};

struct directory {
	struct directory_parts p;
	struct desk desks[CONTEXT_LISTS];
	struct chance chance;
	bool is_stopped, is_retired;
	int64_t news;
};

static inline struct directory_list desk_list(const struct desk *desk)
{
	return (struct directory_list){ desk->directory->p.number, desk->kind };
}

/* `next` is started, but not before wait_ms have passed. */
void desk_to(struct desk *desk, enum desk_doing next, int64_t wait_ms);
/* What it was walking is forgotten. */
void desk_rest(struct desk *desk);
/* The list begins anew after a wait that grows. asked_ms: a Retry-After; -1: none. */
void desk_give_up(struct desk *desk, const char *reason, int64_t asked_ms);
/* What it says in the log once, and again now and then. */
void desk_say_failed(struct desk *desk, const char *reason);

/* Asks for the page that is wanted, or waits for its turn. */
void desk_start_page(struct desk *desk);
/* Does a walk end with this page, as far as it can be believed? */
bool desk_is_doubtful_end(struct desk *desk);

#endif
