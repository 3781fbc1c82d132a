/*
 * slack: a channel, by an incoming webhook (or of anything that speaks its language) or as a bot.
 *
 * The payload is the rendered template: an object with `text` (what notifications show) and
 * attachments of blocks. The template's escaping makes an alert's text harmless (no mention, no
 * link), so build() only adds members to that object: where it goes, the face, what it replies
 * to. A member of ours replaces one of the template's.
 *
 * A webhook tells nothing back, so each event is a message of its own. A bot is told channel and
 * ts of what it posts: what follows updates that message and replies in its thread (slack_plan.c).
 *
 * What Slack refuses is sent once more as plain text, made of the template's own `text`.
 */
#include "sinks/slack.h"

#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "model/json.h"
#include "sinks/check.h"
#include "sinks/http_request.h"
#include "sinks/slack_plan.h"

enum {
	DIGEST_MAX = 20, /* alerts in one message that people read */
	BODY_MAX = 512 << 10,
	REPLY_MAX = 2 * BODY_MAX, /* Slack repeats the message in its answer */
	PLAIN_MAX = 3000,         /* characters; an update takes 4,000 */
};

static const struct conf_key keys[] = {
	{ .name = "url",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, url),
	  .help = "the incoming webhook, https://hooks.slack.com/services/..." },
	{ .name = "token",
	  .kind = CONF_SECRET,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, token),
	  .help = "instead of url: a bot's token, xoxb-..., with the scope chat:write" },
	{ .name = "channel",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, channel),
	  .help = "where the bot posts: a channel's id, C..., or its name" },
	{ .name = "thread",
	  .kind = CONF_BOOL,
	  .fallback = "true",
	  .offset = offsetof(struct slack_settings, thread),
	  .help = "the bot tells what follows an alert in the thread of its first message" },
	{ .name = "update",
	  .kind = CONF_BOOL,
	  .fallback = "true",
	  .offset = offsetof(struct slack_settings, update),
	  .help = "the bot's first message shows the alert's state of now" },
	{ .name = "api_url",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .fallback = "https://slack.com/api",
	  .offset = offsetof(struct slack_settings, api_url),
	  .help = "where the bot's requests go; GovSlack has another" },
	{ .name = "username",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, username),
	  .help = "who it seems to come from (a bot needs chat:write.customize; of webhooks, "
		  "legacy ones only)" },
	{ .name = "icon_emoji",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = offsetof(struct slack_settings, icon_emoji),
	  .help = "the picture beside it, \":bell:\" (as username)" },
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

static void check_hook(const struct sink_settings *s, struct conf_problems *p, const char *url)
{
	static const char *const hosts[] = { "https://hooks.slack.com",
					     "https://hooks.slack-gov.com" };

	if (!check_url(s, p, url))
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

/* The first prefix that fits. */
static const struct {
	const char *prefix;
	enum conf_level level;
	const char *text; /* NULL: as it must be */
} tokens[] = {
	{ "xoxb-", CONF_WARNING, NULL },
	{ "xoxp-", CONF_WARNING,
	  "is a person's: it posts as that person; a bot's begins with xoxb-" },
	{ "xapp-", CONF_WARNING,
	  "is an app's own, which can't post: set the bot's, which begins with xoxb-" },
	{ "xoxe", CONF_WARNING,
	  "is one that rotates and ends within a day: set that of an app without token rotation" },
	{ "http", CONF_ERROR, "is a url: set `url` for an incoming webhook" },
	{ "", CONF_WARNING, "is no bot's, which begins with xoxb-" },
};

static void check_token(const struct sink_settings *s, struct conf_problems *p,
			const char *token)
{
	size_t i = 0;

	for (const char *c = token; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f) {
			check_error(s, p, "token",
				    "holds a blank or a character that no token has");
			return;
		}
	while (strncmp(token, tokens[i].prefix, strlen(tokens[i].prefix)) != 0)
		i++;
	if (tokens[i].text == NULL)
		return;
	if (tokens[i].level == CONF_ERROR)
		check_error(s, p, "token", tokens[i].text);
	else
		check_warning(s, p, "token", tokens[i].text);
}

static void check_api(const struct sink_settings *s, struct conf_problems *p, const char *url)
{
	if (!check_url_of(s, p, "api_url", url))
		return;
	if (strchr(url, '?') != NULL || url[strlen(url) - 1] == '/')
		check_error(s, p, "api_url",
			    "must end before /chat.postMessage: no slash, no question");
}

/* Which of the two ways, and is it whole? One may be there and only unreadable: that was said. */
static void check_way(const struct sink_settings *s, struct conf_problems *p)
{
	const struct slack_settings *own = s->own;
	bool has_url = own->url.reference != NULL, has_token = own->token.reference != NULL;

	if (has_url && has_token)
		check_error(s, p, "url",
			    "does not go with token: a webhook or a bot, not both");
	else if (has_url && own->channel != NULL)
		check_error(s, p, "channel", "does not go with url: a webhook has its own");
	if (!s->is_whole)
		return;
	if (!has_url && !has_token)
		check_error(s, p, "url",
			    "is missing: an incoming webhook's, or set token and "
			    "channel for a bot");
	if (has_token && own->channel == NULL)
		check_error(s, p, "token", "needs channel beside it: the id of one, C...");
}

static void check(const struct sink_settings *s, struct conf_problems *p)
{
	const struct slack_settings *own = s->own;
	const char *icon = own->icon_emoji;

	if (icon != NULL &&
	    (strlen(icon) < 3 || icon[0] != ':' || icon[strlen(icon) - 1] != ':'))
		check_error(s, p, "icon_emoji", "must be a name between colons, as \":bell:\"");
	check_way(s, p);
	if (own->url.value != NULL)
		check_hook(s, p, own->url.value);
	if (own->token.value != NULL)
		check_token(s, p, own->token.value);
	if (own->channel != NULL && strpbrk(own->channel, " \t/") != NULL)
		check_error(s, p, "channel", "must be a channel's id, C..., or its name");
	if (own->api_url != NULL)
		check_api(s, p, own->api_url);
}

/* ---- plain text ---- */

/* How much of the text may stand: whole characters, and no half of an &amp; or a <…>. */
static size_t plain_len(const char *text, size_t len)
{
	size_t end = utf8_cut(text, len, PLAIN_MAX);
	size_t whole = 0;

	for (size_t i = 0; i < end; i++) {
		char close = text[i] == '&' ? ';' : text[i] == '<' ? '>' : '\0';
		const char *closed =
			close == '\0' ? text + i : memchr(text + i, close, end - i);

		if (closed == NULL)
			return whole;
		i = (size_t)(closed - text);
		whole = i + 1;
	}
	return end;
}

/* What the template says of it stands in the blocks that are left out. */
static const char repeat_mark[] = "possible repeat: ";

/* The object again, with nothing in it but its text, and nothing odd in that. */
static bool make_plain(const struct message_part *part, bool possible_repeat, struct buf *out,
		       struct err *err)
{
	struct json *j = json_parse(part->text, part->len, err);
	size_t len = 0;
	const char *text = j == NULL ? NULL : json_text(json_get(json_root(j), "text"), &len);
	bool ok = text != NULL && len > 0;

	if (ok) {
		size_t whole = plain_len(text, len);
		struct buf line;

		buf_init(&line, whole + sizeof(repeat_mark) + 4);
		buf_adds(&line, possible_repeat ? repeat_mark : "");
		esc_header(&line, text, whole);
		buf_adds(&line, whole < len ? "…" : "");
		buf_adds(out, "{\"text\":");
		json_add_text(out, line.data, line.len);
		buf_adds(out, ",\"unfurl_links\":false,\"unfurl_media\":false}");
		buf_release(&line);
	}
	json_free(&j);
	return ok ||
	       err_set(err, "Slack refuses what the template makes, and it makes no text");
}

/* ---- building ---- */

/* Members of ours, and names of the template's that do not stay. */
struct members {
	struct buf ours;
	const char *dropped[12];
	size_t dropped_count;
	struct buf *out;
	bool has_blocks, has_attachments;
};

static void drop(struct members *m, const char *name)
{
	if (m->dropped_count == ARRAY_LEN(m->dropped))
		BUG("more members than %zu", ARRAY_LEN(m->dropped));
	m->dropped[m->dropped_count++] = name;
}

static void add_json(struct members *m, const char *name, const char *json)
{
	drop(m, name);
	buf_addf(&m->ours, "%s\"%s\":%s", m->ours.len > 0 ? "," : "", name, json);
}

static void add_text(struct members *m, const char *name, const char *text)
{
	if (text == NULL)
		return;
	add_json(m, name, "");
	json_add_string(&m->ours, text);
}

static void add_members(struct members *m, const struct slack_settings *own,
			const struct slack_plan *plan)
{
	switch (plan->step) {
	case SLACK_HOOK: break;
	case SLACK_POST: add_text(m, "channel", own->channel); break;
	case SLACK_REPLY:
		add_text(m, "channel", plan->first.channel);
		add_text(m, "thread_ts", plan->first.ts);
		if (plan->is_broadcast)
			add_json(m, "reply_broadcast", "true");
		break;
	case SLACK_UPDATE:
		add_text(m, "channel", plan->first.channel);
		add_text(m, "ts", plan->first.ts);
		/* Its default is another than that of a post: names would become links. */
		add_text(m, "parse", "none");
		drop(m, "unfurl_links");
		drop(m, "unfurl_media");
		return;
	}
	add_text(m, "username", own->username);
	add_text(m, "icon_emoji", own->icon_emoji);
}

static bool is_named(struct json_span key, const char *name)
{
	return key.len == strlen(name) && memcmp(key.at, name, key.len) == 0;
}

static bool copy_member(void *arg, struct json_span key, struct json_span value)
{
	struct members *m = arg;

	for (size_t i = 0; i < m->dropped_count; i++)
		if (is_named(key, m->dropped[i]))
			return true;
	m->has_blocks |= is_named(key, "blocks");
	m->has_attachments |= is_named(key, "attachments");
	buf_adds(m->out, m->out->len > 1 ? ",\"" : "\"");
	buf_add(m->out, key.at, key.len);
	buf_adds(m->out, "\":");
	return buf_add(m->out, value.at, value.len);
}

/* What an update does not name stays as it was, so what shall go is named. */
static void clear_rest(struct members *m)
{
	if (!m->has_blocks)
		buf_adds(m->out, ",\"blocks\":[]");
	if (!m->has_attachments)
		buf_adds(m->out, ",\"attachments\":[]");
}

/* The template's object with our members in front; as it is where there are none. */
static bool merge(const struct message_part *part, struct members *m, bool is_update,
		  struct request *r, struct err *err)
{
	size_t open = strspn(part->text, " \t\r\n");

	if (m->ours.len == 0)
		return http_request_body(r, part, err);
	if (part->text[open] != '{')
		return err_set(err, "the template made no JSON object");
	m->out = &r->body;
	buf_addc(m->out, '{');
	buf_add(m->out, m->ours.data, m->ours.len);
	if (!json_split(part->text, part->len, copy_member, m, err))
		return m->out->overflow ? err_set(err, "the body is too long") : false;
	if (is_update)
		clear_rest(m);
	buf_addc(m->out, '}');
	return !m->out->overflow || err_set(err, "the body is too long");
}

/* An opening says all of it again, wherever it is told. */
static const struct message_part *part_of(const struct message *m,
					  const struct slack_plan *plan)
{
	const struct message_part *reply = &m->parts[SLACK_PART_REPLY];

	if (plan->step == SLACK_REPLY && !plan->is_broadcast && reply->text != NULL)
		return reply;
	return &m->parts[SLACK_PART_BODY];
}

static bool add_body(const struct slack_settings *own, const struct message *m,
		     const struct slack_plan *plan, struct request *out, struct err *err)
{
	struct message_part part = *part_of(m, plan);
	struct members members = { .dropped_count = 0 };
	struct buf plain;
	bool ok = part.text != NULL || err_set(err, "the template made an empty body");

	buf_init(&plain, BODY_MAX);
	buf_init(&members.ours, BODY_MAX);
	if (ok && plan->is_plain) {
		ok = make_plain(&part, m->possible_repeat, &plain, err);
		part = (struct message_part){ .text = plain.data, .len = plain.len };
	}
	add_members(&members, own, plan);
	ok = ok && merge(&part, &members, plan->step == SLACK_UPDATE, out, err);
	buf_release(&members.ours);
	buf_release(&plain);
	return ok;
}

static bool start_bot(const struct slack_settings *own, const struct slack_plan *plan,
		      struct request *out, struct err *err)
{
	const char *method = plan->step == SLACK_UPDATE ? "chat.update" : "chat.postMessage";
	char *url = mem_printf("%s/%s", own->api_url, method);
	bool ok = http_request_start(out, "POST", url, err) &&
		  request_header(out, "Content-Type", "application/json; charset=utf-8", err);

	mem_free(&url);
	out->bearer = mem_strdup(own->token.value);
	out->reply_max = REPLY_MAX;
	return ok;
}

static bool build(const struct sink_settings *s, const struct message *m, struct request *out,
		  struct err *err)
{
	const struct slack_settings *own = s->own;
	struct slack_plan plan;
	bool ok;

	slack_plan(own, m, &plan);
	if (plan.step == SLACK_HOOK)
		ok = http_request_start(out, "POST", own->url.value, err) &&
		     request_header(out, "Content-Type", "application/json", err);
	else
		ok = start_bot(own, &plan, out, err);
	return ok && add_body(own, m, &plan, out, err);
}

const struct sink_type slack_sink = {
	.name = "slack",
	.help = "a channel, by an incoming webhook or as a bot",
	.keys = keys,
	.own_size = sizeof(struct slack_settings),
	.template = "slack",
	.parts = {
		[SLACK_PART_BODY] = {
			.name = "body",
			.suffix = ".slack.json",
			.plain = "{\"text\":\"{{#test}}TEST {{/test}}{{#possible_repeat}}possible repeat: "
				 "{{/possible_repeat}}{{#alerts}}[{{event}}] "
				 "{{severity | truncate 40}} {{title | truncate 150}} "
				 "({{id | truncate 80}}){{^last}} / {{/last}}{{/alerts}}\","
				 "\"unfurl_links\":false,\"unfurl_media\":false}",
			.max_len = BODY_MAX,
		},
		[SLACK_PART_REPLY] = {
			.name = "reply",
			.suffix = ".reply.slack.json",
			.plain = "{\"text\":\"{{#possible_repeat}}possible repeat: {{/possible_repeat}}"
				 "{{#alerts}}[{{event}}] {{severity | truncate 40}} "
				 "{{title | truncate 150}}{{/alerts}}\","
				 "\"unfurl_links\":false,\"unfurl_media\":false}",
			.optional = true,
			.max_len = BODY_MAX,
		},
	},
	.part_count = 2,
	.collapse = true,
	.batch_max = DIGEST_MAX,
	.rate = "1/s",
	.check = check,
	.build = build,
	.judge = slack_judge,
};
