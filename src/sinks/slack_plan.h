/*
 * slack_plan: which step of a delivery is next, told by its message alone.
 *
 * build() and judge() both ask it, so that they cannot disagree.
 */
#ifndef SINKS_SLACK_PLAN_H
#define SINKS_SLACK_PLAN_H

#include <stdbool.h>

#include "sinks/slack.h"

enum { SLACK_ID_MAX = 64 }; /* bytes of a channel's id or a ts; Slack's have 11 and 17 */

enum slack_step {
	SLACK_HOOK,   /* an incoming webhook */
	SLACK_UPDATE, /* chat.update of the episode's first message */
	SLACK_REPLY,  /* chat.postMessage in its thread */
	SLACK_POST,   /* chat.postMessage to the channel */
};

/* Where an earlier message is. */
struct slack_place {
	char channel[SLACK_ID_MAX]; /* the id that Slack answered; "" none */
	char ts[SLACK_ID_MAX];      /* a text, whatever it looks like */
	bool is_digest;             /* others are in it too: it takes replies, no updates */
};

struct slack_plan {
	enum slack_step step;
	bool is_plain;     /* the template was refused: its `text` alone */
	bool is_broadcast; /* a reply that the channel sees, too */
	struct slack_place first;
};

void slack_plan(const struct slack_settings *own, const struct message *m,
		struct slack_plan *plan);

/* What progress is made of; each word is written once, so no delivery has more steps than words. */
#define SLACK_UPDATED "updated" /* the first message is, or can't be, updated */
#define SLACK_ANEW    "anew"    /* there is nothing to reply to: a message of its own */
#define SLACK_PLAIN   "plain"   /* the template's blocks were refused */

/* Sets progress to m's and the word; false when m has it already. */
bool slack_progress_add(const struct message *m, const char *word, char progress[PROGRESS_MAX]);

/* "CHANNEL TS", and " digest" for one; false when either cannot be an id. */
bool slack_handle(const struct slack_place *place, char handle[HANDLE_MAX]);

#endif
