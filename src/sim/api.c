/*
 * api: one row a path. Each request is counted first, so the X-RateLimit headers are on every
 * answer, errors included; then the limit, then who it is, then what is asked.
 *
 * A cursor holds the place after which its page begins, the filters it was made for, and when;
 * it is good for --cursor-ttl, for those filters only, and not after /_sim/expire.
 */
#include "sim/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/json.h"
#include "sim/form.h"

static const char cursor_prefix[] = "cur_";

enum { LIMIT_DEFAULT = 25, LIMIT_MAX = ARGS_PAGE_MAX };
enum {
	CURSOR_ISSUED_AT,
	CURSOR_EPOCH,
	CURSOR_KEY,
	CURSOR_NUMBER,
	CURSOR_FILTER,
	CURSOR_NUMBERS,
};

struct ask {
	struct sim *sim;
	const struct httpd_request *request;
	struct httpd_answer *answer;
	int64_t now;
	int caller;
	const char *why; /* the caller is anonymous */
};

/* ---- GET /alerts ------------------------------------------------------------------------- */

static int64_t filter_code(struct filter filter)
{
	return filter.status * 100 + filter.severity;
}

static bool refuse_word(const struct ask *ask, const char *name, const char *word,
			const char *known)
{
	sim_refuse(ask->sim, ask->answer, 400, "%s \"%.40s\" is not one of %s", name, word,
		   known);
	return false;
}

static bool read_filter(const struct ask *ask, struct filter *filter)
{
	const char *status = httpd_query(ask->request, "status");
	const char *severity = httpd_query(ask->request, "severity");

	*filter = (struct filter){ ANY, ANY };
	if (status != NULL)
		filter->status = (int)word_to_status(status);
	if (severity != NULL)
		filter->severity = (int)word_to_severity(severity);
	if (filter->status == STATUS_OTHER)
		return refuse_word(ask, "status", status, "open, acknowledged, resolved");
	if (filter->severity == SEVERITY_OTHER)
		return refuse_word(ask, "severity", severity, "low, medium, high, critical");
	return true;
}

static bool read_limit(const struct ask *ask, size_t *limit)
{
	const char *text = httpd_query(ask->request, "limit");
	int64_t value = LIMIT_DEFAULT;

	if (text != NULL &&
	    (!num_parse_int(text, &value, NULL) || value < 1 || value > LIMIT_MAX)) {
		sim_refuse(ask->sim, ask->answer, 400, "limit must be 1 to %d", LIMIT_MAX);
		return false;
	}
	*limit = (size_t)value;
	if (*limit > ask->sim->args->page_max)
		*limit = ask->sim->args->page_max;
	return true;
}

/* What is wrong with a cursor, or NULL and the place after which it goes on. */
static const char *open_cursor(const struct ask *ask, const char *text, struct filter filter,
			       struct place *after)
{
	const struct sim *sim = ask->sim;
	int64_t numbers[CURSOR_NUMBERS];

	if (!seal_open(&sim->seal, text, cursor_prefix, numbers, CURSOR_NUMBERS))
		return "the cursor is not valid";
	if (numbers[CURSOR_EPOCH] != sim->cursor_epoch ||
	    ask->now - numbers[CURSOR_ISSUED_AT] >= sim->args->cursor_ttl_ms)
		return "the cursor has expired";
	if (numbers[CURSOR_FILTER] != filter_code(filter))
		return "the cursor belongs to a list with other filters";
	*after = (struct place){ .key = numbers[CURSOR_KEY],
				 .number = (uint32_t)numbers[CURSOR_NUMBER] };
	return NULL;
}

static void add_cursor(const struct ask *ask, struct filter filter, const struct place *last)
{
	const int64_t numbers[CURSOR_NUMBERS] = { [CURSOR_ISSUED_AT] = ask->now,
						  [CURSOR_EPOCH] = ask->sim->cursor_epoch,
						  [CURSOR_KEY] = last->key,
						  [CURSOR_NUMBER] = last->number,
						  [CURSOR_FILTER] = filter_code(filter) };

	buf_addc(&ask->answer->body, '"');
	seal_add(&ask->sim->seal, &ask->answer->body, cursor_prefix, numbers, CURSOR_NUMBERS);
	buf_addc(&ask->answer->body, '"');
}

static void add_page(const struct ask *ask, struct filter filter, const struct place *after,
		     size_t limit)
{
	const struct world *world = ask->sim->world;
	struct buf *body = &ask->answer->body;
	struct place places[LIMIT_MAX + 1];
	/* one more than asked for tells whether there is a next page */
	size_t count = shelves_page(world_shelves(world), filter, after, places, limit + 1);
	bool has_more = count > limit;

	buf_adds(body, "{\"items\":[");
	for (size_t i = 0; i < (has_more ? limit : count); i++) {
		if (i > 0)
			buf_addc(body, ',');
		world_add_alert(world, places[i].number, body);
	}
	buf_adds(body, "],\"next_cursor\":");
	if (has_more)
		add_cursor(ask, filter, &places[limit - 1]);
	else
		buf_adds(body, "null");
	buf_addf(body, ",\"has_more\":%s,\"total_count\":%zu}", has_more ? "true" : "false",
		 shelves_count(world_shelves(world), filter));
	sim_json(ask->answer);
}

static void list_alerts(const struct ask *ask)
{
	const char *cursor = httpd_query(ask->request, "cursor");
	const char *wrong;
	struct filter filter;
	struct place after;
	size_t limit;

	if (!read_filter(ask, &filter) || !read_limit(ask, &limit))
		return;
	if (cursor == NULL) {
		add_page(ask, filter, NULL, limit);
		return;
	}
	wrong = open_cursor(ask, cursor, filter, &after);
	if (wrong != NULL)
		sim_refuse(ask->sim, ask->answer, 400, "%s", wrong);
	else
		add_page(ask, filter, &after, limit);
}

/* ---- POST /oauth/token ------------------------------------------------------------------- */

static bool is_token_path(const struct httpd_request *request)
{
	return strcmp(request->path, "/v1/oauth/token") == 0;
}

static int client_of(const struct sim *sim, const struct httpd_request *request)
{
	char *id = form_get(request->body, request->body_len, "client_id");
	char *secret = form_get(request->body, request->body_len, "client_secret");
	int client = ANONYMOUS;

	if (form_is_type(httpd_header(request, "Content-Type")))
		client = gate_client(&sim->gate, id, secret);
	mem_free(&id);
	mem_free_secret(&secret);
	return client;
}

static bool has_grant(const struct httpd_request *request)
{
	char *grant = form_get(request->body, request->body_len, "grant_type");
	bool has = grant != NULL && strcmp(grant, "client_credentials") == 0;

	mem_free(&grant);
	return has;
}

static void give_token(const struct ask *ask)
{
	struct buf *body = &ask->answer->body;

	if (!form_is_type(httpd_header(ask->request, "Content-Type"))) {
		sim_refuse(ask->sim, ask->answer, 400,
			   "send the body as application/x-www-form-urlencoded");
		return;
	}
	if (!has_grant(ask->request)) {
		sim_refuse(ask->sim, ask->answer, 400, "grant_type must be client_credentials");
		return;
	}
	if (ask->caller == ANONYMOUS) {
		sim_refuse(ask->sim, ask->answer, 401, "client_id or client_secret is wrong");
		return;
	}
	buf_adds(body, "{\"access_token\":\"");
	gate_add_token(&ask->sim->gate, ask->caller, ask->now, body);
	buf_adds(body, "\",\"token_type\":\"bearer\"");
	if (ask->sim->gate.expires_in[0] != '\0')
		buf_addf(body, ",\"expires_in\":%s", ask->sim->gate.expires_in);
	buf_addc(body, '}');
	httpd_answer_header(ask->answer, "Cache-Control", "no-store");
	sim_json(ask->answer);
}

/* ---- all of it --------------------------------------------------------------------------- */

static const struct endpoint {
	const char *method;
	const char *path;
	bool is_open; /* to those without a token */
	void (*answer)(const struct ask *ask);
} endpoints[] = {
	{ "POST", "/v1/oauth/token", true, give_token },
	{ "GET", "/v1/alerts", false, list_alerts },
};

bool api_is_list(const struct httpd_request *request)
{
	return strcmp(request->method, "GET") == 0 && strcmp(request->path, "/v1/alerts") == 0;
}

static bool is_versioned(const char *path)
{
	return strncmp(path, "/v1", 3) == 0 && (path[3] == '/' || path[3] == '\0');
}

static void refuse_path(const struct ask *ask, bool is_known)
{
	const struct httpd_request *request = ask->request;

	if (is_known)
		sim_refuse(ask->sim, ask->answer, 404, "there is no %.20s %.200s",
			   request->method, request->path);
	else if (!is_versioned(request->path))
		sim_refuse(ask->sim, ask->answer, 404,
			   "the API is versioned: put /v1 before %.200s", request->path);
	else
		sim_refuse(ask->sim, ask->answer, 404, "there is no %.200s", request->path);
}

static void dispatch(const struct ask *ask)
{
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		const struct endpoint *e = &endpoints[i];

		if (strcmp(e->path, ask->request->path) != 0)
			continue;
		is_known = true;
		if (strcmp(e->method, ask->request->method) != 0)
			continue;
		if (ask->caller == ANONYMOUS && !e->is_open)
			sim_refuse(ask->sim, ask->answer, 401, "%s", ask->why);
		else
			e->answer(ask);
		return;
	}
	refuse_path(ask, is_known);
}

static void add_number_header(struct httpd_answer *answer, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	httpd_answer_header(answer, name, text);
}

static struct quota count(const struct ask *ask)
{
	struct quota quota = gate_count(&ask->sim->gate, ask->caller, ask->now);

	add_number_header(ask->answer, "X-RateLimit-Limit", quota.limit);
	add_number_header(ask->answer, "X-RateLimit-Remaining", quota.remaining);
	add_number_header(ask->answer, "X-RateLimit-Reset", quota.reset_at / 1000);
	return quota;
}

static void refuse_over(const struct ask *ask, const struct quota *quota)
{
	add_number_header(ask->answer, "Retry-After", quota->retry_after_s);
	sim_refuse(ask->sim, ask->answer, 429, "more than %" PRId64 " requests in this minute",
		   quota->limit);
}

void api_answer(struct sim *sim, const struct httpd_request *request, int64_t now, int status,
		struct httpd_answer *answer)
{
	struct ask ask = { .sim = sim, .request = request, .answer = answer, .now = now };
	struct quota quota;

	if (is_token_path(request))
		ask.caller = client_of(sim, request);
	else
		ask.caller = gate_bearer(&sim->gate, httpd_header(request, "Authorization"),
					 now, &ask.why);
	quota = count(&ask);
	if (status != 0)
		sim_refuse(sim, answer, status, "a fault that was asked for");
	else if (quota.over)
		refuse_over(&ask, &quota);
	else
		dispatch(&ask);
}
