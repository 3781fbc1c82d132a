/* control: one row an action; a wrong key is told, for a test that sets nothing proves nothing. */
#include "sim/control.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/json.h"
#include "sim/inject.h"

static const char root[] = "/_sim/";

struct order {
	const char *action; /* its path after /_sim/ */
	struct sim *sim;
	const char *rest; /* of the path, after the action's own */
	const struct json *json;
	int64_t now;
	struct httpd_answer *answer;
};

bool control_is_path(const char *path)
{
	return strncmp(path, root, sizeof(root) - 1) == 0;
}

static void refuse(const struct order *order, const char *why)
{
	sim_refuse(order->sim, order->answer, 400, "%s", why);
}

/* ---- alerts ------------------------------------------------------------------------------ */

static void put_alerts(const struct order *order)
{
	struct err err = { "" };

	if (inject(order->sim->world, order->json, order->now, &order->answer->body, &err))
		sim_json(order->answer);
	else
		refuse(order, err.text);
}

static size_t find(const struct order *order, uint32_t numbers[WORLD_SAME_ID_MAX])
{
	size_t count = world_find(order->sim->world, order->rest, numbers);

	if (count == 0)
		sim_refuse(order->sim, order->answer, 404, "there is no alert \"%.200s\"",
			   order->rest);
	return count;
}

static void change_alert(const struct order *order)
{
	uint32_t numbers[WORLD_SAME_ID_MAX];
	size_t count = find(order, numbers);
	struct err err = { "" };

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (!world_change(order->sim->world, numbers[i], order->json, order->now,
				  &err)) {
			refuse(order, err.text);
			return;
		}
	world_add_alert(order->sim->world, numbers[0], &order->answer->body);
	sim_json(order->answer);
}

static void remove_alert(const struct order *order)
{
	uint32_t numbers[WORLD_SAME_ID_MAX];
	size_t count = find(order, numbers);

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		world_remove(order->sim->world, numbers[i]);
	buf_addf(&order->answer->body, "{\"removed\":%zu}", count);
	sim_json(order->answer);
}

/* ---- users, policies and budgets ---------------------------------------------------------- */

/* Which of them the action's path names. */
static enum crowd_kind crowd_kind_of(const struct order *order)
{
	switch (order->action[0]) {
	case 'u': return CROWD_USERS;
	case 'p': return CROWD_POLICIES;
	}
	return CROWD_BUDGETS;
}

static void put_crowd(const struct order *order)
{
	const struct json_value *list = json_root(order->json);
	size_t count = 0;

	if (json_kind(list) != JSON_ARRAY) {
		refuse(order, "send a list of what shall be there, as it is: [{\"id\":…},…]");
		return;
	}
	for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v)) {
		struct json_span bytes = json_bytes(order->json, v);

		if (!crowd_put(order->sim->crowd, crowd_kind_of(order), bytes.at, bytes.len)) {
			refuse(order, "there are too many that were put in by hand");
			return;
		}
		count++;
	}
	buf_addf(&order->answer->body, "{\"put\":%zu}", count);
	sim_json(order->answer);
}

static size_t find_crowd(const struct order *order, uint32_t rows[CROWD_SAME_ID_MAX])
{
	size_t count = crowd_find(order->sim->crowd, crowd_kind_of(order), order->rest, rows);

	if (count == 0)
		sim_refuse(order->sim, order->answer, 404, "there is no \"%.200s\"",
			   order->rest);
	return count;
}

static void change_crowd(const struct order *order)
{
	enum crowd_kind kind = crowd_kind_of(order);
	uint32_t rows[CROWD_SAME_ID_MAX];
	size_t count = find_crowd(order, rows);
	struct err err = { "" };

	for (size_t i = 0; i < count; i++)
		if (!crowd_change(order->sim->crowd, kind, rows[i], order->json, &err)) {
			refuse(order, err.text);
			return;
		}
	if (count == 0)
		return;
	crowd_add(order->sim->crowd, kind, rows[0], &order->answer->body);
	sim_json(order->answer);
}

static void remove_crowd(const struct order *order)
{
	uint32_t rows[CROWD_SAME_ID_MAX];
	size_t count = find_crowd(order, rows);

	for (size_t i = 0; i < count; i++)
		if (!crowd_remove(order->sim->crowd, crowd_kind_of(order), rows[i])) {
			refuse(order, "too many are changed: restart the simulator");
			return;
		}
	if (count == 0)
		return;
	buf_addf(&order->answer->body, "{\"removed\":%zu}", count);
	sim_json(order->answer);
}

/* ---- faults ------------------------------------------------------------------------------ */

static bool copy_text(char *out, size_t size, const struct json_value *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	if (text == NULL || len >= size || strlen(text) != len)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static bool read_kind(struct fault *fault, const struct json_value *v, int64_t now)
{
	(void)now;
	return json_kind(v) == JSON_STRING && fault_parse(json_text(v, NULL), &fault->kind);
}

static bool read_path(struct fault *fault, const struct json_value *v, int64_t now)
{
	(void)now;
	return json_kind(v) == JSON_STRING && copy_text(fault->path, sizeof(fault->path), v);
}

static bool read_status(struct fault *fault, const struct json_value *v, int64_t now)
{
	int64_t status;

	(void)now;
	/* 304 and those below 300 have no body, or mean success */
	if (!json_int(v, &status) || status < 300 || status > 599 || status == 304)
		return false;
	fault->status = (int)status;
	return true;
}

static bool read_retry_after(struct fault *fault, const struct json_value *v, int64_t now)
{
	(void)now;
	return (json_kind(v) == JSON_STRING || json_kind(v) == JSON_NUMBER) &&
	       copy_text(fault->retry_after, sizeof(fault->retry_after), v);
}

/* "status=open", or "status=" for requests that name no status. */
static bool read_query(struct fault *fault, const struct json_value *v, int64_t now)
{
	char text[FAULT_TEXT_MAX];
	char *equals;

	(void)now;
	if (json_kind(v) != JSON_STRING || !copy_text(text, sizeof(text), v))
		return false;
	equals = strchr(text, '=');
	if (equals == NULL || equals == text)
		return false;
	*equals = '\0';
	memcpy(fault->name, text, strlen(text) + 1);
	memcpy(fault->value, equals + 1, strlen(equals + 1) + 1);
	return true;
}

static bool read_after(struct fault *fault, const struct json_value *v, int64_t now)
{
	(void)now;
	return json_int(v, &fault->after) && fault->after >= 0;
}

static bool read_count(struct fault *fault, const struct json_value *v, int64_t now)
{
	(void)now;
	return json_int(v, &fault->count) && fault->count >= 1;
}

static bool read_seconds(struct fault *fault, const struct json_value *v, int64_t now)
{
	double seconds;
	size_t len;
	const char *text = json_text(v, &len);

	if (json_kind(v) != JSON_NUMBER || !num_parse_decimal(text, len, &seconds) ||
	    seconds <= 0 || seconds > 1e9)
		return false;
	fault->until_at = now + (int64_t)(seconds * 1000);
	return true;
}

static const struct fault_field {
	const char *key;
	bool (*read)(struct fault *fault, const struct json_value *v, int64_t now);
	const char *must;
} fault_fields[] = {
	{ "kind", read_kind, "be status, reset, hang, truncate, drip, html or badjson" },
	{ "path", read_path, "be the beginning of a path, such as \"/v1/alerts\"" },
	{ "query", read_query, "be a parameter, such as \"status=open\"" },
	{ "after", read_after, "be how many requests are let through first" },
	{ "status", read_status, "be 300 to 599, not 304" },
	{ "retry_after", read_retry_after, "be a number or a text" },
	{ "count", read_count, "be 1 or more" },
	{ "seconds", read_seconds, "be more than 0" },
};

static bool read_fault_field(struct fault *fault, const struct json_value *v, int64_t now,
			     struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(fault_fields); i++) {
		if (strcmp(fault_fields[i].key, json_key(v)) != 0)
			continue;
		return fault_fields[i].read(fault, v, now) ||
		       err_set(err, "%s must %s", fault_fields[i].key, fault_fields[i].must);
	}
	return err_set(err,
		       "\"%.40s\" is not one of kind, path, query, after, status, "
		       "retry_after, count, seconds",
		       json_key(v));
}

static bool read_fault(struct fault *fault, const struct order *order, struct err *err)
{
	const struct json_value *object = json_root(order->json);

	*fault = (struct fault){ .path = "/v1", .count = -1, .until_at = INT64_MAX };
	if (json_kind(object) != JSON_OBJECT || json_get(object, "kind") == NULL)
		return err_set(err, "a fault needs a \"kind\"");
	for (const struct json_value *v = json_first(object); v != NULL; v = json_next(v))
		if (!read_fault_field(fault, v, order->now, err))
			return false;
	if (fault->status == 0)
		fault->status = fault->kind == FAULT_HTML ? 502 : 503;
	return true;
}

static void add_fault(const struct order *order)
{
	struct err err = { "" };
	struct fault fault;

	if (!read_fault(&fault, order, &err)) {
		refuse(order, err.text);
		return;
	}
	if (!faults_add(&order->sim->faults, &fault)) {
		refuse(order, "there are too many faults: DELETE /_sim/faults");
		return;
	}
	buf_addf(&order->answer->body, "{\"faults\":%zu}", order->sim->faults.count);
	sim_json(order->answer);
}

static void clear_faults(const struct order *order)
{
	order->sim->faults.count = 0;
	buf_adds(&order->answer->body, "{\"faults\":0}");
	sim_json(order->answer);
}

/* ---- credentials ------------------------------------------------------------------------- */

/* A member that is a text without NUL and not empty; NULL otherwise. */
static const char *word_of(const struct order *order, const char *key)
{
	const struct json_value *v = json_get(json_root(order->json), key);
	size_t len;
	const char *text = json_text(v, &len);

	return json_kind(v) == JSON_STRING && len > 0 && strlen(text) == len ? text : NULL;
}

static bool is_null(const struct order *order, const char *key)
{
	return json_kind(json_get(json_root(order->json), key)) == JSON_NULL;
}

static void done(const struct order *order)
{
	buf_adds(&order->answer->body, "{\"done\":true}");
	sim_json(order->answer);
}

static void set_client(const struct order *order)
{
	const char *id = word_of(order, "id");
	const char *secret = word_of(order, "secret");

	if (id == NULL || (secret == NULL && !is_null(order, "secret")))
		refuse(order,
		       "send {\"id\":\"…\",\"secret\":\"…\"}; null shuts the client out");
	else if (!gate_set_client(&order->sim->gate, id, secret))
		refuse(order, "there are too many clients, or none of that id");
	else
		done(order);
}

static void change_keys(const struct order *order)
{
	const char *add = word_of(order, "add");
	const char *remove = word_of(order, "remove");

	if (add == NULL && remove == NULL)
		refuse(order, "send {\"add\":\"KEY\",\"remove\":\"KEY\"}, or one of them");
	else if (remove != NULL && !gate_remove_key(&order->sim->gate, remove))
		refuse(order, "there is no such key to remove");
	else if (add != NULL && !gate_add_key(&order->sim->gate, add))
		refuse(order, "there are too many keys");
	else
		done(order);
}

/* Milliseconds of a member that is a number of seconds; 0 for any other. */
static int64_t ms_of(const struct json_value *v)
{
	double seconds;
	size_t len;
	const char *text = json_text(v, &len);

	if (json_kind(v) != JSON_NUMBER || !num_parse_decimal(text, len, &seconds) ||
	    seconds < 0.001 || seconds > 1e10)
		return 0;
	return (int64_t)(seconds * 1000);
}

/*
 * What tokens live and what is said of it: the same, where expires_in is a number and `lives`
 * says nothing else. It holds for those that were given out, too.
 */
static void set_token(const struct order *order)
{
	struct gate *gate = &order->sim->gate;
	const struct json_value *said = json_get(json_root(order->json), "expires_in");
	const struct json_value *lives = json_get(json_root(order->json), "lives");
	struct json_span span = json_bytes(order->json, said);
	int64_t ttl_ms = ms_of(lives != NULL ? lives : said);

	if ((said == NULL && lives == NULL) || (lives != NULL && ttl_ms == 0) ||
	    span.len >= sizeof(gate->expires_in)) {
		refuse(order, "send {\"expires_in\":3600,\"lives\":3600}, or one of them: what "
			      "is said (null: nothing), and the seconds that it is");
		return;
	}
	if (ttl_ms > 0)
		gate->token_ttl_ms = ttl_ms;
	if (said != NULL)
		snprintf(gate->expires_in, sizeof(gate->expires_in), "%.*s",
			 json_kind(said) == JSON_NULL ? 0 : (int)span.len, span.at);
	done(order);
}

/* ---- expiry and counts ------------------------------------------------------------------- */

static void expire(const struct order *order)
{
	const struct json_value *object = json_root(order->json);
	bool cursors = json_kind(json_get(object, "cursors")) == JSON_TRUE;
	bool tokens = json_kind(json_get(object, "tokens")) == JSON_TRUE;

	if (!cursors && !tokens) {
		refuse(order, "say what: {\"cursors\":true,\"tokens\":true}");
		return;
	}
	if (cursors)
		order->sim->cursor_epoch++;
	if (tokens)
		gate_expire_tokens(&order->sim->gate);
	buf_addf(&order->answer->body, "{\"cursors\":%s,\"tokens\":%s}",
		 cursors ? "true" : "false", tokens ? "true" : "false");
	sim_json(order->answer);
}

static void show_stats(const struct order *order)
{
	const struct shelves *shelves = world_shelves(order->sim->world);
	struct buf *body = &order->answer->body;

	buf_adds(body, "{\"requests\":");
	stats_add(&order->sim->stats, body);
	buf_adds(body, ",\"lists\":");
	stats_add_lists(&order->sim->stats, body);
	buf_adds(body, ",\"alerts\":{");
	for (int status = 0; status <= STATUS_COUNT; status++)
		buf_addf(body, "\"%s\":%zu,", word_status((enum alert_status)status),
			 shelves_count(shelves, (struct filter){ status, ANY }));
	buf_addf(body, "\"total\":%zu},\"faults\":%zu",
		 shelves_count(shelves, (struct filter){ ANY, ANY }), order->sim->faults.count);
	if (order->sim->hook != NULL) {
		buf_adds(body, ",\"webhook\":");
		hook_add_stats(order->sim->hook, body);
	}
	buf_addc(body, '}');
	sim_json(order->answer);
}

/* ---- all of it --------------------------------------------------------------------------- */

static const struct action {
	const char *method;
	const char *path; /* after /_sim/; one that ends with / has something behind it */
	bool has_body;
	void (*run)(const struct order *order);
} actions[] = {
	{ "POST", "alerts", true, put_alerts },
	{ "POST", "alerts/", true, change_alert },
	{ "DELETE", "alerts/", false, remove_alert },
	{ "POST", "faults", true, add_fault },
	{ "DELETE", "faults", false, clear_faults },
	{ "POST", "expire", true, expire },
	{ "POST", "clients", true, set_client },
	{ "POST", "keys", true, change_keys },
	{ "POST", "token", true, set_token },
	{ "GET", "stats", false, show_stats },
	{ "POST", "users", true, put_crowd },
	{ "POST", "users/", true, change_crowd },
	{ "DELETE", "users/", false, remove_crowd },
	{ "POST", "policies", true, put_crowd },
	{ "POST", "policies/", true, change_crowd },
	{ "DELETE", "policies/", false, remove_crowd },
	{ "POST", "budgets", true, put_crowd },
	{ "POST", "budgets/", true, change_crowd },
	{ "DELETE", "budgets/", false, remove_crowd },
};

static const struct action *find_action(const char *method, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		size_t len = strlen(actions[i].path);

		if (strcmp(actions[i].method, method) != 0 ||
		    strncmp(actions[i].path, path, len) != 0)
			continue;
		if ((actions[i].path[len - 1] == '/') == (path[len] != '\0'))
			return &actions[i];
	}
	return NULL;
}

static void run_with_body(const struct action *action, struct order *order,
			  const struct httpd_request *request)
{
	struct err err = { "" };
	struct json *json = json_parse(request->body, request->body_len, &err);

	order->json = json;
	if (json == NULL)
		sim_refuse(order->sim, order->answer, 400, "the body is not JSON: %s",
			   err.text);
	else
		action->run(order);
	json_free(&json);
}

void control_answer(struct sim *sim, const struct httpd_request *request, int64_t now,
		    struct httpd_answer *answer)
{
	const char *path = request->path + sizeof(root) - 1;
	const struct action *action = find_action(request->method, path);
	struct order order = { .sim = sim, .now = now, .answer = answer };

	if (!request->from_loopback) {
		sim_refuse(sim, answer, 403, "only from this machine");
		return;
	}
	if (action == NULL) {
		sim_refuse(sim, answer, 404, "there is no %.20s %.200s: see toktra-sim --help",
			   request->method, request->path);
		return;
	}
	order.action = action->path;
	order.rest = path + strlen(action->path);
	if (action->has_body)
		run_with_body(action, &order, request);
	else
		action->run(&order);
}
