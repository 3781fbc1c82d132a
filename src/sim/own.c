/* own: a hash table of lists, doubled when there are as many ids as buckets. */
#include "sim/own.h"

#include <string.h>

#include "base/mem.h"
#include "sim/dice.h"

static size_t bucket_of(const struct owns *owns, const char *id)
{
	uint64_t hash = 0;

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return (size_t)dice_mix(hash) & (owns->bucket_count - 1);
}

static void link_in(struct owns *owns, struct own *own)
{
	struct own **bucket = &owns->buckets[bucket_of(owns, own->id)];

	own->next = *bucket;
	*bucket = own;
}

static void grow(struct owns *owns)
{
	struct owns larger = { .count = owns->count };

	if (owns->count < owns->bucket_count)
		return;
	larger.bucket_count = owns->bucket_count == 0 ? 64 : owns->bucket_count * 2;
	larger.buckets = mem_array(larger.bucket_count, sizeof(*larger.buckets));
	for (size_t i = 0; i < owns->bucket_count; i++) {
		struct own *next;

		for (struct own *own = owns->buckets[i]; own != NULL; own = next) {
			next = own->next;
			link_in(&larger, own);
		}
	}
	mem_free(&owns->buckets);
	*owns = larger;
}

void owns_release(struct owns *owns)
{
	mem_free(&owns->buckets);
	*owns = (struct owns){ 0 };
}

struct own *own_new(struct owns *owns, uint32_t number, char *id, char *text, size_t len)
{
	struct own *own = mem_new(sizeof(*own));

	*own = (struct own){ .number = number, .id = id, .text = text, .len = len };
	if (id == NULL)
		return own;
	grow(owns);
	owns->count++;
	link_in(owns, own);
	return own;
}

static void unlink_from(struct owns *owns, const struct own *own)
{
	struct own **link = &owns->buckets[bucket_of(owns, own->id)];

	while (*link != own)
		link = &(*link)->next;
	*link = own->next;
	owns->count--;
}

void own_free(struct owns *owns, struct own **own)
{
	if (*own == NULL)
		return;
	if ((*own)->id != NULL)
		unlink_from(owns, *own);
	mem_free(&(*own)->id);
	mem_free(&(*own)->text);
	mem_free(own);
}

const struct own *own_find(const struct owns *owns, const char *id, const struct own *after)
{
	const struct own *own;

	if (owns->bucket_count == 0)
		return NULL;
	own = after == NULL ? owns->buckets[bucket_of(owns, id)] : after->next;
	while (own != NULL && strcmp(own->id, id) != 0)
		own = own->next;
	return own;
}
