/* bits: words of 64, grown to the largest number added. */
#include "base/bits.h"

#include <string.h>

#include "base/mem.h"

enum { WORD = 64, ROOM_MIN = 16 };

void bits_release(struct bits *b)
{
	mem_free(&b->words);
	b->word_count = 0;
}

static void make_room(struct bits *b, size_t word)
{
	size_t room = b->word_count * 2 > ROOM_MIN ? b->word_count * 2 : ROOM_MIN;

	if (word < b->word_count)
		return;
	room = room > word ? room : word + 1;
	b->words = mem_resize(b->words, room, sizeof(*b->words));
	memset(b->words + b->word_count, 0, (room - b->word_count) * sizeof(*b->words));
	b->word_count = room;
}

void bits_add(struct bits *b, int64_t n)
{
	if (n < 0 || n >= BITS_MAX)
		return;
	make_room(b, (size_t)n / WORD);
	b->words[n / WORD] |= (uint64_t)1 << (n % WORD);
}

bool bits_has(const struct bits *b, int64_t n)
{
	if (n < 0 || (size_t)n / WORD >= b->word_count)
		return false;
	return (b->words[n / WORD] >> (n % WORD) & 1) != 0;
}

size_t bits_count(const struct bits *b)
{
	size_t count = 0;

	for (size_t i = 0; i < b->word_count; i++)
		count += (size_t)__builtin_popcountll(b->words[i]);
	return count;
}
