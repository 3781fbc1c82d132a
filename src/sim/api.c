/*
 * api: one row a path. Each request is counted first, so the X-RateLimit headers are on every
 * answer, errors included; then the limit, then who it is, then what is asked.
 */
#include "sim/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/json.h"
#include "sim/ask.h"
#include "sim/form.h"
#include "sim/lists.h"
#include "sim/webhooks.h"

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

static void add_page(const struct ask *ask, struct filter filter, const struct place *after,
		     size_t limit)
{
	const struct world *world = ask->sim->world;
	struct buf *body = &ask->answer->body;
	struct place places[ASK_LIMIT_MAX + 1];
	/* one more than asked for tells whether there is a next page */
	size_t count = shelves_page(world_shelves(world), filter, after, places, limit + 1);
	bool has_more = count > limit;

	buf_adds(body, "{\"items\":[");
	for (size_t i = 0; i < (has_more ? limit : count); i++) {
		if (i > 0)
			buf_addc(body, ',');
		world_add_alert(world, places[i].number, body);
	}
	ask_end_items(ask, filter_code(filter), has_more,
		      has_more ? places[limit - 1] : (struct place){ 0 });
	buf_addf(body, ",\"total_count\":%zu}", shelves_count(world_shelves(world), filter));
	sim_json(ask->answer);
}

static void list_alerts(const struct ask *ask)
{
	struct filter filter;
	struct place after;
	bool has_after;
	size_t limit;

	if (read_filter(ask, &filter) && ask_limit(ask, &limit) &&
	    ask_cursor(ask, filter_code(filter), &has_after, &after))
		add_page(ask, filter, has_after ? &after : NULL, limit);
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
	const char *path; /* one that ends with / has something behind it */
	bool is_open;     /* to those without a token */
	void (*answer)(const struct ask *ask);
} endpoints[] = {
	{ "POST", "/v1/oauth/token", true, give_token },
	{ "GET", "/v1/alerts", false, list_alerts },
	{ "GET", "/v1/users", false, lists_users },
	{ "GET", "/v1/policies", false, lists_policies },
	{ "GET", "/v1/budgets", false, lists_budgets },
	{ "GET", "/v1/budgets/", false, lists_budget },
	{ "GET", "/v1/usage", false, lists_usage },
	{ "POST", "/v1/webhooks", false, webhooks_register },
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

static bool is_path(const char *path, const char *wanted)
{
	size_t len = strlen(wanted);

	if (wanted[len - 1] == '/')
		return strncmp(path, wanted, len) == 0 && path[len] != '\0';
	return strcmp(path, wanted) == 0;
}

static void dispatch(struct ask *ask)
{
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
		const struct endpoint *e = &endpoints[i];

		if (!is_path(ask->request->path, e->path))
			continue;
		ask->rest = ask->request->path + strlen(e->path);
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
