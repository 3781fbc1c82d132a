/*
 * slack: an incoming webhook of Slack, or of anything that speaks its language.
 *
 * The payload is the rendered template: an object with `text` (what notifications show) and
 * attachments of blocks. The template's escaping makes an alert's text harmless (no mention, no
 * link), so build() only adds username and icon, where they are set, as members of that object.
 *
 * An incoming webhook answers 200 with the bare word "ok", or a word that says what is wrong.
 * The same word has come under different statuses (`no_service` as 403 and 404, `invalid_token`
 * as 403 and 400), so the word is looked at first and the status only when it is not known
 * (sinks.md 1.1). A 2xx with anything else than ok is not Slack talking: a proxy's page, or a
 * url that leads elsewhere. No message's ts comes back: nothing can refer to it later.
 */
#include "sinks/slack.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "model/json.h"
#include "model/settings.h"
#include "sinks/check.h"
#include "sinks/http_common.h"
#include "sinks/http_request.h"

enum {
	WORD_MAX = 64,   /* bytes of Slack's answer; its longest word has 41 */
	DIGEST_MAX = 20, /* alerts in one message that people read */
	BODY_MAX = 512 << 10,
	MEMBERS_MAX = 4096, /* username and icon as JSON */
};

struct slack_settings {
	struct conf_secret url;
	char *username, *icon_emoji;
};

static const struct conf_key keys[] = {
	{ .name = "url",
	  .kind = CONF_SECRET,
	  .required = true,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, url),
	  .help = "the incoming webhook, https://hooks.slack.com/services/..." },
	{ .name = "username",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, username),
	  .help = "who it seems to come from (legacy webhooks only)" },
	{ .name = "icon_emoji",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, icon_emoji),
	  .help = "the picture beside it, \":bell:\" (legacy webhooks only)" },
	{ .name = NULL },
};

/* ---- checking ---- */

/* What is wrong with what follows https://hooks.slack.com, or NULL. */
static const char *path_mistake(const char *path)
{
	if (strncmp(path, "/triggers/", 10) == 0 || strncmp(path, "/workflows/", 11) == 0)
		return "starts a workflow, which takes variables and no messages: make an "
		       "incoming webhook";
	if (strncmp(path, "/services/", 10) != 0)
		return "is no incoming webhook: https://hooks.slack.com/services/T.../B.../...";
	path += 10;
	for (int piece = 0; piece < 3; piece++) {
		size_t len = strcspn(path, "/");

		if (len == 0)
			return "is cut off: three pieces follow /services/";
		path += len + (path[len] == '/' ? 1 : 0);
	}
	return NULL;
}

static void check(const struct sink_settings *s, struct conf_problems *p)
{
	static const char *const hosts[] = { "https://hooks.slack.com",
					     "https://hooks.slack-gov.com" };
	const struct slack_settings *own = s->own;
	const char *url = own->url.value, *icon = own->icon_emoji;

	if (icon != NULL &&
	    (strlen(icon) < 3 || icon[0] != ':' || icon[strlen(icon) - 1] != ':'))
		check_error(s, p, "icon_emoji", "must be a name between colons, as \":bell:\"");
	if (url == NULL || !check_url(s, p, url))
		return;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t len = strlen(hosts[i]);
		bool is_slack = strncmp(url, hosts[i], len) == 0 &&
				(url[len] == '/' || url[len] == '\0');
		const char *mistake = is_slack ? path_mistake(url + len) : NULL;

		if (mistake != NULL)
			check_error(s, p, "url", mistake);
	}
}

/* ---- building ---- */

static void add_member(struct buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(out, "\"%s\":", name);
	json_add_string(out, value);
	buf_addc(out, ',');
}

static size_t skip_space(const char *s, size_t at)
{
	return at + strspn(s + at, " \t\r\n");
}

/* Puts username and icon in front of the members that the template made. */
static bool add_face(const struct slack_settings *own, struct request *r, struct err *err)
{
	struct buf members, whole;
	size_t open = skip_space(r->body.data, 0);
	bool ok;

	if (own->username == NULL && own->icon_emoji == NULL)
		return true;
	if (r->body.data[open] != '{')
		return err_set(err, "the template made no JSON object");
	buf_init(&members, MEMBERS_MAX);
	add_member(&members, "username", own->username);
	add_member(&members, "icon_emoji", own->icon_emoji);
	if (r->body.data[skip_space(r->body.data, open + 1)] == '}' && members.len > 0)
		buf_truncate(&members, members.len - 1);
	buf_init(&whole, r->body.max_len);
	buf_addc(&whole, '{');
	buf_add(&whole, members.data, members.len);
	buf_add(&whole, r->body.data + open + 1, r->body.len - open - 1);
	ok = !members.overflow && !whole.overflow;
	buf_release(&members);
	buf_release(&r->body);
	r->body = whole;
	return ok || err_set(err, "username and icon_emoji are too long");
}

static bool build(const struct sink_settings *s, const struct message *m, struct request *out,
		  struct err *err)
{
	const struct slack_settings *own = s->own;

	return http_request_start(out, "POST", own->url.value, err) &&
	       request_header(out, "Content-Type", "application/json", err) &&
	       http_request_body(out, &m->parts[0], err) && add_face(own, out, err);
}

/* ---- judging ---- */

#define NOT_THIS_MESSAGE                                                       \
	VERDICT_NEVER, BLAME_NOBODY, "Slack refuses this message", "template", \
		"it makes what Slack does not take"
#define NO_WEBHOOK                                                       \
	VERDICT_LATER, BLAME_OPERATOR, "the webhook is not valid", NULL, \
		"it was revoked or mistyped; set that of a working incoming webhook"
#define NO_CHANNEL                                                                      \
	VERDICT_LATER, BLAME_OPERATOR, "the webhook's channel takes no messages", NULL, \
		"make an incoming webhook for another channel, or restore that one"
#define SLACK_BUSY VERDICT_LATER, BLAME_DOWN, "Slack is busy", NULL, NULL
#define SLACK_LIMIT \
	VERDICT_LATER, BLAME_DOWN, "too many messages", "rate", "Slack allows one a second"

static const struct {
	const char *word;
	struct ruling ruling;
} words[] = {
	{ "invalid_payload", { NOT_THIS_MESSAGE } },
	{ "no_text", { NOT_THIS_MESSAGE } },
	{ "missing_text_or_fallback_or_attachments", { NOT_THIS_MESSAGE } },
	{ "too_many_attachments", { NOT_THIS_MESSAGE } },
	{ "invalid_attachments", { NOT_THIS_MESSAGE } },
	{ "invalid_blocks", { NOT_THIS_MESSAGE } },
	{ "invalid_blocks_format", { NOT_THIS_MESSAGE } },
	{ "msg_too_long", { NOT_THIS_MESSAGE } },
	{ "msg_blocks_too_long", { NOT_THIS_MESSAGE } },
	{ "no_service", { NO_WEBHOOK } },
	{ "no_service_id", { NO_WEBHOOK } },
	{ "no_team", { NO_WEBHOOK } },
	{ "no_active_hooks", { NO_WEBHOOK } },
	{ "team_disabled", { NO_WEBHOOK } },
	{ "invalid_token", { NO_WEBHOOK } },
	{ "user_not_found", { NO_CHANNEL } },
	{ "channel_not_found", { NO_CHANNEL } },
	{ "channel_is_archived", { NO_CHANNEL } },
	{ "is_archived", { NO_CHANNEL } },
	{ "action_prohibited", { NO_CHANNEL } },
	{ "posting_to_general_channel_denied", { NO_CHANNEL } },
	{ "rollup_error", { SLACK_BUSY } },
	{ "service_unavailable", { SLACK_BUSY } },
	{ "internal_error", { SLACK_BUSY } },
	{ "fatal_error", { SLACK_BUSY } },
	{ "rate_limited", { SLACK_LIMIT } },
	{ "ratelimited", { SLACK_LIMIT } },
};

static const struct ruling not_slack = {
	VERDICT_LATER,
	BLAME_OPERATOR,
	"it does not answer \"ok\" as Slack does",
	NULL,
	"is it that of an incoming webhook?",
};

static bool is_word(const char *text)
{
	return text[0] != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == strlen(text);
}

/* `{"ok":false,"error":"word"}`, as Slack answers elsewhere and some relays do here. */
static void word_of_json(const struct reply *r, char word[WORD_MAX])
{
	struct err err;
	struct json *j = json_parse(r->body, r->body_len, &err);
	const struct json_value *root = j == NULL ? NULL : json_root(j);
	const char *error = json_text(json_get(root, "error"), NULL);

	if (json_kind(json_get(root, "ok")) == JSON_TRUE)
		memcpy(word, "ok", 3);
	else if (error != NULL && strlen(error) < WORD_MAX && is_word(error))
		memcpy(word, error, strlen(error) + 1);
	json_free(&j);
}

/* The word that Slack answered, "" where there is none. */
static void word_of(const struct reply *r, char word[WORD_MAX])
{
	const char *space = " \t\r\n";
	size_t from = strspn(r->body, space);
	size_t len = strcspn(r->body + from, space);

	word[0] = '\0';
	if (len > 0 && len < WORD_MAX &&
	    r->body[from + len + strspn(r->body + from + len, space)] == '\0') {
		memcpy(word, r->body + from, len);
		word[len] = '\0';
	}
	if (!is_word(word)) {
		word[0] = '\0';
		word_of_json(r, word);
	}
}

static const struct ruling *rule_of(const struct reply *r)
{
	bool is_2xx = r->status >= 200 && r->status <= 299;
	char word[WORD_MAX];

	if (r->kind != REPLY_ANSWERED && r->kind != REPLY_TOO_LARGE)
		return ruling_of_trouble(r->kind);
	word_of(r, word);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return &words[i].ruling;
	return is_2xx && strcmp(word, "ok") != 0 ? &not_slack : NULL;
}

static void secrets(const struct sink_settings *s, struct mask *m)
{
	const struct slack_settings *own = s->own;

	mask_add_url(m, own->url.value);
	mask_add_pairs(m, &s->vars);
}

static void judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		  struct outcome *out)
{
	const struct judge by = {
		.settings = s,
		.address = "url",
		.login = "url",
		.secrets = secrets,
	};
	const struct ruling *ruling = rule_of(r);

	(void)m;
	if (ruling != NULL)
		ruling_apply(ruling, &by, r, out);
	else
		http_judge(&by, r, out);
}

const struct sink_type slack_sink = {
	.name = "slack",
	.help = "a channel, by an incoming webhook",
	.keys = keys,
	.own_size = sizeof(struct slack_settings),
	.template = "slack",
	.parts = { {
		.name = "body",
		.suffix = ".slack.json",
		.plain = "{\"text\":\"{{#test}}TEST {{/test}}{{#alerts}}[{{event}}] "
			 "{{severity | truncate 40}} {{title | truncate 150}} "
			 "({{id | truncate 80}}){{^last}} / {{/last}}{{/alerts}}\","
			 "\"unfurl_links\":false,\"unfurl_media\":false}",
		.max_len = BODY_MAX,
	} },
	.part_count = 1,
	.collapse = true,
	.batch_max = DIGEST_MAX,
	.rate = "1/s",
	.check = check,
	.build = build,
	.judge = judge,
};
