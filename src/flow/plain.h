/*
 * plain: a message with nothing in it that can be long or odd: what is sent when a template
 * failed with all that the alert holds.
 *
 * The same events, but of each alert only its names, its times and the beginning of its title and
 * message; or without the message, for where that is what a template stumbled over.
 */
#ifndef FLOW_PLAIN_H
#define FLOW_PLAIN_H

#include "base/err.h"
#include "model/alert.h"
#include "model/facts.h"
#include "model/sink.h"

struct plain {
	struct message message; /* borrows from the message it was made of, too */
	struct facts *facts;
	struct alert *alerts;
	size_t count;
};

enum plain_form { PLAIN_WITH_MESSAGE, PLAIN_BARE };

/* plain_release() is due even when this failed. */
bool plain_fill(struct plain *p, enum plain_form form, const struct message *of,
		struct err *err) __attribute__((warn_unused_result));
void plain_release(struct plain *p);

#endif
