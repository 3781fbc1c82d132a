/*
 * inject: alerts put into the world by hand.
 */
#ifndef SIM_INJECT_H
#define SIM_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/json.h"
#include "sim/world.h"

enum { INJECT_MAX = 100000 }; /* alerts in one request */

/*
 * An object: {"n":5} and the fields that are not left to nature. An array: alerts that are
 * listed byte for byte as they are here; {"raw":"text"} and {"raw_base64":"…"} stand for bytes
 * that may be anything. Adds their ids as {"ids":["…",null]}, null for one that has none.
 * False and err, and nothing put in, when the request is malformed.
 */
bool inject(struct world *world, const struct json *json, int64_t now, struct buf *out,
	    struct err *err) __attribute__((warn_unused_result));

#endif
