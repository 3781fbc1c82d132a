/*
 * slack_judge: whose fault is it? The policy for what Slack says.
 *
 * Slack says what is wrong by a word. The same word has come under different statuses
 * (`no_service` as 403 and 404, all of the Web API's as 200), so the word is looked at first and
 * the status only when the word is not known (sinks.md 1.1, 1.2). A 2xx without a word is not
 * Slack talking: a proxy's page, or an address that leads elsewhere.
 *
 * Two tables: a word has a fault, a fault has a ruling, one for webhooks and one for bots, whose
 * keys differ. What is said about an earlier message alone never ends a delivery:
 *
 *   the first message is gone, its thread is locked     begin anew, with a message of its own
 *   it can't be updated, and why is not known           the reply follows all the same
 *   what the template makes is refused                  once more as plain text, then never
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sinks/http_common.h"
#include "sinks/slack.h"
#include "sinks/slack_answer.h"
#include "sinks/slack_plan.h"

/* ---- policy ---- */

enum fault {
	OK,
	BUSY,        /* Slack's bad hour */
	HALF_DONE,   /* likewise, and it may have been posted */
	NOT_NOW,     /* this one is not ready */
	LIMIT,       /* too fast */
	FULL,        /* the workspace's plan is used up */
	BAD_MESSAGE, /* this payload */
	GONE,        /* the earlier message, or its thread */
	NO_CHANNEL,
	NO_LOGIN,
	NO_SCOPE,
	FORBIDDEN,
	NO_METHOD, /* what answers is not the API that we know */
	FAULT_COUNT,
};

struct word {
	const char *word;
	enum fault fault;
	const char *advice; /* better than the fault's; NULL: the fault's */
};

static const struct word words[] = {
	{ "ok", OK, NULL },

	{ "service_unavailable", BUSY, NULL },
	{ "rollup_error", BUSY, NULL },
	{ "request_timeout", BUSY, NULL },
	{ "team_added_to_org", BUSY, NULL },
	{ "org_login_required", BUSY, NULL },
	{ "external_channel_migrating", BUSY, NULL },
	{ "internal_error", HALF_DONE, NULL },
	{ "fatal_error", HALF_DONE, NULL },
	{ "update_failed", NOT_NOW, NULL },
	{ "streaming_state_conflict", NOT_NOW, NULL },
	{ "ratelimited", LIMIT, NULL },
	{ "rate_limited", LIMIT, NULL },
	{ "message_limit_exceeded", FULL, NULL },

	{ "no_text", BAD_MESSAGE, NULL },
	{ "invalid_payload", BAD_MESSAGE, NULL },
	{ "missing_text_or_fallback_or_attachments", BAD_MESSAGE, NULL },
	{ "invalid_blocks", BAD_MESSAGE, NULL },
	{ "invalid_blocks_format", BAD_MESSAGE, NULL },
	{ "msg_blocks_too_long", BAD_MESSAGE, NULL },
	{ "msg_too_long", BAD_MESSAGE, NULL },
	{ "too_many_attachments", BAD_MESSAGE, NULL },
	{ "too_many_contact_cards", BAD_MESSAGE, NULL },
	{ "attachment_payload_limit_exceeded", BAD_MESSAGE, NULL },
	{ "invalid_attachments", BAD_MESSAGE, NULL },
	{ "block_mismatch", BAD_MESSAGE, NULL },
	{ "metadata_too_large", BAD_MESSAGE, NULL },
	{ "invalid_metadata_format", BAD_MESSAGE, NULL },
	{ "invalid_metadata_schema", BAD_MESSAGE, NULL },
	{ "metadata_must_be_sent_from_app", BAD_MESSAGE, NULL },
	{ "markdown_text_conflict", BAD_MESSAGE, NULL },
	{ "missing_file_data", BAD_MESSAGE, NULL },
	{ "slack_connect_file_link_sharing_blocked", BAD_MESSAGE, NULL },
	{ "slack_connect_canvas_sharing_blocked", BAD_MESSAGE, NULL },
	{ "slack_connect_lists_sharing_blocked", BAD_MESSAGE, NULL },
	{ "invalid_arguments", BAD_MESSAGE, NULL },
	{ "invalid_arg_name", BAD_MESSAGE, NULL },
	{ "invalid_array_arg", BAD_MESSAGE, NULL },
	{ "invalid_form_data", BAD_MESSAGE, NULL },
	{ "invalid_json", BAD_MESSAGE, NULL },
	{ "json_not_object", BAD_MESSAGE, NULL },
	{ "as_user_not_supported", BAD_MESSAGE, NULL },
	{ "no_dual_broadcast_content_update", BAD_MESSAGE, NULL },

	{ "message_not_found", GONE, NULL },
	{ "thread_not_found", GONE, NULL },
	{ "cant_update_message", GONE, NULL },
	{ "cant_broadcast_message", GONE, NULL },
	{ "edit_window_closed", GONE, NULL },
	{ "cannot_reply_to_message", GONE, NULL },
	{ "restricted_action_thread_locked", GONE, NULL },
	{ "restricted_action_non_threadable_channel", GONE, NULL },

	{ "channel_not_found", NO_CHANNEL,
	  "is its id right, and if it is private, has the app been invited?" },
	{ "not_in_channel", NO_CHANNEL,
	  "invite the app there, or give it the scope chat:write.public" },
	{ "channel_is_archived", NO_CHANNEL, NULL },
	{ "is_archived", NO_CHANNEL, NULL },
	{ "is_inactive", NO_CHANNEL, NULL },
	{ "team_not_found", NO_CHANNEL,
	  "an organisation's token needs a channel's id (C...), not its name" },
	{ "user_not_found", NO_CHANNEL, NULL },
	{ "messages_tab_disabled", NO_CHANNEL,
	  "turn the messages tab on in the app's App Home, or set a channel" },
	{ "action_prohibited", NO_CHANNEL, NULL },
	{ "posting_to_general_channel_denied", NO_CHANNEL, NULL },
	{ "restricted_action", NO_CHANNEL, NULL },
	{ "restricted_action_read_only_channel", NO_CHANNEL, NULL },
	{ "restricted_action_thread_only_channel", NO_CHANNEL, NULL },

	{ "no_service", NO_LOGIN, NULL },
	{ "no_service_id", NO_LOGIN, NULL },
	{ "no_team", NO_LOGIN, NULL },
	{ "no_active_hooks", NO_LOGIN, NULL },
	{ "team_disabled", NO_LOGIN, NULL },
	{ "invalid_token", NO_LOGIN, NULL },
	{ "not_authed", NO_LOGIN, NULL },
	{ "invalid_auth", NO_LOGIN, NULL },
	{ "account_inactive", NO_LOGIN, NULL },
	{ "token_revoked", NO_LOGIN, NULL },
	{ "token_expired", NO_LOGIN,
	  "it is one that rotates: set that of an app without token rotation" },
	{ "not_allowed_token_type", NO_LOGIN, "set the bot's token, which begins with xoxb-" },

	{ "missing_scope", NO_SCOPE, NULL },

	{ "no_permission", FORBIDDEN, NULL },
	{ "access_denied", FORBIDDEN, NULL },
	{ "accesslimited", FORBIDDEN, NULL },
	{ "ekm_access_denied", FORBIDDEN, NULL },
	{ "enterprise_is_restricted", FORBIDDEN, NULL },
	{ "team_access_not_granted", FORBIDDEN, NULL },
	{ "two_factor_setup_required", FORBIDDEN, NULL },
	{ "app_access_restricted", FORBIDDEN, NULL },

	{ "method_deprecated", NO_METHOD, NULL },
	{ "deprecated_endpoint", NO_METHOD, NULL },
	{ "unknown_method", NO_METHOD, NULL },
	{ "invalid_charset", NO_METHOD, NULL },
	{ "missing_post_type", NO_METHOD, NULL },
	{ "invalid_post_type", NO_METHOD, NULL },
};

enum mode { BY_HOOK, BY_BOT, MODE_COUNT };

#define LATER_OPERATOR VERDICT_LATER, BLAME_OPERATOR
#define BOTH(...)                                                        \
	{                                                                \
		[BY_HOOK] = { __VA_ARGS__ }, [BY_BOT] = { __VA_ARGS__ }, \
	}

static const struct ruling rulings[FAULT_COUNT][MODE_COUNT] = {
	[OK] = BOTH(VERDICT_DELIVERED, BLAME_NOBODY, NULL, NULL, NULL),
	[BUSY] = BOTH(VERDICT_LATER, BLAME_DOWN, "Slack is busy", NULL, NULL),
	[HALF_DONE] = BOTH(VERDICT_LATER, BLAME_DOWN, "Slack failed", NULL, NULL),
	[NOT_NOW] = BOTH(VERDICT_LATER, BLAME_NOBODY, "not now", NULL, NULL),
	[LIMIT] = BOTH(VERDICT_LATER, BLAME_DOWN, "too many messages", "rate",
		       "Slack allows one a second"),
	[FULL] = BOTH(LATER_OPERATOR, "the workspace takes no more messages", "rate",
		      "its plan is used up: see to the plan, or send less"),
	[BAD_MESSAGE] = BOTH(VERDICT_NEVER, BLAME_NOBODY, "Slack refuses this message",
			     "template", "it makes what Slack does not take"),
	[GONE] = BOTH(VERDICT_LATER, BLAME_NOBODY, "not for a new message", NULL, NULL),
	[NO_CHANNEL] = { [BY_HOOK] = { LATER_OPERATOR,
				       "the webhook's channel takes no messages", NULL,
				       "make an incoming webhook for another channel, or "
				       "restore that one" },
			 [BY_BOT] = { LATER_OPERATOR, "the channel takes no messages",
				      "channel", "set another, or let the app post there" } },
	[NO_LOGIN] = { [BY_HOOK] = { LATER_OPERATOR, "the webhook is not valid", NULL,
				     "it was revoked or mistyped; set that of a working "
				     "incoming webhook" },
		       [BY_BOT] = { LATER_OPERATOR, "the token is not valid", "token",
				    "it was revoked or mistyped; set that of an installed "
				    "app" } },
	[NO_SCOPE] = { [BY_HOOK] = { LATER_OPERATOR, "the webhook may not post", NULL,
				     "make another incoming webhook" },
		       [BY_BOT] = { LATER_OPERATOR, "the app lacks a scope", "token",
				    "give its app chat:write (and chat:write.customize for "
				    "username and icon_emoji), then install it again" } },
	[FORBIDDEN] = { [BY_HOOK] = { LATER_OPERATOR, "the webhook may not post", NULL,
				      "the workspace forbids it: ask its administrator" },
			[BY_BOT] = { LATER_OPERATOR, "the app may not post", "token",
				     "the workspace forbids it: ask its administrator" } },
	[NO_METHOD] = BOTH(LATER_OPERATOR, "what answers is not the API that we know", NULL,
			   "is it right, and is nothing between us and Slack?"),
};

static const struct ruling not_slack[MODE_COUNT] = {
	[BY_HOOK] = { LATER_OPERATOR, "it does not answer \"ok\" as Slack does", NULL,
		      "is it that of an incoming webhook?" },
	[BY_BOT] = { LATER_OPERATOR, "it does not answer as Slack's API does", NULL,
		     "is it that of the API, as https://slack.com/api?" },
};

static const struct ruling unknown = { VERDICT_LATER, BLAME_NOBODY, "an answer we do not know",
				       NULL, NULL };
static const struct ruling updated = { VERDICT_DELIVERED, BLAME_NOBODY,
				       "the first message is updated, the rest follows", NULL,
				       NULL };

/* ---- one reply ---- */

struct judging {
	struct judge by;
	enum mode mode;
	struct slack_plan plan;
	struct slack_answer answer;
	const struct word *word; /* NULL: none, or none that we know */
	const struct message *message;
	struct reply reply; /* the answer in short, for people */
};

static void secrets(const struct sink_settings *s, struct mask *m)
{
	const struct slack_settings *own = s->own;

	mask_add_url(m, own->url.value);
	mask_add_url(m, own->url.former);
	mask_add_secret(m, &own->token);
	mask_add_pairs(m, &s->vars);
}

static bool is_2xx(const struct reply *r)
{
	return r->status >= 200 && r->status <= 299;
}

/* What the word says, or NULL. An API that says yes says it in an object, under a 2xx. */
static const struct word *find_word(const struct judging *j)
{
	bool may_be_ok = is_2xx(&j->reply) && (j->mode == BY_HOOK || j->answer.is_object);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(j->answer.word, words[i].word) == 0)
			return words[i].fault != OK || may_be_ok ? &words[i] : NULL;
	return NULL;
}

static bool is_fault(const struct judging *j, enum fault fault)
{
	return j->word != NULL && j->word->fault == fault;
}

/* The word decides; without one that we know, the connection, and the status unless it says yes. */
static void apply_ruling(const struct judging *j, struct outcome *out)
{
	const struct ruling *trouble = ruling_of_trouble(j->reply.kind);
	struct ruling ruling = unknown;

	if (j->word != NULL) {
		ruling = rulings[j->word->fault][j->mode];
		if (j->word->advice != NULL && j->mode == BY_BOT)
			ruling.advice = j->word->advice;
		if (j->word->fault == OK && j->plan.step == SLACK_UPDATE)
			ruling = updated;
	} else if (trouble != NULL) {
		ruling = *trouble;
	} else if (!is_2xx(&j->reply)) {
		http_judge(&j->by, &j->reply, out);
		return;
	} else if (!j->answer.is_object || j->answer.word[0] == '\0') {
		ruling = not_slack[j->mode];
	}
	ruling_apply(&ruling, &j->by, &j->reply, out);
}

static void say_scopes(const struct judging *j, struct outcome *out)
{
	char needed[MASK_TEXT_MAX + 1], provided[MASK_TEXT_MAX + 1];
	const struct slack_answer *a = &j->answer;
	struct mask mask = { 0 };

	if (a->needed[0] == '\0')
		return;
	secrets(j->by.settings, &mask);
	mask_text(&mask, a->needed, strlen(a->needed), needed, sizeof(needed));
	mask_text(&mask, a->provided, strlen(a->provided), provided, sizeof(provided));
	mask_release(&mask);
	ruling_say(out->hint,
		   "sinks: %.80s: token: its app lacks %s (it has %.80s): add it, "
		   "install the app again",
		   j->by.settings->name, needed, provided[0] == '\0' ? "none" : provided);
}

/* ---- the steps ---- */

/* The next step at once; false when this one was taken already. */
static bool go_on(const struct judging *j, const char *word, struct outcome *out)
{
	if (!slack_progress_add(j->message, word, out->progress))
		return false;
	out->verdict = VERDICT_AGAIN;
	out->sink_down = out->alarm = out->maybe_sent = false;
	out->retry_after_ms = -1;
	return true;
}

/* The channel of the earlier message may be another than that of today. */
static bool is_old_channel(const struct judging *j)
{
	const struct slack_settings *own = j->by.settings->own;

	return is_fault(j, NO_CHANNEL) && own->channel != NULL &&
	       strcmp(own->channel, j->plan.first.channel) != 0;
}

/* What is wrong with an earlier message, or can be told in another way, ends nothing. */
static void find_way(const struct judging *j, struct outcome *out)
{
	bool is_update = j->plan.step == SLACK_UPDATE;
	bool is_about_first = is_update || j->plan.step == SLACK_REPLY;
	bool is_refused = out->verdict == VERDICT_NEVER;
	bool is_unknown = out->verdict == VERDICT_LATER && !out->sink_down && j->word == NULL;

	if (is_update && is_fault(j, OK)) {
		go_on(j, SLACK_UPDATED, out);
		return;
	}
	if (is_about_first && (is_fault(j, GONE) || is_old_channel(j)) &&
	    go_on(j, SLACK_ANEW, out)) {
		out->hint[0] = '\0';
		return;
	}
	if (is_refused && go_on(j, SLACK_PLAIN, out))
		return;
	if (is_update && (is_refused || is_unknown))
		go_on(j, SLACK_UPDATED, out);
}

/* What follows refers to the first message, as long as it is there. */
static void keep_handle(const struct judging *j, struct outcome *out)
{
	struct slack_place place = j->answer.place;

	out->progress[0] = '\0';
	if (j->plan.first.channel[0] != '\0') {
		slack_handle(&j->plan.first, out->handle);
		return;
	}
	place.is_digest = j->message->is_digest || j->message->count > 1;
	slack_handle(&place, out->handle);
}

static void apply(const struct judging *j, struct outcome *out)
{
	apply_ruling(j, out);
	if (is_fault(j, NO_SCOPE) && j->mode == BY_BOT)
		say_scopes(j, out);
	if (is_fault(j, HALF_DONE))
		out->maybe_sent = true;
	/* To update once more is no repeat of anything. */
	if (j->plan.step == SLACK_UPDATE)
		out->maybe_sent = false;
}

void slack_judge(const struct sink_settings *s, const struct message *m, const struct reply *r,
		 struct outcome *out)
{
	const struct slack_settings *own = s->own;
	bool is_hook = own->url.value != NULL;
	struct judging j = {
		.by = { .settings = s,
			.address = is_hook ? "url" : "api_url",
			.login = is_hook ? "url" : "token",
			.secrets = secrets },
		.mode = is_hook ? BY_HOOK : BY_BOT,
		.message = m,
		.reply = *r,
	};

	slack_plan(own, m, &j.plan);
	slack_answer_read(r, &j.answer);
	j.word = find_word(&j);
	if (j.answer.told[0] != '\0') {
		j.reply.body = j.answer.told;
		j.reply.body_len = strlen(j.answer.told);
	}
	apply(&j, out);
	snprintf(out->progress, sizeof(out->progress), "%s", m->progress);
	find_way(&j, out);
	if (out->verdict == VERDICT_DELIVERED)
		keep_handle(&j, out);
}
