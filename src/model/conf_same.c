/*
 * conf_same: are two structs that were filled by one table alike? One comparison a kind, so
 * that a new key is compared without anybody thinking of it.
 */
#include <string.h>

#include "base/num.h"
#include "model/conf.h"
#include "model/facts.h"

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_texts(const struct conf_texts *a, const struct conf_texts *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = same_text(a->list[i], b->list[i]);
	return same;
}

static bool same_pairs(const struct conf_pairs *a, const struct conf_pairs *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = same_text(a->list[i].name, b->list[i].name) &&
		       same_text(a->list[i].value, b->list[i].value);
	return same;
}

static bool same_rate(const struct rate *a, const struct rate *b)
{
	return a->count == b->count && (a->count == 0 || a->per_ms == b->per_ms);
}

static bool same_key(const struct conf_key *key, const void *a, const void *b)
{
	switch (key->kind) {
	case CONF_TEXT: return same_text(*(char *const *)a, *(char *const *)b);
	case CONF_SECRET:
		return same_text(((const struct conf_secret *)a)->value,
				 ((const struct conf_secret *)b)->value);
	case CONF_DURATION:
	case CONF_SIZE:
	case CONF_INT: return *(const int64_t *)a == *(const int64_t *)b;
	case CONF_RATE: return same_rate(a, b);
	case CONF_REAL: return memcmp(a, b, sizeof(double)) == 0;
	case CONF_BOOL: return *(const bool *)a == *(const bool *)b;
	case CONF_WORD: return memcmp(a, b, sizeof(int)) == 0;
	case CONF_TEXTS: return same_texts(a, b);
	case CONF_PAIRS: return same_pairs(a, b);
	case CONF_NESTED: return conf_same(key->nested, a, b);
	case CONF_OTHER: return true;
	}
	return false;
}

bool conf_same(const struct conf_key *keys, const void *a, const void *b)
{
	for (; keys->name != NULL; keys++)
		if (!same_key(keys, (const char *)a + keys->offset,
			      (const char *)b + keys->offset))
			return false;
	return true;
}
