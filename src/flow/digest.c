/* digest: members side by side, and an id made of theirs. */
#include "flow/digest.h"

#include <string.h>

#include "base/mem.h"

struct digest *digest_new(size_t room)
{
	struct digest *d = mem_new(sizeof(*d));

	d->members = mem_array(room, sizeof(*d->members));
	d->facts = mem_array(room, sizeof(*d->facts));
	return d;
}

void digest_free(struct digest **digest)
{
	struct digest *d = *digest;

	if (d == NULL)
		return;
	for (size_t i = 0; i < d->count; i++)
		envelope_release(&d->members[i]);
	mem_free(&d->members);
	mem_free(&d->facts);
	mem_free(&d->why);
	mem_free(&d->storm);
	json_free(&d->rest);
	mem_free(&d->rest_text);
	json_free(&d->budgets);
	mem_free(&d->budgets_text);
	mem_free(digest);
}

static char *some(const char *text)
{
	return text[0] != '\0' ? mem_strdup(text) : NULL;
}

void digest_say(struct digest *d, const char *why, const char *storm, const char *rest)
{
	struct err err;

	d->why = some(why);
	d->storm = some(storm);
	d->rest_text = some(rest);
	if (d->rest_text != NULL)
		d->rest = json_parse(d->rest_text, strlen(d->rest_text), &err);
}

void digest_add_budgets(struct digest *d, char *table)
{
	struct err err;

	d->budgets_text = table;
	if (table != NULL)
		d->budgets = json_parse(table, strlen(table), &err);
}

void digest_tell(struct digest *d, struct message *message)
{
	char(*ids)[DELIVERY_ID_MAX] = mem_array(d->count, sizeof(*ids));

	for (size_t i = 0; i < d->count; i++) {
		memcpy(ids[i], d->members[i].delivery_id, sizeof(ids[i]));
		d->facts[i] = d->members[i].facts;
	}
	delivery_digest_id(ids, d->count, d->delivery_id);
	mem_free(&ids);
	message->alerts = d->facts;
	message->count = d->count;
	message->delivery_id = d->delivery_id;
	message->is_digest = d->count > 1 || d->storm != NULL || d->rest != NULL;
	message->why = d->why;
	message->storm = d->storm;
	message->rest = d->rest;
	message->budgets = d->budgets;
}
