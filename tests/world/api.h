/*
 * api: a model of GET /v1/alerts and POST /v1/oauth/token, and the truth about its alerts.
 *
 * What the documentation leaves open is a matter of struct api_terms, drawn once a seed: the
 * order, how cursors die and what they answer then, which members of the envelope can be
 * believed, how limits are told. The API's own clock is the true time. Items are never taken
 * out of the array, only marked deleted, so that the oracle can ask about each of them.
 */
#ifndef WORLD_API_H
#define WORLD_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "model/alert.h"
#include "world/rules.h"
#include "world/sim_io.h"
#include "world/weather.h"

enum { API_ID_MAX = 40, API_TOKENS_MAX = 8, NO_LIMIT = 1000000 };

enum api_order { API_NEWEST, API_OLDEST, API_SHUFFLED };
enum api_has_more { HAS_MORE_RIGHT, HAS_MORE_FALSE, HAS_MORE_MISSING };
enum api_total { TOTAL_RIGHT, TOTAL_MISSING, TOTAL_WRONG };
enum api_retry_after { RETRY_SECONDS, RETRY_DATE, RETRY_MISSING, RETRY_NONSENSE };

struct api_terms {
	enum api_order order;
	bool by_insertion; /* else by created_at */
	bool ties_by_id;   /* else in the order of insertion */
	bool snapshot;     /* a walk does not list what came up since its first page */
	size_t page_cap;
	int64_t cursor_ttl_ms; /* INT64_MAX: for ever */
	int stale_status;      /* 400, 404, 410; 200: an empty last page */
	enum api_has_more has_more;
	enum api_total total;
	bool has_date, has_limit_headers;
	int64_t limit; /* requests a minute */
	enum api_retry_after retry_after;
	int64_t retry_after_ms;
	bool oauth, tells_expiry;
	int64_t token_ttl_ms;
	int64_t way_ms;     /* there, and back, at most */
	bool whole_seconds; /* of created_at */
};

struct item {
	char id[API_ID_MAX];
	uint32_t id_key; /* sorts as the id */
	uint32_t shuffle_key;
	int64_t created_at, born_at; /* born: listed from then on */
	enum alert_status status;
	enum alert_severity severity;
	int64_t version; /* of title and metadata */
	bool is_deleted;
	/* For the oracle. */
	int64_t touched_at; /* its newest change of any kind */
	int64_t first_resolved_at, resolved_at;
	int64_t resolved_count, reopened_count, deleted_count;
	enum alert_severity severity_max;
	/* By receiver: deliveries heard of it, numbers in struct told_log from 1; 0: none. */
	size_t first_told[SINKS_MAX], last_told[SINKS_MAX];
};

/* An item's bytes, as it was listed last: pages are read far more often than alerts change. */
struct listed {
	size_t len; /* 0: never */
	int64_t version, resolved_at;
	enum alert_status status;
	enum alert_severity severity;
	char bytes[360];
};

struct api_token {
	char text[24];
	int64_t expires_at;
};

struct api {
	struct api_terms terms;
	int number; /* 0 or 1 */
	struct chance chance, id_chance;
	struct weather weather;
	struct item *items;    /* owned */
	struct listed *listed; /* owned; by the item's index */
	size_t count, room;
	size_t *order; /* owned; of the items, as they are listed */
	bool is_sorted;
	int64_t cursor_epoch; /* cursors of an older one are dead */
	struct api_token tokens[API_TOKENS_MAX];
	size_t token_count;
	/* The server's minute. */
	int64_t minute_at;
	int64_t minute_used;
	bool dates_wrong; /* the last answer's Date was */
	size_t list_count, token_requests;
	size_t false_ends;     /* dead cursors that were answered as the end of the list */
	int64_t unfiltered_at; /* the newest request for a page of alerts of any status */
};

void api_init(struct api *a, const struct api_terms *terms, int number, uint64_t seed,
	      uint64_t id_seed);
void api_release(struct api *a);

/* ---- what lives in it; api_item.c ---- */

/* The item lives until the next call of this. */
struct item *api_add(struct api *a, int64_t created_at, enum alert_status status);
/* Its type never changes: one of four. */
int api_type(const struct item *i);
const char *api_type_word(int type);
void api_set_status(struct item *i, enum alert_status status);
void api_set_severity(struct item *i, enum alert_severity severity);
void api_edit(struct item *i);
void api_delete(struct api *a, struct item *i, bool deleted);
/* By the index that its id holds; NULL: none of ours. */
struct item *api_find(const struct api *a, const char *id);
/* Its bytes, as they are listed; a blemished one has bad UTF-8 in its title. */
void api_write_item(const struct api *a, const struct item *i, bool blemished, struct buf *out);
/* How many neighbours in the list are of different times. */
size_t api_times(struct api *a);
/* How many are listed, of one status (-1: of all). */
size_t api_listed(const struct api *a, int status);

/* ---- requests; api.c ---- */

bool api_is_list(const struct request *r);
int64_t api_leave(struct api *a, const struct request *r);
void api_arrive(struct api *a, const struct request *r, struct sim_answer *out);
void api_revoke_tokens(struct api *a);
void api_expire_cursors(struct api *a);

/* ---- GET /alerts; api_list.c ---- */

/* The next page, or the answer to a dead cursor. */
void api_list(struct api *a, const struct request *r, enum fault fault, struct sim_answer *out);

#endif
