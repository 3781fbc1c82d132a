/* slack_answer: members by a table; an answer is read as far as it came. */
#include "sinks/slack_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/json.h"

enum { DETAILS_MAX = 3 }; /* a payload has one mistake, made many times */

static const char word_characters[] = "abcdefghijklmnopqrstuvwxyz_";

static bool is_word(const char *text)
{
	return text[0] != '\0' && strlen(text) < SLACK_WORD_MAX &&
	       strspn(text, word_characters) == strlen(text);
}

/* ---- members ---- */

struct reading {
	struct slack_answer *answer;
	bool is_ok;
	char error[SLACK_WORD_MAX];
	char details[SLACK_TOLD_MAX - SLACK_WORD_MAX];
	size_t detail_count;
};

/* A text that fits; what does not, or is no text, is as if it were not there. */
static void take_text(const struct json_value *v, char *to, size_t size)
{
	size_t len = 0;
	const char *text = json_kind(v) == JSON_STRING ? json_text(v, &len) : NULL;

	if (text != NULL && len < size && strlen(text) == len)
		memcpy(to, text, len + 1);
}

static void take_ok(struct reading *to, const struct json_value *v)
{
	to->is_ok = json_kind(v) == JSON_TRUE;
}

static void take_error(struct reading *to, const struct json_value *v)
{
	take_text(v, to->error, sizeof(to->error));
}

static void take_channel(struct reading *to, const struct json_value *v)
{
	take_text(v, to->answer->place.channel, SLACK_ID_MAX);
}

static void take_ts(struct reading *to, const struct json_value *v)
{
	take_text(v, to->answer->place.ts, SLACK_ID_MAX);
}

static void take_needed(struct reading *to, const struct json_value *v)
{
	take_text(v, to->answer->needed, SLACK_SCOPES_MAX);
}

static void take_provided(struct reading *to, const struct json_value *v)
{
	take_text(v, to->answer->provided, SLACK_SCOPES_MAX);
}

/* Slack tells most mistakes twice, the second time with this in front. */
static const char *without_level(const char *text)
{
	static const char level[] = "[ERROR] ";

	return strncmp(text, level, strlen(level)) == 0 ? text + strlen(level) : text;
}

static void take_details(struct reading *to, const struct json_value *list)
{
	for (const struct json_value *v = json_first(list); v != NULL; v = json_next(v)) {
		const char *text = json_kind(v) == JSON_STRING ? json_text(v, NULL) : NULL;
		size_t used = strlen(to->details);

		if (text == NULL || to->detail_count >= DETAILS_MAX)
			continue;
		text = without_level(text);
		if (text[0] == '\0' || strstr(to->details, text) != NULL)
			continue;
		snprintf(to->details + used, sizeof(to->details) - used, "%s%.200s",
			 to->detail_count > 0 ? "; " : ": ", text);
		to->detail_count++;
	}
}

static void take_metadata(struct reading *to, const struct json_value *v)
{
	take_details(to, json_get(v, "messages"));
}

static const struct {
	const char *name;
	void (*take)(struct reading *to, const struct json_value *v);
} members[] = {
	{ "ok", take_ok },           { "error", take_error },
	{ "channel", take_channel }, { "ts", take_ts },
	{ "needed", take_needed },   { "provided", take_provided },
	{ "errors", take_details },  { "response_metadata", take_metadata },
};

static bool take_member(void *arg, struct json_span key, struct json_span value)
{
	struct reading *to = arg;
	struct json *j;
	struct err err;

	to->answer->is_object = true;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (key.len != strlen(members[i].name) ||
		    memcmp(key.at, members[i].name, key.len) != 0)
			continue;
		j = json_parse(value.at, value.len, &err);
		if (j != NULL)
			members[i].take(to, json_root(j));
		json_free(&j);
	}
	return true;
}

/* ---- the two ways ---- */

static void read_object(const struct reply *r, struct slack_answer *a)
{
	struct reading reading = { .answer = a };
	const char *word = reading.error;
	struct err err;

	/* False of what was cut; what came before is right all the same. */
	if (!json_split(r->body, r->body_len, take_member, &reading, &err) &&
	    r->kind == REPLY_ANSWERED && !r->body_cut) {
		*a = (struct slack_answer){ .word = "" };
		return;
	}
	if (reading.is_ok)
		word = "ok";
	if (is_word(word))
		memcpy(a->word, word, strlen(word) + 1);
	if (a->word[0] != '\0')
		snprintf(a->told, sizeof(a->told), "%s%s", a->word, reading.details);
}

static void read_bare_word(const struct reply *r, struct slack_answer *a)
{
	const char *space = " \t\r\n";
	size_t from = strspn(r->body, space);
	size_t len = strcspn(r->body + from, space);
	char word[SLACK_WORD_MAX];

	if (len == 0 || len >= sizeof(word) ||
	    r->body[from + len + strspn(r->body + from + len, space)] != '\0')
		return;
	memcpy(word, r->body + from, len);
	word[len] = '\0';
	if (!is_word(word))
		return;
	memcpy(a->word, word, len + 1);
	memcpy(a->told, word, len + 1);
}

void slack_answer_read(const struct reply *r, struct slack_answer *a)
{
	*a = (struct slack_answer){ .word = "" };
	read_bare_word(r, a);
	if (a->word[0] == '\0')
		read_object(r, a);
}
