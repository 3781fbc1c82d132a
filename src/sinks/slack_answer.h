/*
 * slack_answer: what Slack answered, in whichever of its two ways.
 *
 * An incoming webhook answers a bare word ("ok", "no_service"), the Web API an object
 * ({"ok":false,"error":"word", …}), some relays of webhooks too.
 */
#ifndef SINKS_SLACK_ANSWER_H
#define SINKS_SLACK_ANSWER_H

#include <stdbool.h>

#include "model/request.h"
#include "sinks/slack_plan.h"

enum { SLACK_WORD_MAX = 64, SLACK_SCOPES_MAX = 120, SLACK_TOLD_MAX = 600 };

struct slack_answer {
	char word[SLACK_WORD_MAX]; /* "ok", an error's name, or "": none that could be one */
	bool is_object;
	struct slack_place place; /* of what was posted; "" where it was not told */
	char needed[SLACK_SCOPES_MAX],
		provided[SLACK_SCOPES_MAX]; /* scopes, of missing_scope */
	char told
		[SLACK_TOLD_MAX]; /* the word and its details; unmasked: not to be shown as it is */
};

/* Of an answer that was cut, what there is: Slack says first whether it is ok. */
void slack_answer_read(const struct reply *r, struct slack_answer *a);

#endif
