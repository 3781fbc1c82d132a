/*
 * slack: a Slack channel as a sink, by an incoming webhook or as a bot.
 *
 * slack.c has the settings and builds requests, slack_plan.c says which step of a delivery is
 * next, slack_answer.c reads what Slack answered, slack_judge.c says whose fault it is.
 */
#ifndef SINKS_SLACK_H
#define SINKS_SLACK_H

#include <stdbool.h>

#include "model/conf.h"
#include "model/settings.h"
#include "model/sink.h"

enum {
	SLACK_PART_BODY,  /* all of it: what is posted, and what the first message becomes */
	SLACK_PART_REPLY, /* what is said in its thread; where there is none, the body */
};

struct slack_settings {
	struct conf_secret url;   /* an incoming webhook, or */
	struct conf_secret token; /* a bot, which posts to */
	char *channel;
	char *api_url;
	bool thread, update;
	char *username, *icon_emoji;
};

extern const struct sink_type slack_sink;

void slack_judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		 struct outcome *out);

#endif
