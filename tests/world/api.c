/* api: who may ask, how often, and the headers of every answer. */
#include "world/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void api_init(struct api *a, const struct api_terms *terms, int number, uint64_t seed,
	      uint64_t id_seed)
{
	*a = (struct api){ .terms = *terms, .number = number };
	chance_seed(&a->chance, seed);
	chance_seed(&a->id_chance, id_seed);
}

void api_release(struct api *a)
{
	mem_free(&a->items);
	mem_free(&a->listed);
	mem_free(&a->order);
}

bool api_is_list(const struct request *r)
{
	return strstr(r->url, "/v1/alerts") != NULL;
}

/* ---- tokens ---- */

static bool is_known(const struct api *a, const char *bearer)
{
	if (!a->terms.oauth)
		return bearer != NULL && strcmp(bearer, "key") == 0;
	for (size_t i = 0; bearer != NULL && i < API_TOKENS_MAX; i++)
		if (strcmp(a->tokens[i].text, bearer) == 0)
			return sim_now() < a->tokens[i].expires_at;
	return false;
}

static void give_token(struct api *a, struct sim_answer *out)
{
	struct api_token *t = &a->tokens[a->token_count++ % API_TOKENS_MAX];

	snprintf(t->text, sizeof(t->text), "token-%zu", a->token_count);
	t->expires_at = sim_now() + a->terms.token_ttl_ms;
	buf_addf(&out->body, "{\"access_token\":\"%s\",\"token_type\":\"bearer\"", t->text);
	if (a->terms.tells_expiry)
		buf_addf(&out->body, ",\"expires_in\":%" PRId64,
			 a->terms.token_ttl_ms / SECOND);
	buf_addc(&out->body, '}');
}

void api_revoke_tokens(struct api *a)
{
	for (size_t i = 0; i < API_TOKENS_MAX; i++)
		a->tokens[i].expires_at = 0;
}

void api_expire_cursors(struct api *a)
{
	a->cursor_epoch++;
}

/* ---- limits ---- */

/* What others leave of this minute. */
static int64_t limit_now(const struct api *a)
{
	if (!weather_is(&a->weather, FAULT_CROWD, sim_now()))
		return a->terms.limit;
	return a->terms.limit * (100 - a->weather.percent) / 100;
}

static bool is_over_limit(struct api *a)
{
	int64_t now = sim_now();

	if (now - a->minute_at >= MINUTE) {
		a->minute_at = now;
		a->minute_used = 0;
	}
	if (a->minute_used >= limit_now(a))
		return true;
	a->minute_used++;
	return false;
}

static void http_date(int64_t at, char text[CLOCK_TEXT_MAX])
{
	clock_mail(at, text);
	snprintf(strstr(text, " +0000"), 5, " GMT");
}

static void add_retry_after(const struct api *a, struct sim_answer *out)
{
	char date[CLOCK_TEXT_MAX];

	switch (a->terms.retry_after) {
	case RETRY_SECONDS:
		buf_addf(&out->headers, "Retry-After: %" PRId64 "\r\n",
			 a->terms.retry_after_ms / SECOND);
		return;
	case RETRY_DATE:
		http_date(sim_now() + a->terms.retry_after_ms, date);
		buf_addf(&out->headers, "Retry-After: %s\r\n", date);
		return;
	case RETRY_NONSENSE: buf_adds(&out->headers, "Retry-After: soon\r\n"); return;
	case RETRY_MISSING: return;
	}
}

static void answer_limited(const struct api *a, struct sim_answer *out)
{
	out->status = 429;
	add_retry_after(a, out);
	buf_adds(&out->body, "{\"error\":\"rate_limited\"}");
}

static void add_headers(struct api *a, struct sim_answer *out)
{
	char date[CLOCK_TEXT_MAX];
	int64_t left = limit_now(a) - a->minute_used;

	a->dates_wrong = weather_is(&a->weather, FAULT_WRONG_DATE, sim_now());
	http_date(sim_now() + (a->dates_wrong ? a->weather.percent * HOUR - 50 * HOUR : 0),
		  date);
	if (a->terms.has_date)
		buf_addf(&out->headers, "Date: %s\r\n", date);
	if (a->terms.has_limit_headers)
		buf_addf(&out->headers,
			 "X-RateLimit-Limit: %" PRId64 "\r\nX-RateLimit-Remaining: %" PRId64
			 "\r\nX-RateLimit-Reset: %" PRId64 "\r\n",
			 a->terms.limit, left > 0 ? left : 0,
			 (a->minute_at + MINUTE + SECOND - 1) / SECOND);
}

/* ---- requests ---- */

int64_t api_leave(struct api *a, const struct request *r)
{
	if (api_is_list(r))
		a->list_count++;
	else
		a->token_requests++;
	return chance_below(&a->chance, a->terms.way_ms) + 1;
}

static void serve(struct api *a, const struct request *r, enum fault fault,
		  struct sim_answer *out)
{
	if (weather_answer(fault, out))
		return;
	if (fault == FAULT_429) {
		answer_limited(a, out);
	} else if (!api_is_list(r)) {
		give_token(a, out);
	} else if (!is_known(a, r->bearer)) {
		out->status = 401;
		buf_adds(&out->body, "{\"error\":\"unauthorized\"}");
	} else if (is_over_limit(a)) {
		answer_limited(a, out);
	} else {
		api_list(a, r, fault, out);
	}
}

void api_arrive(struct api *a, const struct request *r, struct sim_answer *out)
{
	enum fault fault = weather_draw(&a->weather, &a->chance, sim_now());

	out->way_back_ms = chance_below(&a->chance, a->terms.way_ms) + 1;
	if (fault == FAULT_SLOW)
		out->way_back_ms += chance_below(&a->chance, 20 * SECOND);
	serve(a, r, fault, out);
	add_headers(a, out);
}
