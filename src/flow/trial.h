/*
 * trial: every template of a configuration against samples of each alert type and event.
 *
 * What would make a template fall back to the plain text at night shows here by day: a
 * rendering that fails is an error, a name that no sample has is a warning, each with the
 * template's file and line.
 */
#ifndef FLOW_TRIAL_H
#define FLOW_TRIAL_H

#include "flow/setup.h"
#include "model/conf.h"

void trial_run(const struct setup *setup, struct conf_problems *problems);

/* Do all templates of this sink (by its place) that the message takes render? False and err:
 * where one fails, and why. */
bool trial_message(const struct setup *setup, size_t sink, const struct message *message,
		   struct err *err) __attribute__((warn_unused_result));

#endif
