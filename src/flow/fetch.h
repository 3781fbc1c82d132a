/*
 * fetch: one list of a source's API, read whole by a command that waits for it.
 *
 * It logs in as the source does, pages until the end, keeps to the source's share of the rate
 * limit (beside a daemon that spends its own) and has some patience: a page is asked for again a
 * few times, a 429 is waited for. Nothing is stored.
 */
#ifndef FLOW_FETCH_H
#define FLOW_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/json.h"
#include "model/settings.h"

struct fetch_list {
	const char *path; /* behind base_url, with its query: "usage?period=daily" */
	/* Each item that is an object, in order. */
	void (*take)(void *arg, const struct json *item);
	void *arg;
};

/* False and err, with the reason and the knob, when it could not be read to its end. */
bool fetch_run(struct source_settings *source, const struct fetch_list *list, struct err *err)
	__attribute__((warn_unused_result));

#endif
