/*
 * known: is it a name that the store has seen? An empty list for a typo is no news.
 */
#ifndef CLI_KNOWN_H
#define CLI_KNOWN_H

#include <stdbool.h>

#include "store/store.h"

enum known_kind { KNOWN_SINKS, KNOWN_SOURCES };

/* False and err, which names the nearest, when it is not, or when the store can't be read. */
bool known_name(struct store *store, enum known_kind kind, const char *name, struct err *err);

#endif
