/* nudge: see the header. */
#include "flow/nudge.h"

#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/hmac.h"

enum { SIGNATURE_LEN = 7 + 2 * HMAC_LEN, SAY_EVERY_MS = 60000 };

void nudge_init(struct nudge *n, int64_t now)
{
	*n = (struct nudge){ .at = INT64_MAX,
			     .polled_at = now - NUDGE_GAP_MS,
			     .refused_said_at = now - SAY_EVERY_MS };
}

static bool is_signed_with(const char *secret, const char *signature, const char *body,
			   size_t len)
{
	const struct hmac_part part = { body, len };
	unsigned char digest[HMAC_LEN];
	struct buf want;

	hmac_sha256(secret, strlen(secret), &part, 1, digest);
	buf_init(&want, SIGNATURE_LEN);
	buf_adds(&want, "sha256=");
	esc_hex(&want, digest, sizeof(digest));
	bool is = hmac_equal(want.data, signature, SIGNATURE_LEN);

	buf_release(&want);
	return is;
}

bool nudge_is_signed(const struct conf_texts *secrets, const char *signature, const char *body,
		     size_t len)
{
	bool is = false;

	if (signature == NULL || strlen(signature) != SIGNATURE_LEN)
		return false;
	for (size_t i = 0; i < secrets->count; i++)
		is |= is_signed_with(secrets->list[i], signature, body, len);
	return is;
}

void nudge_take(struct nudge *n, int64_t now)
{
	int64_t soonest = n->polled_at + NUDGE_GAP_MS;

	n->taken++;
	n->folded++;
	if (n->at == INT64_MAX)
		n->at = now > soonest ? now : soonest;
}

bool nudge_refuse(struct nudge *n, int64_t now, int64_t *count)
{
	n->refused++;
	n->refused_unsaid++;
	if (now - n->refused_said_at < SAY_EVERY_MS)
		return false;
	*count = n->refused_unsaid;
	n->refused_said_at = now;
	n->refused_unsaid = 0;
	return true;
}

bool nudge_is_due(struct nudge *n, int64_t now, int64_t *folded)
{
	if (now < n->at)
		return false;
	*folded = n->folded;
	n->folded = 0;
	n->at = INT64_MAX;
	n->polled_at = now;
	return true;
}
