/* spell: see the header. */
#include "world/spell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const struct {
	const char *name;
	enum reply_kind reply;
	int status;
	bool hears, hangs, unsent, is_down;
} kinds[SPELL_KINDS] = {
	[SPELL_NONE] = { "none", REPLY_ANSWERED, 200, true, false, false, false },
	[SPELL_500] = { "500", REPLY_ANSWERED, 500, false, false, false, true },
	[SPELL_502] = { "502", REPLY_ANSWERED, 502, false, false, false, true },
	[SPELL_503] = { "503", REPLY_ANSWERED, 503, false, false, false, true },
	[SPELL_429] = { "429", REPLY_ANSWERED, 429, false, false, false, true },
	[SPELL_RESOLVE] = { "resolve", REPLY_RESOLVE, 0, false, false, true, true },
	[SPELL_REFUSED] = { "refused", REPLY_CONNECT, 0, false, false, true, true },
	[SPELL_TLS] = { "tls", REPLY_TLS, 0, false, false, true, true },
	[SPELL_GARBLED] = { "garbled", REPLY_GARBLED, 0, false, false, false, true },
	[SPELL_UNCONNECTED] = { "unconnected", REPLY_TIMEOUT, 0, false, true, true, true },
	[SPELL_HANG] = { "hang", REPLY_TIMEOUT, 0, false, true, false, true },
	[SPELL_HEARD_HANG] = { "heard-hang", REPLY_TIMEOUT, 0, true, true, false, true },
	[SPELL_CUT] = { "cut", REPLY_CUT, 0, false, false, false, true },
	[SPELL_HEARD_CUT] = { "heard-cut", REPLY_CUT, 0, true, false, false, true },
	[SPELL_401] = { "401", REPLY_ANSWERED, 401, false, false, false, true },
	[SPELL_403] = { "403", REPLY_ANSWERED, 403, false, false, false, true },
	[SPELL_404] = { "404", REPLY_ANSWERED, 404, false, false, false, true },
	[SPELL_410] = { "410", REPLY_ANSWERED, 410, false, false, false, true },
	[SPELL_302] = { "302", REPLY_ANSWERED, 302, false, false, false, true },
	[SPELL_400] = { "400", REPLY_ANSWERED, 400, false, false, false, false },
	[SPELL_422] = { "422", REPLY_ANSWERED, 422, false, false, false, false },
	[SPELL_409] = { "409", REPLY_ANSWERED, 409, false, false, false, false },
	[SPELL_418] = { "418", REPLY_ANSWERED, 418, false, false, false, false },
	[SPELL_SLOW] = { "slow", REPLY_ANSWERED, 200, true, false, false, false },
};

const char *spell_name(enum spell_kind kind)
{
	return kinds[kind].name;
}

bool spell_hears(enum spell_kind kind)
{
	return kinds[kind].hears;
}

bool spell_is_down(enum spell_kind kind)
{
	return kinds[kind].is_down;
}

enum spell_kind spell_draw(const struct spell *s, struct chance *chance, int64_t now)
{
	if (s->kind == SPELL_NONE || now >= s->until)
		return SPELL_NONE;
	return chance_below(chance, 100) < s->percent ? s->kind : SPELL_NONE;
}

static void add_date(struct sim_answer *out, int64_t at)
{
	char date[CLOCK_TEXT_MAX];

	clock_mail(at, date);
	snprintf(strstr(date, " +0000"), 5, " GMT");
	buf_addf(&out->headers, "Retry-After: %s\r\n", date);
}

static void add_retry_after(const struct spell *s, struct sim_answer *out)
{
	switch (s->retry) {
	case ASKS_SECONDS:
		buf_addf(&out->headers, "Retry-After: %" PRId64 "\r\n", s->retry_ms / SECOND);
		return;
	case ASKS_DATE: add_date(out, sim_now() + s->retry_ms); return;
	case ASKS_PAST: add_date(out, sim_now() - s->retry_ms); return;
	case ASKS_NONSENSE: buf_adds(&out->headers, "Retry-After: 1.5 soon\r\n"); return;
	case ASKS_NOTHING:
	case ASKS_KINDS: return;
	}
}

void spell_answer(const struct spell *s, enum spell_kind kind, struct sim_answer *out)
{
	out->kind = kinds[kind].reply;
	out->status = kinds[kind].status;
	out->hangs = kinds[kind].hangs;
	out->unsent = kinds[kind].unsent;
	if (kind == SPELL_429 || kind == SPELL_503)
		add_retry_after(s, out);
	if (out->kind == REPLY_ANSWERED)
		buf_addf(&out->body, "{\"status\":%d}", out->status);
}
