/*
 * deliver_inner: what deliver.c (the turn) and deliver_job.c (one row on its way) share; nobody
 * else includes it.
 */
#ifndef FLOW_DELIVER_INNER_H
#define FLOW_DELIVER_INNER_H

#include "flow/deliver.h"
#include "flow/digest.h"
#include "flow/envelope.h"
#include "flow/login.h"
#include "flow/recipients.h"

struct job {
	struct job *next;
	struct deliver *deliver;
	struct setup *setup; /* one hold of it: what follows borrows from it */
	const struct sink_settings *sink;
	struct tried tried;
	enum event_kind kind;
	struct envelope envelope;
	struct digest *digest;   /* what it tells of beside that; owned; NULL: a single */
	struct people people;    /* whom it is for, where alerts name them */
	char *handle, *progress; /* owned; the message borrows them */
	int64_t steady_at;       /* when it was started, on the steady clock */
	struct settle settle;    /* once the outcome is known */
	char *texts[4];          /* its own: owned, NULL where it has none */
	/* Of a sink that logs in: what waits for the token, and what it is sent with. */
	struct login *login;
	struct login_wait wait;
	struct request *request; /* owned */
	char *bearer;
};

struct job_list {
	struct job *first, **last;
	size_t count;
};

struct deliver {
	struct deliver_parts p;
	struct job_list settled, committing;
	struct job_list ready; /* logged in, to be sent at the end of the turn */
	int64_t settled_at;    /* steady; of the oldest on `settled` */
	bool in_batch;         /* a store_turn() is on its way */
	bool draining;
	bool cutting;        /* what is cut now, we cut */
	struct timer *timer; /* the only one: linger, retry, or the queue's sleep */
	int64_t retry_at;    /* steady; no batch before that */
	int64_t store_fails;
	bool is_failure_said; /* not a lost store: the app tells of that */
	int64_t busy_since;   /* steady; 0: the store is not kept by another */
	struct deliver_status status;
	/* Room for one batch. */
	struct ask *asks;
	struct move *moves;
	struct hold *holds;
	struct settle *settles;
	size_t settle_room;
	struct tick tick;
	int64_t now;     /* of the batch under way */
	bool has_ticked; /* it has a tick */
};

void jobs_init(struct job_list *l);
void jobs_free(struct job_list *l);

/* A claim is committed: builds the request and sends it, or settles what cannot be sent. */
void job_start(struct deliver *d, const struct claim *c);
/* Sends what has logged in meanwhile; from the end of a turn alone. */
void jobs_start_ready(struct deliver *d);

#endif
