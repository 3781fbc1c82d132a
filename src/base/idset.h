/*
 * idset: a set of ids (64-bit numbers, none of them 0) that come and go quickly.
 *
 * Open addressing, at most half full; what was removed leaves no trace. It grows with what is
 * added and keeps its room, so the caller bounds what it holds.
 */
#ifndef BASE_IDSET_H
#define BASE_IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idset {
	int64_t *slots; /* owned; 0: free */
	size_t room;    /* 0, or a power of two */
	size_t count;
};

/* An idset of zeroes is empty. */
void idset_release(struct idset *set);

void idset_add(struct idset *set, int64_t id);
void idset_remove(struct idset *set, int64_t id);
bool idset_has(const struct idset *set, int64_t id);

/* Empties it and hands its ids over, ascending, set->count of them before the call; the caller
 * frees them. */
int64_t *idset_drain(struct idset *set) __attribute__((warn_unused_result));

#endif
