/* table: the destinations that exist. A new one is a file beside this and a line here. */
#include "model/sink.h"

#include <stddef.h>

#include "sinks/email.h"
#include "sinks/slack.h"
#include "sinks/webhook.h"

const struct sink_type *const sink_types[] = { &slack_sink, &email_sink, &webhook_sink, NULL };
