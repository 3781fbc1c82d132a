/* webhooks: the secret is made here and shown once, as the API does. */
#include "sim/webhooks.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/json.h"

/* A world_watcher: whoever made it happen, the webhook hears of it. */
static void tell(void *arg, uint32_t number, bool is_new)
{
	struct sim *sim = arg;
	struct buf text;

	buf_init(&text, WORLD_ALERT_MAX);
	world_add_alert(sim->world, number, &text);
	hook_note(sim->hook, is_new ? "alert.created" : "alert.updated", text.data, text.len,
		  clock_now());
	buf_release(&text);
}

void webhooks_begin(struct sim *sim, const char *url, const char *secret, uint64_t seed)
{
	sim->hook = hook_new(url, secret, seed);
	world_watch(sim->world, tell, sim);
}

/* A text member; NULL when it is missing or none. */
static const char *word_of(const struct json *json, const char *key)
{
	const struct json_value *v = json == NULL ? NULL : json_get(json_root(json), key);
	size_t len;
	const char *text = json_kind(v) == JSON_STRING ? json_text(v, &len) : NULL;

	return text != NULL && len > 0 && strlen(text) == len ? text : NULL;
}

static void add_webhook(const struct ask *ask, const struct json *json)
{
	struct sim *sim = ask->sim;
	struct buf *body = &ask->answer->body;
	char at[CLOCK_TEXT_MAX];

	clock_iso(ask->now, false, at);
	buf_addf(body, "{\"id\":\"wh_%016" PRIx64 "\",\"url\":", dice_next(&sim->request_ids));
	json_add_string(body, sim->hook_url);
	buf_adds(body, ",\"description\":");
	json_add_string(body, word_of(json, "description"));
	buf_addf(body, ",\"events\":null,\"signing_secret\":\"%s\",\"created_at\":\"%s\"}",
		 sim->hook_secret, at);
	sim_json(ask->answer);
}

void webhooks_register(const struct ask *ask)
{
	struct sim *sim = ask->sim;
	struct json *json = json_parse(ask->request->body, ask->request->body_len, NULL);
	const char *url = word_of(json, "url");
	struct err err = { "" };
	char *text = mem_printf("%s:whsec_%016" PRIx64 "%016" PRIx64, url == NULL ? "" : url,
				dice_next(&sim->request_ids), dice_next(&sim->request_ids));

	if (url == NULL)
		sim_refuse(sim, ask->answer, 400, "url is missing");
	else if (sim->hook != NULL)
		sim_refuse(sim, ask->answer, 400, "there is a webhook already");
	else if (!hook_split(text, &sim->hook_url, &sim->hook_secret, &err))
		sim_refuse(sim, ask->answer, 400, "url %s", err.text);
	if (ask->answer->status == 200) {
		webhooks_begin(sim, sim->hook_url, sim->hook_secret,
			       dice_next(&sim->request_ids));
		add_webhook(ask, json);
	}
	mem_free_secret(&text);
	json_free(&json);
}
