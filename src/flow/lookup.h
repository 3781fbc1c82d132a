/*
 * lookup: what a user has spent on an alert's day, asked of the API and kept for minutes.
 *
 *   entry:  WANTED ─ a turn's end, the budget ─▶ FLIES ─ more ─▶ WANTED … ─▶ KNOWN ─ 5 min ─▶ gone
 *                                                  └ fails ─▶ FAILED ─ 1 min ─▶ gone
 *
 * At most LOOKUP_MINUTE_MAX new ones a minute and LOOKUP_KEPT_MAX at a time: past that nobody is
 * looked up, and whoever asked goes on without. Each request is paid out of the directory's part of
 * the budget. 403 and 404 turn it off for an hour, said once; all else that fails is a warning. It
 * is a part of its source, whose credential it uses. Nothing is stored.
 */
#ifndef FLOW_LOOKUP_H
#define FLOW_LOOKUP_H

#include "flow/directory.h"

enum { LOOKUP_MINUTE_MAX = 10, LOOKUP_KEPT_MAX = 256 };

struct lookup;

/* Parts as the directory's; the store is not used. */
struct lookup *lookup_new(const struct directory_parts *parts)
	__attribute__((warn_unused_result));
void lookup_free(struct lookup **l);
void lookup_refit(struct lookup *l, struct source_settings *settings);
void lookup_stop(struct lookup *l);
void lookup_retire(struct lookup *l);
bool lookup_is_over(const struct lookup *l);

void lookup_turn_end(struct lookup *l, bool may_begin);
int64_t lookup_wakes_at(const struct lookup *l, bool may_begin);

enum lookup_answer {
	LOOKUP_KNOWN, /* the object is added, as spending_write() has it */
	LOOKUP_COMES, /* ask again when something has come: a turn ends then */
	LOOKUP_NONE,  /* nothing to wait for */
};
/*
 * What the user spent on the UTC day of `at` (ms since the epoch, by the wall clock), and of it
 * on `model` (NULL: none). What is not known is looked up, if `context` names usage.
 */
enum lookup_answer lookup_usage(struct lookup *l, const char *user_id, int64_t at,
				const char *model, struct buf *out);

/* Moves on whenever a look-up has ended. */
int64_t lookup_news(const struct lookup *l);

/* Since start: answers that were no page; and is it off? */
void lookup_status(const struct lookup *l, struct directory_status *out);

#endif
