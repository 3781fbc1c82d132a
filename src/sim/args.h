/*
 * args: toktra-sim's command line.
 */
#ifndef SIM_ARGS_H
#define SIM_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "sim/world.h"

enum { ARGS_CALLERS_MAX = 64, ARGS_PAGE_MAX = 100 };

struct args_client {
	char *id;
	char *secret;
};

struct args {
	bool help;
	uint16_t port; /* 0: any */
	bool has_seed;
	uint64_t seed;
	enum world_order order;
	size_t history;
	size_t users;
	struct rate rate; /* count 0: off */
	size_t page_max;  /* alerts on a page, whatever is asked for */
	int64_t limit_rpm;
	int64_t cursor_ttl_ms;
	int64_t token_ttl_ms;
	struct args_client clients[ARGS_CALLERS_MAX];
	size_t client_count;
	char *keys[ARGS_CALLERS_MAX];
	size_t key_count;
	char *hook_url; /* NULL: no webhook */
	char *hook_secret;
};

/* Reads argv over the defaults; false and err, with a hint, at the first that is wrong. Release
 * in either case. */
bool args_parse(struct args *args, int argc, char **argv, struct err *err)
	__attribute__((warn_unused_result));
void args_release(struct args *args);

/* Adds the text of --help. */
void args_add_help(struct buf *out);

#endif
