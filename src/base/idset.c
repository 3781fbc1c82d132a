/* idset: linear probing; a removal moves back what had to step over the freed slot. */
#include "base/idset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ROOM_MIN = 64 };

void idset_release(struct idset *set)
{
	mem_free(&set->slots);
	*set = (struct idset){ .slots = NULL };
}

/* Where an id belongs: ids are packed fields, so their low bits alone are no hash. */
static size_t home_of(const struct idset *set, int64_t id)
{
	uint64_t mixed = (uint64_t)id * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(mixed >> 32) & (set->room - 1);
}

/* Its slot, or the free one where it would go. */
static size_t slot_of(const struct idset *set, int64_t id)
{
	size_t at = home_of(set, id);

	while (set->slots[at] != 0 && set->slots[at] != id)
		at = (at + 1) & (set->room - 1);
	return at;
}

static void make_room(struct idset *set)
{
	struct idset old = *set;

	if (set->room != 0 && (set->count + 1) * 2 <= set->room)
		return;
	set->room = old.room == 0 ? ROOM_MIN : old.room * 2;
	set->slots = mem_array(set->room, sizeof(*set->slots));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i] != 0)
			set->slots[slot_of(set, old.slots[i])] = old.slots[i];
	mem_free(&old.slots);
}

void idset_add(struct idset *set, int64_t id)
{
	assert(id != 0);
	make_room(set);
	size_t at = slot_of(set, id);

	set->count += set->slots[at] == 0;
	set->slots[at] = id;
}

bool idset_has(const struct idset *set, int64_t id)
{
	return set->room != 0 && set->slots[slot_of(set, id)] == id && id != 0;
}

void idset_remove(struct idset *set, int64_t id)
{
	if (!idset_has(set, id))
		return;
	size_t mask = set->room - 1, hole = slot_of(set, id), at = hole;

	set->count--;
	set->slots[hole] = 0;
	while (set->slots[at = (at + 1) & mask] != 0) {
		size_t from_home = (at - home_of(set, set->slots[at])) & mask;

		if (from_home < ((at - hole) & mask))
			continue;
		set->slots[hole] = set->slots[at];
		set->slots[at] = 0;
		hole = at;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t *idset_drain(struct idset *set)
{
	int64_t *ids = mem_array(set->count, sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i] != 0)
			ids[count++] = set->slots[i];
	if (count > 0) {
		qsort(ids, count, sizeof(*ids), by_value);
		memset(set->slots, 0, set->room * sizeof(*set->slots));
	}
	set->count = 0;
	return ids;
}
