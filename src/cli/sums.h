/*
 * sums: usage added up by user, model or department, for `tocsin report usage`.
 *
 * What has no such field is added up under "". In memory: a group is some 200 bytes.
 */
#ifndef CLI_SUMS_H
#define CLI_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "model/spending.h"

struct sum {
	char *key;   /* owned */
	char *label; /* owned; beside it: an e-mail address, a provider; may be NULL */
	struct spent spent;
};

struct sums {
	struct sum *list; /* owned */
	size_t count, room;
	size_t *slots; /* owned; of a hash table, index + 1; 0: free */
	size_t slot_count;
};

void sums_release(struct sums *s);
/* The group of that key, made when new; the pointer is good until the next is made. */
struct sum *sums_at(struct sums *s, const char *key);
/* Dearest first, then most requests, then by key. */
void sums_sort(struct sums *s);

#endif
