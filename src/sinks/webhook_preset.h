/*
 * webhook_preset: the request and the judgement of a sink with a preset (model/preset).
 */
#ifndef SINKS_WEBHOOK_PRESET_H
#define SINKS_WEBHOOK_PRESET_H

#include <stdbool.h>

#include "model/sink.h"
#include "sinks/ruling.h"

/*
 * Method, address, headers, body and login of the request that fits; m has the sink's url and
 * base_url. What the sink has of its own on top of it (headers, login, secret) is the caller's.
 */
bool webhook_preset_build(const struct sink_settings *s, const struct message *m,
			  struct request *out, struct err *err)
	__attribute__((warn_unused_result));

/* The value of one of the sink's vars; NULL: none, or no name. */
const char *webhook_preset_var(const struct sink_settings *s, const char *name);

/* Rules by the preset's answers, and by any webhook's rules where none of them fits. */
void webhook_preset_judge(const struct judge *judge, const struct message *m,
			  const struct reply *r, struct outcome *out);

#endif
