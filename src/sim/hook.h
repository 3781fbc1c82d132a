/*
 * hook: Toktra's own webhook: whatever opens or changes is POSTed to one URL, signed.
 *
 *   {"id":"evt_…","type":"alert.created","created_at":"2026-11-24T03:45:00Z","data":{an alert}}
 *   X-Toktra-Signature: sha256=<HMAC-SHA256 of these bytes, keyed with the whole secret>
 *
 * Best effort, as the polling is the record of truth: an event is sent once, its answer only
 * counted; of what waits the oldest gives way past HOOK_WAITING_MAX events or HOOK_BYTES_MAX.
 */
#ifndef SIM_HOOK_H
#define SIM_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/xfer.h"

enum {
	HOOK_FLYING_MAX = 8,
	HOOK_WAITING_MAX = 1000,
	HOOK_BYTES_MAX =
		64 << 20,        /* a thousand injected alerts may be larger than the machine */
	HOOK_TIMEOUT_MS = 10000, /* within which Toktra wants its 2xx */
};

struct hook;

/*
 * Splits URL:SECRET at the last colon, into strings that are the caller's. False, and err with
 * a hint that tells neither, when the URL is not https, nor http to loopback.
 */
bool hook_split(const char *text, char **url, char **secret, struct err *err)
	__attribute__((warn_unused_result));

/* Borrows url and secret. The seed is of the ids: another seed, other ids. */
struct hook *hook_new(const char *url, const char *secret, uint64_t seed)
	__attribute__((warn_unused_result));
/* Nothing may be under way any more. */
void hook_free(struct hook **h);

/* Queues an event about an alert, as it is listed. What is no JSON object is not told of. */
void hook_note(struct hook *h, const char *type, const char *alert, size_t len, int64_t now);

/* Moves the oldest that waits into *r, which the caller releases; false: none. */
bool hook_take(struct hook *h, struct request *r) __attribute__((warn_unused_result));

/* Starts what may be: for the end of a turn. */
void hook_turn_end(struct hook *h, struct xfer *x);

/* Adds {"delivered":5,"failed":0,"dropped":0,"waiting":0,"flying":1}. */
void hook_add_stats(const struct hook *h, struct buf *out);

#endif
