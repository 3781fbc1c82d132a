/* budget: the arithmetic is the bucket's; here is what the server's headers mean for it. */
#include "flow/budget.h"

#include "base/err.h"
#include "base/num.h"

enum {
	LIMIT_DEFAULT = 1000, /* requests a minute, until the server says */
	LIMIT_MAX = 1000000,
	MINUTE_MS = 60000,
	LOW_PART = 20,             /* of the limit: less than one in so many left is low */
	PAUSE_MS = MINUTE_MS / 10, /* lets the server's minute pass, a piece at a time */
};

static struct rate share_of(const struct budget *b)
{
	double share = b->share * (double)b->limit;

	return (struct rate){ .count = share < 1.0 ? 1 : (int64_t)share, .per_ms = MINUTE_MS };
}

void budget_init(struct budget *b, double share, int64_t now)
{
	*b = (struct budget){ .share = share, .limit = LIMIT_DEFAULT, .remaining = -1 };
	bucket_init(&b->bucket, share_of(b), now);
}

static int64_t header_int(const struct reply *reply, const char *name)
{
	char text[32];
	int64_t value;
	struct err err;

	if (!reply_header(reply, name, text, sizeof(text)) ||
	    !num_parse_int(text, &value, &err))
		return -1;
	return value;
}

void budget_note(struct budget *b, const struct reply *reply)
{
	int64_t limit = header_int(reply, "X-RateLimit-Limit");

	b->remaining = header_int(reply, "X-RateLimit-Remaining");
	if (limit >= 1 && limit <= LIMIT_MAX && limit != b->limit) {
		b->limit = limit;
		bucket_resize(&b->bucket, share_of(b));
	}
	b->is_low = b->remaining >= 0 && b->remaining <= b->limit / LOW_PART;
}

int64_t budget_wait_ms(struct budget *b, int64_t now)
{
	int64_t wait = bucket_wait_ms(&b->bucket, now);

	if (b->is_low && wait < PAUSE_MS)
		wait = PAUSE_MS;
	/* One pause: the next answer says again how much remains. */
	b->is_low = false;
	return wait;
}

void budget_take(struct budget *b)
{
	bucket_take(&b->bucket, 1);
}
