/*
 * receiver: webhooks with faults of their own, and all that was ever said to them.
 *
 * What a receiver knows of one delivery, by its webhook-id, is a struct told: all requests with
 * that id, how they ended, and what they said. A request is heard when it arrives in good
 * weather, or in weather that hears and does not tell. The deliveries that a receiver heard of
 * one alert are a list in the order in which it heard them first, from item->first_told.
 */
#ifndef WORLD_RECEIVER_H
#define WORLD_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world/api.h"
#include "world/spell.h"

enum { OWN_SOURCE = 9, REFUSALS_MAX = 5 }; /* the program's, which no API has */
enum { FLYING_MAX = 64, LEFT_MAX = 256, OUTAGES_MAX = 64, WEBHOOK_ID_MAX = 44 };

struct sink_terms {
	int64_t window, timeout_ms;
	int64_t retry_min_ms, retry_max_ms, retry_after_max_ms, give_up_ms;
	int64_t fallback_after_ms;
	int64_t rate_count, rate_per_ms; /* 0: no limit */
	bool collapse;
	int64_t refuses_one_in; /* of the alerts: answered 422 for ever; 0: none */
	int64_t busy_one_in;    /* … 409 */
	bool is_dead;           /* from the beginning until all is calm */
	int64_t way_ms;         /* there, and back, at most */
};

struct told {
	char webhook_id[WEBHOOK_ID_MAX], type[16], status[16], alert_id[API_ID_MAX];
	int sink, source; /* the API's number, or OWN_SOURCE */
	bool is_first;
	uint64_t body_hash; /* of the alert's bytes */
	size_t left;        /* requests that the program began */
	size_t heard;       /* of them */
	size_t unknown;     /* of which the program cannot know whether they were heard */
	bool is_flying, is_accepted;
	bool is_late_refusal; /* the last answer refused it, the fifth of its kind or later */
	int64_t first_left_at, last_left_at, heard_at, back_at;
	int64_t first_sync_ms; /* how long the disk took for each sync when it first left */
	int last_status;       /* 0: no answer */
	int64_t row;           /* in the store, once looked up */
	size_t next;           /* heard of the same alert, from 1; 0: none */
};

struct outage {
	int64_t from, until;
};

struct receiver {
	int number;
	struct sink_terms terms;
	struct chance chance;
	struct spell spell;
	/* For what is watched. */
	size_t flying[FLYING_MAX]; /* numbers of told, from 1 */
	size_t flying_count;
	int64_t left_at[LEFT_MAX]; /* a ring; in this life */
	size_t left_count;
	int64_t blocked_until; /* by the longest Retry-After */
	size_t blocked_by;     /* number of told */
	size_t refusals;       /* in a row, as far as the program knows */
	int64_t outage_from;   /* of a spell in which nothing gets through; 0: none */
	int64_t outage_until;  /* of the same, if nothing ends it before */
	size_t outage_left, outage_lives;
	struct outage outages[OUTAGES_MAX]; /* that are over */
	size_t outage_count;
};

/* All that was said to all receivers. */
struct told_log {
	struct told *list; /* owned */
	size_t count, room;
	size_t *table; /* owned; open addressing by webhook-id: numbers from 1 */
	size_t table_room;
};

void told_release(struct told_log *log);
uint64_t told_hash(const char *bytes, size_t len);
/* The delivery of that number, from 1. It lives until one is added. */
struct told *told_at(const struct told_log *log, size_t number);
/* 0: there is none. */
size_t told_find(const struct told_log *log, const char *webhook_id);
/* One of which only its id is known yet. */
size_t told_find_or_note(struct told_log *log, const char *webhook_id, int sink);
/* The delivery that a request is about. */
size_t told_find_or_add(struct told_log *log, const struct request *r, int sink);

void receiver_init(struct receiver *r, const struct sink_terms *terms, int number,
		   uint64_t seed);
/* A request arrives: is it heard, and how is it answered? item: NULL for one of the program's own. */
bool receiver_answer(struct receiver *r, const struct item *item, struct sim_answer *out);
/* Does everything fail now, and by the receiver's fault? */
bool receiver_is_out(const struct receiver *r, int64_t now);

#endif
