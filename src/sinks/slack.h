/* slack: a Slack incoming webhook, as a sink. */
#ifndef SINKS_SLACK_H
#define SINKS_SLACK_H

#include "model/sink.h"

extern const struct sink_type slack_sink;

#endif
