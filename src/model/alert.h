/*
 * alert: one alert as the API lists it, read strictly, its own bytes kept.
 *
 * Fields are those of GET /v1/alerts (toktra API). Unknown fields are kept in the bytes and
 * reachable by name through `json`; unknown types, severities and statuses pass through.
 */
#ifndef MODEL_ALERT_H
#define MODEL_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/json.h"

enum {
	ALERT_ID_MAX = 16384,      /* bytes; longer ids are set aside */
	ALERT_BYTES_MAX = 1 << 20, /* one item; larger ones are set aside */
};

enum alert_status { ALERT_OPEN, ALERT_ACKNOWLEDGED, ALERT_RESOLVED };

/* Ordered; an unknown severity compares as high. */
enum alert_severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

struct alert {
	char *bytes; /* owned: the item as it came (repaired where it was no text) */
	size_t bytes_len;
	struct json *json; /* owned */
	bool repaired;     /* bad UTF-8 or lone surrogates became U+FFFD */

	/* Borrowed from json; "" where missing or null, never NULL. */
	const char *id, *org_id, *type, *severity_text, *status_text, *title, *message,
		*user_id, *policy_id, *created_text, *resolved_text;

	enum alert_status status; /* an unknown word counts as open */
	enum alert_severity severity;
	bool severity_known, status_known;
	int64_t created_at;  /* 0 when missing or no time */
	int64_t resolved_at; /* 0 when missing, null or no time */
};

/*
 * Reads one item (copies the bytes). False with the reason for an item that must be set aside:
 * not JSON, not an object, no id, an id or another string field of a wrong type, too large.
 * What fails only for bad UTF-8 or a lone surrogate is repaired instead.
 */
bool alert_read(struct alert *a, const char *bytes, size_t len, struct err *err)
	__attribute__((warn_unused_result));
void alert_release(struct alert *a);

/* low 0 … critical 3; an unknown word is high and *known (may be NULL) false. */
enum alert_severity alert_severity_rank(const char *word, bool *known);

/*
 * 63-bit hash of the bytes: equal bytes mean nothing changed. It is stored, so it never
 * changes (first 8 bytes of SHA-256, sign bit off).
 */
int64_t alert_hash(const char *bytes, size_t len);
/* As alert_hash(), of severity, title and message: what `changed` is about. */
int64_t alert_content(const struct alert *a);

#endif
