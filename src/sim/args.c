/* args: one row an option; the row has its help and the function that reads its value. */
#include "sim/args.h"

#include <string.h>

#include "base/mem.h"
#include "sim/cast.h"
#include "sim/crowd.h"
#include "sim/hook.h"

enum { RATE_PER_S_MAX = 10000 };

static bool parse_between(const char *text, int64_t min, int64_t max, int64_t *value,
			  struct err *err)
{
	if (!num_parse_int(text, value, err))
		return false;
	if (*value < min || *value > max)
		return err_set(err, "must be %lld to %lld", (long long)min, (long long)max);
	return true;
}

static bool parse_port(struct args *args, const char *text, struct err *err)
{
	int64_t port;

	if (!parse_between(text, 0, UINT16_MAX, &port, err))
		return false;
	args->port = (uint16_t)port;
	return true;
}

static bool parse_seed(struct args *args, const char *text, struct err *err)
{
	int64_t seed;

	if (!num_parse_int(text, &seed, err))
		return false;
	args->seed = (uint64_t)seed;
	args->has_seed = true;
	return true;
}

static bool parse_order(struct args *args, const char *text, struct err *err)
{
	static const char *const orders[] = {
		[ORDER_NEWEST] = "newest", [ORDER_OLDEST] = "oldest", [ORDER_MIXED] = "mixed"
	};

	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		if (strcmp(text, orders[i]) == 0) {
			args->order = (enum world_order)i;
			return true;
		}
	return err_set(err, "must be newest, oldest or mixed");
}

static bool parse_history(struct args *args, const char *text, struct err *err)
{
	int64_t count;

	if (!parse_between(text, 0, WORLD_ALERTS_MAX, &count, err))
		return false;
	args->history = (size_t)count;
	return true;
}

static bool parse_users(struct args *args, const char *text, struct err *err)
{
	int64_t count;

	if (!parse_between(text, CAST_USERS, CROWD_USERS_MAX, &count, err))
		return false;
	args->users = (size_t)count;
	return true;
}

static bool parse_rate(struct args *args, const char *text, struct err *err)
{
	if (!num_parse_rate(text, &args->rate, err))
		return false;
	if ((double)args->rate.count * 1000 > (double)args->rate.per_ms * RATE_PER_S_MAX)
		return err_set(err, "is more than %d/s", RATE_PER_S_MAX);
	return true;
}

static bool parse_page_max(struct args *args, const char *text, struct err *err)
{
	int64_t count;

	if (!parse_between(text, 1, ARGS_PAGE_MAX, &count, err))
		return false;
	args->page_max = (size_t)count;
	return true;
}

static bool parse_limit_rpm(struct args *args, const char *text, struct err *err)
{
	return parse_between(text, 1, 1000000000, &args->limit_rpm, err);
}

static bool parse_cursor_ttl(struct args *args, const char *text, struct err *err)
{
	return num_parse_duration(text, &args->cursor_ttl_ms, err);
}

static bool parse_token_ttl(struct args *args, const char *text, struct err *err)
{
	if (!num_parse_duration(text, &args->token_ttl_ms, err))
		return false;
	if (args->token_ttl_ms < 1000)
		return err_set(err, "must be 1s or more: expires_in counts whole seconds");
	return true;
}

static void clear_clients(struct args *args)
{
	for (size_t i = 0; i < args->client_count; i++) {
		mem_free(&args->clients[i].id);
		mem_free_secret(&args->clients[i].secret);
	}
	args->client_count = 0;
}

static void clear_keys(struct args *args)
{
	for (size_t i = 0; i < args->key_count; i++)
		mem_free_secret(&args->keys[i]);
	args->key_count = 0;
}

/* Calls add() for each part of text between commas. */
static bool each_part(struct args *args, const char *text,
		      bool (*add)(struct args *args, const char *part, size_t len,
				  struct err *err),
		      struct err *err)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",");

		if (!add(args, text, len, err))
			return false;
		text += len;
		text += *text == ',';
	}
	return true;
}

static bool add_client(struct args *args, const char *part, size_t len, struct err *err)
{
	const char *colon = memchr(part, ':', len);
	size_t id_len;

	if (colon == NULL || colon == part || colon == part + len - 1)
		return err_set(err, "must be ID:SECRET,ID:SECRET,...");
	if (args->client_count == ARGS_CALLERS_MAX)
		return err_set(err, "has more than %d", ARGS_CALLERS_MAX);
	id_len = (size_t)(colon - part);
	args->clients[args->client_count++] =
		(struct args_client){ .id = mem_dup(part, id_len),
				      .secret = mem_dup(colon + 1, len - id_len - 1) };
	return true;
}

static bool add_key(struct args *args, const char *part, size_t len, struct err *err)
{
	if (len == 0)
		return err_set(err, "must be KEY,KEY,...");
	if (args->key_count == ARGS_CALLERS_MAX)
		return err_set(err, "has more than %d", ARGS_CALLERS_MAX);
	args->keys[args->key_count++] = mem_dup(part, len);
	return true;
}

static bool parse_clients(struct args *args, const char *text, struct err *err)
{
	clear_clients(args);
	return each_part(args, text, add_client, err);
}

static bool parse_keys(struct args *args, const char *text, struct err *err)
{
	clear_keys(args);
	return each_part(args, text, add_key, err);
}

static void clear_webhook(struct args *args)
{
	mem_free_secret(&args->hook_url); /* services put their secret into the path */
	mem_free_secret(&args->hook_secret);
}

static bool parse_webhook(struct args *args, const char *text, struct err *err)
{
	clear_webhook(args);
	return hook_split(text, &args->hook_url, &args->hook_secret, err);
}

static const struct option {
	const char *name;
	const char *value;
	const char *preset; /* NULL: none */
	bool (*parse)(struct args *args, const char *text, struct err *err);
	const char *help;
} options[] = {
	{ "--port", "P", "0", parse_port, "port on 127.0.0.1; 0: any that is free (default)" },
	{ "--seed", "N", NULL, parse_seed,
	  "same seed, same ids and texts (default: new ones each time)" },
	{ "--order", "ORDER", "newest", parse_order,
	  "of the list: newest (default), oldest or mixed" },
	{ "--history", "N", "0", parse_history, "alerts that are already there (default 0)" },
	{ "--users", "N", "24", parse_users,
	  "users of the organisation, 24 to 100000 (default 24)" },
	{ "--rate", "N/s", "off", parse_rate,
	  "alerts that open by themselves, e.g. 2/s, 10/min (default off)" },
	{ "--page-max", "N", "100", parse_page_max,
	  "alerts on a page at most, whatever limit asks for (default 100)" },
	{ "--limit-rpm", "N", "1000", parse_limit_rpm,
	  "requests a minute and key, then 429 (default 1000)" },
	{ "--cursor-ttl", "TIME", "10m", parse_cursor_ttl,
	  "how long a cursor is good for (default 10m)" },
	{ "--token-ttl", "TIME", "1h", parse_token_ttl,
	  "how long a token is good for (default 1h)" },
	{ "--clients", "ID:SECRET,...", "sandbox:sandbox", parse_clients,
	  "OAuth clients (default sandbox:sandbox)" },
	{ "--keys", "KEY,...", "sandbox-key", parse_keys, "API keys (default sandbox-key)" },
	{ "--webhook", "URL:SECRET", NULL, parse_webhook,
	  "POST there, signed, each alert that opens or changes" },
};

static bool is_secret(const struct option *option)
{
	return option->parse == parse_clients || option->parse == parse_keys ||
	       option->parse == parse_webhook;
}

static const struct option *find_option(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static bool refuse_option(const char *name, struct err *err)
{
	const char *names[ARRAY_LEN(options) + 2] = { [ARRAY_LEN(options)] = "--help" };
	const char *nearest;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		names[i] = options[i].name;
	nearest = num_nearest(name, names);
	if (nearest != NULL)
		return err_set(err, "unknown option \"%s\": did you mean %s?", name, nearest);
	return err_set(err, "unknown option \"%s\": see toktra-sim --help", name);
}

static void set_defaults(struct args *args)
{
	*args = (struct args){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].preset != NULL &&
		    !options[i].parse(args, options[i].preset, NULL))
			BUG("the default of %s is none", options[i].name);
}

bool args_parse(struct args *args, int argc, char **argv, struct err *err)
{
	set_defaults(args);
	for (int i = 1; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");
		const struct option *option = find_option(argv[i], len);
		const char *value = argv[i][len] == '=' ? argv[i] + len + 1 : NULL;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			args->help = true;
			return true;
		}
		if (option == NULL)
			return refuse_option(argv[i], err);
		if (value == NULL && i + 1 == argc)
			return err_set(err, "%s needs a value: %s %s", option->name,
				       option->name, option->value);
		if (value == NULL)
			value = argv[++i];
		if (!option->parse(args, value, err))
			return err_prefix(err, "%s \"%s\"", option->name,
					  is_secret(option) ? "..." : value);
	}
	return true;
}

void args_release(struct args *args)
{
	clear_clients(args);
	clear_keys(args);
	clear_webhook(args);
}

void args_add_help(struct buf *out)
{
	buf_adds(
		out,
		"usage: toktra-sim [OPTION...]\n\n"
		"Simulates the Toktra Public API on this machine, for tests and sandboxes.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		buf_addf(out, "  %-13s %-14s %s\n", options[i].name, options[i].value,
			 options[i].help);
	buf_addf(out, "  %-13s %-14s %s\n", "--help", "", "this text");
	buf_adds(
		out,
		"\nPrints \"listening on http://127.0.0.1:PORT/v1\" when ready; ends on TERM or "
		"INT.\n\n"
		"Control (JSON, from this machine only):\n"
		"  POST   /_sim/alerts     {\"n\":5,\"severity\":\"high\",...}  new alerts; any field\n"
		"                          [{...},...]  these, as they are; {\"raw\":\"...\"} and\n"
		"                          {\"raw_base64\":\"...\"} stand for bytes that are no JSON\n"
		"  POST   /_sim/alerts/ID  {\"status\":\"resolved\"}  any field\n"
		"  DELETE /_sim/alerts/ID\n"
		"  POST   /_sim/users      [{...},...]  listed, as they are\n"
		"  POST   /_sim/users/ID   {\"department\":\"legal\"}  any field\n"
		"  DELETE /_sim/users/ID   and the same for policies and budgets\n"
		"  POST   /_sim/faults     {\"path\":\"/v1/alerts\",\"query\":\"status=open\",\n"
		"                          \"after\":2,\"count\":3,\"seconds\":10,\"kind\":\"status\",\n"
		"                          \"status\":503,\"retry_after\":2}; after: so many\n"
		"                          requests go well first; \"query\":\"status=\": none asked\n"
		"                          kinds: status reset hang truncate drip html badjson\n"
		"  DELETE /_sim/faults\n"
		"  POST   /_sim/expire     {\"cursors\":true,\"tokens\":true}\n"
		"  POST   /_sim/clients    {\"id\":\"sandbox\",\"secret\":\"new\"}  null: shut out\n"
		"  POST   /_sim/keys       {\"add\":\"KEY\",\"remove\":\"KEY\"}\n"
		"  POST   /_sim/token      {\"expires_in\":60,\"lives\":2}  what is said (null:\n"
		"                          nothing), and the seconds that tokens live\n"
		"  GET    /_sim/stats      requests by path and status, lists of alerts by the\n"
		"                          status asked for, alerts, the webhook\n");
}
