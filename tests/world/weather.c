/* weather: see the header. */
#include "world/weather.h"

static const struct {
	const char *name;
	int status; /* 0: not an answer of its own */
	const char *body;
} faults[FAULT_KINDS] = {
	[FAULT_NONE] = { "none", 0, NULL },
	[FAULT_500] = { "500", 500, "{\"error\":\"internal_error\"}" },
	[FAULT_503] = { "503", 503, "{\"error\":{\"type\":\"unavailable\"}}" },
	[FAULT_429] = { "429", 0, NULL },
	[FAULT_401] = { "401", 401, "{\"error\":\"unauthorized\"}" },
	[FAULT_403] = { "403", 403, "{\"error\":\"forbidden\",\"message\":\"no\"}" },
	[FAULT_HANG] = { "hang", 0, NULL },
	[FAULT_REFUSED] = { "refused", 0, NULL },
	[FAULT_CUT] = { "cut", 0, NULL },
	[FAULT_HTML] = { "html", 200, "<html><body>Please log in</body></html>" },
	[FAULT_BAD_JSON] = { "bad-json", 200, "{\"items\":[{\"id\":01}],}" },
	[FAULT_TORN_JSON] = { "torn-json", 200, "{\"items\":[{\"id\":\"a0000" },
	[FAULT_TOO_LARGE] = { "too-large", 0, NULL },
	[FAULT_REPEATED_PAGE] = { "repeated-page", 0, NULL },
	[FAULT_CURSOR_LOOP] = { "cursor-loop", 0, NULL },
	[FAULT_TORN_END] = { "torn-end", 0, NULL },
	[FAULT_BAD_ITEMS] = { "bad-items", 0, NULL },
	[FAULT_SLOW] = { "slow", 0, NULL },
	[FAULT_CROWD] = { "crowd", 0, NULL },
	[FAULT_WRONG_DATE] = { "wrong-date", 0, NULL },
};

const char *fault_name(enum fault kind)
{
	return faults[kind].name;
}

bool weather_is(const struct weather *w, enum fault kind, int64_t now)
{
	return w->kind == kind && now < w->until;
}

enum fault weather_draw(const struct weather *w, struct chance *chance, int64_t now)
{
	if (w->kind == FAULT_NONE || now >= w->until)
		return FAULT_NONE;
	return chance_below(chance, 100) < w->percent ? w->kind : FAULT_NONE;
}

static enum reply_kind kind_of(enum fault kind)
{
	if (kind == FAULT_REFUSED)
		return REPLY_CONNECT;
	if (kind == FAULT_CUT)
		return REPLY_CUT;
	return kind == FAULT_TOO_LARGE ? REPLY_TOO_LARGE : REPLY_ANSWERED;
}

bool weather_answer(enum fault kind, struct sim_answer *out)
{
	out->hangs = kind == FAULT_HANG;
	out->kind = kind_of(kind);
	if (faults[kind].status != 0) {
		out->status = faults[kind].status;
		buf_adds(&out->body, faults[kind].body);
	}
	return out->hangs || out->kind != REPLY_ANSWERED || faults[kind].status != 0;
}
