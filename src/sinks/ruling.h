/*
 * ruling: one row of policy ("whose fault is it?") and what it makes of a reply.
 *
 * Each sink's judge() looks its reply up in a table of rulings and applies the row it finds.
 * The rows for connections that came to nothing are the same for all and stand in ruling.c.
 * A reason quotes the answer with every secret hidden; a hint names the key to turn, as
 * "sinks: NAME: KEY: advice".
 */
#ifndef SINKS_RULING_H
#define SINKS_RULING_H

#include <stdbool.h>

#include "model/request.h"
#include "model/settings.h"
#include "model/sink.h"
#include "sinks/mask.h"

/* What only LATER can be: whose fault, and who must act. */
enum blame {
	BLAME_NOBODY,   /* this row's turn has not come, or it is done, or it is the payload */
	BLAME_DOWN,     /* the destination's: hold it and probe */
	BLAME_OPERATOR, /* the destination is held, and somebody must change a key */
};

struct ruling {
	enum verdict verdict;
	enum blame blame;
	const char *what;   /* in front of the quoted answer; NULL: the status alone */
	const char *key;    /* NULL: the key that holds the address */
	const char *advice; /* NULL: no hint */
};

/* The sink that judges. */
struct judge {
	const struct sink_settings *settings;
	const char *address; /* the key that says where: "url", "server" */
	const char *login;   /* the keys that say who we are */
	void (*secrets)(const struct sink_settings *s, struct mask *m);
	const char *bearer; /* what this attempt was sent with beside them; NULL: nothing */
};

/* Fills out by the row; nothing in it is left as it was. */
void ruling_apply(const struct ruling *ruling, const struct judge *judge, const struct reply *r,
		  struct outcome *out);

/* The hint where nothing is wrong on our side: which key bounds the waits, and whom to see. */
#define RULING_WAITS \
	"its queue waits and is tried again within these waits; see to the receiver"

/* The row for a reply that is no answer; NULL for REPLY_ANSWERED and REPLY_TOO_LARGE. */
const struct ruling *ruling_of_trouble(enum reply_kind kind);

/* Sets a text of an outcome, cut between characters. */
void ruling_say(char text[REASON_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
