/*
 * digest: several events in one message.
 */
#ifndef FLOW_DIGEST_H
#define FLOW_DIGEST_H

#include "base/err.h"
#include "flow/envelope.h"
#include "model/json.h"

/* What a message of many borrows from. */
struct digest {
	struct envelope *members; /* owned; the first `count` are filled */
	struct facts *facts;      /* as the members', side by side; owned */
	size_t count;
	char *why, *storm, *rest_text; /* owned */
	struct json *rest;             /* owned */
	char *budgets_text;            /* owned */
	struct json *budgets;          /* owned */
	char delivery_id[DELIVERY_ID_MAX];
};

/* Room for so many members, which the caller fills and counts. */
struct digest *digest_new(size_t room) __attribute__((warn_unused_result));
void digest_free(struct digest **d);

/* What is told beside the members; "" none. */
void digest_say(struct digest *d, const char *why, const char *storm, const char *rest);

/* A table that goes along; owned from now on; NULL: none. */
void digest_add_budgets(struct digest *d, char *table);

/* The message tells of all members from now on. */
void digest_tell(struct digest *d, struct message *message);

#endif
