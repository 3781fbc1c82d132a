/*
 * conf_refresh: references are read again, for a secret may be another one by now.
 *
 * A file that is gone or half written for the moment changes nothing. What was in force before is
 * kept beside the new value once: answers to requests that carried it may still come in, and must
 * not be shown with it.
 */
#include <string.h>

#include "base/mem.h"
#include "model/conf.h"
#include "model/facts.h"

struct refresh {
	char *(*resolve)(const char *text, struct err *err);
	const struct conf_key *key;
};

/* former may be NULL: it is not kept. */
static bool read_again(const struct refresh *r, const char *reference, char **value,
		       char **former)
{
	struct err err;
	char *fresh = reference == NULL ? NULL : r->resolve(reference, &err);
	bool is_odd = fresh == NULL || *value == NULL || fresh[0] == '\0' ||
		      (r->key->one_line && strpbrk(fresh, "\r\n") != NULL);

	if (is_odd || strcmp(fresh, *value) == 0) {
		mem_free_secret(&fresh);
		return false;
	}
	if (former != NULL) {
		mem_free_secret(former);
		*former = *value;
		*value = NULL;
	}
	mem_free_secret(value);
	*value = fresh;
	return true;
}

static bool refresh_texts(const struct refresh *r, struct conf_texts *texts)
{
	bool changed = false;

	for (size_t i = 0; i < texts->count; i++)
		changed |= read_again(r, texts->references[i], &texts->list[i], NULL);
	return changed;
}

static bool refresh_pairs(const struct refresh *r, struct conf_pairs *pairs)
{
	bool changed = false;

	for (size_t i = 0; i < pairs->count; i++) {
		struct pair *pair = &pairs->list[i];

		changed |= read_again(r, pair->reference, &pair->value, &pair->former);
	}
	return changed;
}

bool conf_refresh(const struct conf_key *keys, void *into,
		  char *(*resolve)(const char *text, struct err *err))
{
	bool changed = false;

	for (const struct conf_key *k = keys; k->name != NULL; k++) {
		const struct refresh r = { .resolve = resolve, .key = k };
		void *at = (char *)into + k->offset;
		struct conf_secret *secret = at;

		if (k->kind == CONF_SECRET)
			changed |= read_again(&r, secret->reference, &secret->value,
					      &secret->former);
		else if (k->kind == CONF_TEXTS)
			changed |= refresh_texts(&r, at);
		else if (k->kind == CONF_PAIRS)
			changed |= refresh_pairs(&r, at);
		else if (k->kind == CONF_NESTED)
			changed |= conf_refresh(k->nested, at, resolve);
	}
	return changed;
}
