/*
 * world: all alerts of the simulated organisation, and every way in which they change.
 *
 * An alert is known by its number, which is never used again. It is either compact (type,
 * severity, status and two times; the rest is told by tale.h) or has a text of its own, which is
 * listed byte for byte. Its place in the list is fixed at birth.
 *
 * Pure: no clock, no I/O. Times are milliseconds since the epoch.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/json.h"
#include "sim/shelf.h"
#include "sim/words.h"

enum world_order {
	ORDER_NEWEST,
	ORDER_OLDEST,
	ORDER_MIXED, /* as if shuffled, the same at every listing */
};

enum {
	WORLD_ALERTS_MAX = 4000000, /* ever born, in one run */
	WORLD_ALERT_MAX = 32 << 20, /* one alert's text */
	WORLD_SAME_ID_MAX = 16,     /* alerts of one id that are found */
};

struct world;

struct world *world_new(uint64_t seed, enum world_order order)
	__attribute__((warn_unused_result));
void world_free(struct world **w);

/*
 * Calls told() whenever an alert was born or changed, the history apart; one watcher only. It
 * may look, but not change.
 */
typedef void world_watcher(void *arg, uint32_t number, bool is_new);
void world_watch(struct world *w, world_watcher *told, void *arg);

/* What is not left to nature. */
struct birth {
	int64_t created_at;
	enum alert_type type;         /* OTHER: by nature */
	enum alert_severity severity; /* OTHER: by nature */
	enum alert_status status;     /* not OTHER */
	int64_t resolved_at;          /* when resolved */
};

/* One more alert. False when there have been WORLD_ALERTS_MAX. */
bool world_open(struct world *w, const struct birth *birth, uint32_t *number)
	__attribute__((warn_unused_result));

/* As world_open() and then world_change(), but one birth to the watcher. */
bool world_open_with(struct world *w, const struct birth *birth, const struct json *changes,
		     int64_t now, uint32_t *number) __attribute__((warn_unused_result));

/* One more alert that is these bytes, whatever they are. */
bool world_put(struct world *w, const char *text, size_t len, int64_t now, uint32_t *number)
	__attribute__((warn_unused_result));

/* count alerts of the last 90 days: the recent ones in every state, the old ones mostly done.
 * As many as there is room for. */
void world_add_history(struct world *w, size_t count, int64_t now);

/*
 * Sets the members of changes, an object. A status of resolved brings resolved_at = now, any
 * other takes it away, unless changes says it itself. False and err when the alert's own text is
 * no JSON object.
 */
bool world_change(struct world *w, uint32_t number, const struct json *changes, int64_t now,
		  struct err *err) __attribute__((warn_unused_result));

/* As world_change() with that status; what has no object for a text stays as it is. */
void world_set_status(struct world *w, uint32_t number, enum alert_status status, int64_t now);

void world_remove(struct world *w, uint32_t number);

/* The numbers of all alerts with that id (at most WORLD_SAME_ID_MAX); how many. */
size_t world_find(const struct world *w, const char *id, uint32_t numbers[WORLD_SAME_ID_MAX]);

/* False once it is removed. */
bool world_exists(const struct world *w, uint32_t number);
enum alert_status world_status(const struct world *w, uint32_t number);

/* Adds the id as a JSON string, or null. */
void world_add_id(const struct world *w, uint32_t number, struct buf *out);

/* Adds the alert as it is listed. */
void world_add_alert(const struct world *w, uint32_t number, struct buf *out);

/* The list. */
const struct shelves *world_shelves(const struct world *w);

#endif
