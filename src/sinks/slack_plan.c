/*
 * slack_plan: an open is posted; what follows updates that message and replies to it.
 *
 * The update comes first: to repeat it changes nothing, to repeat a reply rings twice. Both are
 * attempts of their own, with the progress stored between them. Where the message is gone the
 * delivery begins anew, with a message of its own, which what follows then refers to.
 *
 * An open that has an earlier message (the operator's requeue) is a reply that the channel sees
 * too: a thread alone would not ring.
 */
#include "sinks/slack_plan.h"

#include <stdio.h>
#include <string.h>

static const char id_characters[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";

static bool is_id(const char *s)
{
	return s[0] != '\0' && strspn(s, id_characters) == strlen(s);
}

/* Moves *text behind the word and the blank that ends it. */
static bool read_word(const char **text, char word[SLACK_ID_MAX])
{
	size_t len = strcspn(*text, " ");

	if (len >= SLACK_ID_MAX)
		return false;
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len + ((*text)[len] == ' ' ? 1 : 0);
	return is_id(word);
}

/* False, and none: there is no handle, or none of ours. */
static bool read_handle(const char *text, struct slack_place *place)
{
	struct slack_place read = { .channel = "" };

	*place = read;
	if (text == NULL || !read_word(&text, read.channel) || !read_word(&text, read.ts))
		return false;
	read.is_digest = strcmp(text, "digest") == 0;
	*place = read;
	return true;
}

bool slack_handle(const struct slack_place *place, char handle[HANDLE_MAX])
{
	handle[0] = '\0';
	if (!is_id(place->channel) || !is_id(place->ts))
		return false;
	snprintf(handle, HANDLE_MAX, "%s %s%s", place->channel, place->ts,
		 place->is_digest ? " digest" : "");
	return true;
}

static bool has_word(const char *progress, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = progress; at != NULL && *at != '\0';) {
		size_t step = strcspn(at, " ");

		if (step == len && memcmp(at, word, len) == 0)
			return true;
		at += step + strspn(at + step, " ");
	}
	return false;
}

bool slack_progress_add(const struct message *m, const char *word, char progress[PROGRESS_MAX])
{
	bool is_new = !has_word(m->progress, word);

	snprintf(progress, PROGRESS_MAX, "%s%s%s", m->progress,
		 is_new && m->progress[0] != '\0' ? " " : "", is_new ? word : "");
	return is_new;
}

static bool is_opening(const struct message *m)
{
	return m->alerts != NULL &&
	       (m->alerts[0].event == EVENT_OPENED || m->alerts[0].event == EVENT_REOPENED);
}

static enum slack_step step_of(const struct slack_settings *own, const struct message *m,
			       const struct slack_place *first)
{
	if (own->url.value != NULL)
		return SLACK_HOOK;
	if (first->channel[0] == '\0')
		return SLACK_POST;
	if (own->update && !first->is_digest && !has_word(m->progress, SLACK_UPDATED))
		return SLACK_UPDATE;
	return own->thread ? SLACK_REPLY : SLACK_POST;
}

void slack_plan(const struct slack_settings *own, const struct message *m,
		struct slack_plan *plan)
{
	*plan = (struct slack_plan){ .is_plain = has_word(m->progress, SLACK_PLAIN) };
	/* A digest tells of several alerts: it is no reply to the first of one. */
	if (m->count == 1 && !m->is_digest && !has_word(m->progress, SLACK_ANEW))
		read_handle(m->handle, &plan->first);
	plan->step = step_of(own, m, &plan->first);
	plan->is_broadcast = plan->step == SLACK_REPLY && is_opening(m);
}
