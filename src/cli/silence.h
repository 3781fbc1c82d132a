/*
 * silence: what the verbs of `tocsin silence` share.
 */
#ifndef CLI_SILENCE_H
#define CLI_SILENCE_H

#include "cli/cli.h"

/* `silence add`: reads the line, then the store. */
int silence_add(const struct cli *cli);

/* The object that `--json` shows of this one. */
int silence_tell_json(struct store *store, int64_t id);

/* Adds a stored list of matchers for people: "severity = low, user_id = u1". What is no list is
 * shown as it is. */
void silence_add_matchers(struct buf *out, const char *text, size_t len);

#endif
