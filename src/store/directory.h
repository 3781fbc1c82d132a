/*
 * directory: users, policies and budgets of a source, mirrored from the API's lists.
 *
 * Pages are put as they come; only the end of a complete pass, in steps, says what is gone, so a
 * pass that was cut short takes nothing away. What is gone keeps its last body, for its name, for
 * DIRECTORY_KEEP_MS. All calls are synchronous; who writes is flow/directory alone. A failure
 * changes nothing: the caller asks again.
 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include "base/bits.h"
#include "base/buf.h"
#include "model/listing.h"
#include "store/store.h"

/* Gone for so long, it is forgotten: 400 days. */
#define DIRECTORY_KEEP_MS (INT64_C(400) * 24 * 3600 * 1000)

struct directory_list {
	int source;
	enum context_kind kind; /* one of CONTEXT_LISTS */
};

enum directory_done {
	DIRECTORY_DONE,
	DIRECTORY_MORE, /* of a step: there is another one */
	DIRECTORY_BUSY, /* a command writes: again soon */
	DIRECTORY_FAILED,
};

/* Puts the items of a page, whose numbers are added to `listed`; *changed: rows written. */
enum directory_done store_directory_page(struct store *s, struct directory_list of,
					 const struct listing *page, struct bits *listed,
					 size_t *changed, struct err *err);

/*
 * One step of the end of a complete pass: rows that were not listed are gone from `now` on, rows
 * that have been gone for long go. *from begins at 0 and is moved on; DONE with the last step,
 * which also notes the pass.
 */
enum directory_done store_directory_end(struct store *s, struct directory_list of,
					const struct bits *listed, int64_t now, int64_t *from,
					struct err *err);

/* When the list was last read whole (0: never), and how many it had then. */
bool store_directory_mirrored(struct store *s, struct directory_list of, int64_t *at,
			      int64_t *count, struct err *err);

enum directory_known {
	DIRECTORY_UNKNOWN, /* never listed, never asked for */
	DIRECTORY_ASKED,   /* never listed, asked for before */
	DIRECTORY_KNOWN,   /* `body` has what was listed last */
	DIRECTORY_GONE,    /* the same, though it is not listed any more */
};
/*
 * What is known of an id; the body is added to `body` (may be NULL). Reads alone; also while a page
 * is stored, by who is called back: then a failure is that page's, too.
 */
bool store_directory_find(struct store *s, struct directory_list of, const char *id,
			  struct buf *body, enum directory_known *known, struct err *err);
/* Remembers that this unknown id was asked for. *is_first: it was not before. */
enum directory_done store_directory_ask(struct store *s, struct directory_list of,
					const char *id, int64_t now, bool *is_first,
					struct err *err);

/* As store_directory_find(): calls take() with the body of each budget of that place (listing_place()) that is listed now. */
bool store_directory_budgets(struct store *s, int source, const char *place,
			     void (*take)(void *arg, const char *body, size_t len), void *arg,
			     struct err *err);
/* The same with the budgets of the source, whatever their place: the 1,000 known longest. */
bool store_directory_all_budgets(struct store *s, int source,
				 void (*take)(void *arg, const char *body, size_t len),
				 void *arg, struct err *err);

#endif
