/*
 * budget: what the server's headers mean for us, in token buckets.
 *
 * One bucket, `all`, is asked before each request. Its size and its refill of a minute are
 * together what is allowed a minute, so no minute holds more, wherever it begins; after the
 * first burst a long walk moves at the even pace of the refill. The parts hold no request back:
 * a pass may begin while its kind's part is not in debt, and each page without news is spent
 * from it, there or not. What a pass took too much the next one of its kind pays in time.
 *
 * Remaining counts everybody who shares the key. Where it is nearly 0, what is left is for the
 * heads, a few seconds apart; sweeps and full passes wait for the server's minute to end. That
 * end is Reset - Date, both the server's own, so that our clock does not matter. A wait under
 * way is never made longer by a later answer: where others use up every minute, or a Reset
 * keeps a minute's distance, sweeps and full passes then still get a request a minute.
 */
#include "flow/budget.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

enum {
	LIMIT_DEFAULT = 1000, /* requests a minute, until the server says */
	LIMIT_MAX = 1000000,
	MINUTE_MS = 60000,
	BURST_PART = 4,     /* of a minute's worth: what may go at once after a rest */
	CONTEXT_PART = 4,   /* one in so many of the requests allowed is the directory's */
	CONTEXT_LEAVES = 2, /* so many that it could take it leaves to the polls */
	DEBT_MINUTES = 2, /* a pass makes the next of its kind wait no longer than this many */
	LOW_PART = 20,    /* of the limit: one in so many left, or less, is low */
	PAUSE_MS = MINUTE_MS / 10,    /* lets the server's minute pass, a piece at a time */
	RESET_MAX_MS = 2 * MINUTE_MS, /* a minute that ends later than this is none */
	/* A Retry-After is obeyed for an hour, a tenth more is jitter: further off is a slip. */
	BLOCK_MAX_MS = 75 * MINUTE_MS,
};

static const int64_t reset_s_max = 100000000000; /* some 3000 years: the sums fit */

/* One in so many of the requests allowed is the kind's part. */
static const int64_t part_of[PASS_KINDS] = {
	[PASS_HEAD] = 2,
	[PASS_SWEEP] = 3,
	[PASS_FULL] = 2,
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ---- what went ---- */

/*
 * The seconds that passed since the newest one are empty. A clock that jumps back moves the
 * newest one back; what was counted past it is out of the ring within a minute.
 */
static void turn_ring(struct budget *b, int64_t now)
{
	int64_t second = now / 1000;
	int64_t passed = earlier(second - b->used_at, BUDGET_SECONDS);

	for (int64_t i = 0; i < passed; i++)
		b->used[(second - i) % BUDGET_SECONDS] = 0;
	b->used_at = second;
}

/*
 * What went before counts by the new size, too: `all` holds no more than if it had had it for the
 * last minute. Else a start that asks while the limit is not told, or a limit that falls, would
 * leave a minute with more than is ours. Within a second nobody knows when: at its end, then.
 */
static void recount(struct budget *b, int64_t now)
{
	struct bucket all = b->all;

	turn_ring(b, now);
	int64_t oldest = b->used_at - BUDGET_SECONDS + 1;

	all.tokens = all.size;
	all.filled_at = oldest * 1000;
	for (int64_t i = 0; i < BUDGET_SECONDS; i++)
		bucket_spend(&all, b->used[(b->used_at + 1 + i) % BUDGET_SECONDS],
			     earlier((oldest + i + 1) * 1000, now));
	b->all.tokens = fmin(b->all.tokens, all.tokens);
}

/* ---- sizes ---- */

int64_t budget_allowed(const struct budget *b)
{
	/* A hair more, so that 0.29 of 100 is 29. */
	return later((int64_t)(b->share * (double)b->limit + 1e-9), 1);
}

static void shape_all(struct bucket *all, int64_t allowed, int64_t now)
{
	int64_t burst = later(allowed / BURST_PART, 1);
	int64_t refill = later(allowed - burst, 1);
	const struct rate rate = { .count = refill, .per_ms = MINUTE_MS };

	/* Only tokens are fetched unasked; more than a minute's worth of them is a slip. */
	bucket_shape(all, rate, (double)burst, (double)refill, now);
}

static void shape_part(struct bucket *part, int64_t allowed, int64_t of, int64_t now)
{
	const struct rate rate = { .count = allowed, .per_ms = of * MINUTE_MS };
	double worth = (double)allowed / (double)of;

	/* At least one: else a part of less than a request would hold nothing and owe nothing. */
	bucket_shape(part, rate, fmax(worth / BURST_PART, 1), fmax(worth * DEBT_MINUTES, 1),
		     now);
}

/* Size and refill of a minute are its part together, as of `all`. */
static void shape_context(struct bucket *context, int64_t allowed, int64_t now)
{
	const struct rate rate = { .count = allowed * (BURST_PART - 1),
				   .per_ms = CONTEXT_PART * BURST_PART * MINUTE_MS };
	double burst = (double)allowed / (CONTEXT_PART * BURST_PART);

	bucket_shape(context, rate, fmax(burst, 1), INFINITY, now);
}

static void shape(struct budget *b, int64_t now)
{
	int64_t allowed = budget_allowed(b);

	shape_all(&b->all, allowed, now);
	recount(b, now);
	shape_context(&b->context, allowed, now);
	for (size_t i = 0; i < PASS_KINDS; i++)
		shape_part(&b->parts[i], allowed, part_of[i], now);
}

void budget_init(struct budget *b, double share, int64_t now)
{
	*b = (struct budget){ .share = share, .limit = LIMIT_DEFAULT, .remaining = -1 };
	const struct rate full = { .count = budget_allowed(b), .per_ms = MINUTE_MS };

	bucket_init(&b->all, full, now);
	bucket_init(&b->context, full, now);
	for (size_t i = 0; i < PASS_KINDS; i++)
		bucket_init(&b->parts[i], full, now);
	shape(b, now);
}

void budget_share(struct budget *b, double share, int64_t now)
{
	b->share = share;
	shape(b, now);
}

/* ---- headers ---- */

/* -1: missing, or no whole number from 0 on. */
static int64_t header_count(const struct reply *reply, const char *name)
{
	char text[32];
	int64_t value;
	struct err err;

	if (!reply_header(reply, name, text, sizeof(text)) ||
	    strlen(text) == sizeof(text) - 1 /* it may have been cut */ ||
	    !num_parse_int(text, &value, &err))
		return -1;
	return later(value, -1);
}

/* The server's clock, else ours. */
static int64_t date_of(const struct reply *reply)
{
	char text[64];
	int64_t at;

	if (reply_header(reply, "Date", text, sizeof(text)) && clock_parse_http(text, &at))
		return at;
	return reply->at;
}

/* Until the server's minute ends, in ms; -1: it does not say, or nothing that can be. */
static int64_t reset_ms(const struct reply *reply)
{
	int64_t reset = header_count(reply, "X-RateLimit-Reset");

	if (reset < 0 || reset > reset_s_max)
		return -1;
	int64_t wait = reset * 1000 - date_of(reply);

	return wait > 0 && wait <= RESET_MAX_MS ? wait : -1;
}

static void note_low(struct budget *b, int64_t reset, int64_t now)
{
	int64_t ends_at = now + (reset > 0 ? reset : PAUSE_MS);
	bool waits = b->resets_at != 0 && now <= b->resets_at;

	if (!waits || (reset > 0 && ends_at < b->resets_at))
		b->resets_at = ends_at;
	b->heads_at = b->remaining == 0 ? b->resets_at : earlier(now + PAUSE_MS, b->resets_at);
}

void budget_note(struct budget *b, const struct reply *reply, int64_t now)
{
	int64_t limit = header_count(reply, "X-RateLimit-Limit");
	int64_t remaining = header_count(reply, "X-RateLimit-Remaining");

	if (limit >= 1 && limit <= LIMIT_MAX && limit != b->limit) {
		b->limit = limit;
		shape(b, now);
	}
	if (remaining < 0)
		return;
	b->remaining = remaining;
	if (remaining <= b->limit / LOW_PART)
		note_low(b, reset_ms(reply), now);
	else
		b->resets_at = b->heads_at = 0;
}

int64_t budget_asked_ms(const struct reply *reply)
{
	struct reply by_its_clock = *reply;

	by_its_clock.at = date_of(reply);
	int64_t asked = reply_retry_after_ms(&by_its_clock);

	/* Every answer has a Reset; only after a 429 is it a reason to wait. */
	return asked >= 0 || reply->status != 429 ? asked : reset_ms(reply);
}

void budget_block(struct budget *b, int64_t until)
{
	b->blocked_until = later(b->blocked_until, until);
}

/* ---- asking ---- */

int64_t budget_begin_wait_ms(struct budget *b, enum pass_kind kind, int64_t now)
{
	return bucket_debt_ms(&b->parts[kind], now);
}

/* What is left of a wait. One longer than there can be, after a clock jumped back, is cut. */
static int64_t left_ms(int64_t *until, int64_t max, int64_t now)
{
	if (*until - now > max)
		*until = now + max;
	return later(*until - now, 0);
}

int64_t budget_hurry_wait_ms(struct budget *b, enum pass_kind kind, int64_t now)
{
	int64_t *low = kind == PASS_HEAD ? &b->heads_at : &b->resets_at;

	return later(left_ms(&b->blocked_until, BLOCK_MAX_MS, now),
		     left_ms(low, RESET_MAX_MS, now));
}

int64_t budget_wait_ms(struct budget *b, enum pass_kind kind, int64_t now)
{
	return later(budget_hurry_wait_ms(b, kind, now), bucket_wait_ms(&b->all, now));
}

int64_t budget_context_wait_ms(struct budget *b, int64_t now)
{
	int64_t most = later((int64_t)b->all.size, 1);
	size_t count = (size_t)earlier(1 + CONTEXT_LEAVES, most);

	return later(budget_hurry_wait_ms(b, PASS_SWEEP, now),
		     later(bucket_wait_ms(&b->context, now),
			   bucket_wait_for_ms(&b->all, count, now)));
}

/* ---- going ---- */

void budget_take(struct budget *b, int64_t now)
{
	bucket_spend(&b->all, 1, now);
	turn_ring(b, now);
	b->used[b->used_at % BUDGET_SECONDS]++;
}

void budget_take_context(struct budget *b, int64_t now)
{
	bucket_spend(&b->context, 1, now);
	budget_take(b, now);
}

void budget_charge(struct budget *b, enum pass_kind kind, int64_t now)
{
	bucket_spend(&b->parts[kind], 1, now);
}

size_t budget_used(struct budget *b, int64_t now)
{
	size_t used = 0;

	turn_ring(b, now);
	for (size_t i = 0; i < BUDGET_SECONDS; i++)
		used += b->used[i];
	return used;
}
