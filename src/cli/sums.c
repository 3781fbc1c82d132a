/* sums: an open hash table over a list; sorting the list forgets the table. */
#include "cli/sums.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/alert.h"

static size_t slot_of(const struct sums *s, const char *key)
{
	size_t at = (size_t)alert_hash(key, strlen(key)) & (s->slot_count - 1);

	while (s->slots[at] != 0 && strcmp(s->list[s->slots[at] - 1].key, key) != 0)
		at = (at + 1) & (s->slot_count - 1);
	return at;
}

static void grow(struct sums *s)
{
	if (2 * (s->count + 1) > s->slot_count) {
		s->slot_count = s->slot_count == 0 ? 64 : 2 * s->slot_count;
		mem_free(&s->slots);
		s->slots = mem_array(s->slot_count, sizeof(*s->slots));
		for (size_t i = 0; i < s->count; i++)
			s->slots[slot_of(s, s->list[i].key)] = i + 1;
	}
	if (s->count == s->room) {
		s->room = s->room == 0 ? 64 : 2 * s->room;
		s->list = mem_resize(s->list, s->room, sizeof(*s->list));
	}
}

struct sum *sums_at(struct sums *s, const char *key)
{
	size_t at;

	grow(s);
	at = slot_of(s, key);
	if (s->slots[at] == 0) {
		s->list[s->count] = (struct sum){ .key = mem_strdup(key) };
		s->slots[at] = ++s->count;
	}
	return &s->list[s->slots[at] - 1];
}

static int by_cost(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	if (x->spent.nanos != y->spent.nanos)
		return x->spent.nanos > y->spent.nanos ? -1 : 1;
	if (x->spent.requests != y->spent.requests)
		return x->spent.requests > y->spent.requests ? -1 : 1;
	return strcmp(x->key, y->key);
}

void sums_sort(struct sums *s)
{
	if (s->count > 0)
		qsort(s->list, s->count, sizeof(*s->list), by_cost);
	mem_free(&s->slots);
	s->slot_count = 0;
}

void sums_release(struct sums *s)
{
	for (size_t i = 0; i < s->count; i++) {
		mem_free(&s->list[i].key);
		mem_free(&s->list[i].label);
	}
	mem_free(&s->list);
	mem_free(&s->slots);
	*s = (struct sums){ 0 };
}
