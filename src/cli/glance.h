/*
 * glance: what a command must know of the configuration, and no more.
 *
 * Who asks for the status at night has not the daemon's environment: secrets may not resolve
 * for him, templates may be out of his sight. So commands that only read or mend the store take
 * `store` and `templates` from the file, and look up a route's or a sink's group where they
 * need one; all else in it may be wrong.
 */
#ifndef CLI_GLANCE_H
#define CLI_GLANCE_H

#include <stdbool.h>

#include "model/conf.h"

struct glance {
	char *store, *templates; /* owned; NULL when what is set can't be read */
	struct conf *conf;       /* owned; NULL: there is no file, or it can't be parsed */
};

/* False when something was wrong with what was looked at; g is filled as far as it goes, with
 * defaults where there is no file. Release it in any case. */
bool glance_read(struct glance *g, const char *file, struct conf_problems *problems);
void glance_release(struct glance *g);

/* The group of that name in the list `sources`, `sinks` or `routes`, or NULL. */
const struct conf_node *glance_find(const struct glance *g, const char *list, const char *name);

#endif
