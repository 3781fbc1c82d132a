/*
 * db_blocks: small blocks for SQLite, kept for their next use.
 *
 * Each statement that runs takes some five blocks (its cursors, its records) and gives them back
 * at its end. SQLite has an allocator of its own for that ("lookaside"), but Debian builds it
 * without; so it is the C library that is asked, a quarter of all that it is asked for.
 *
 * A small block is as large as its class, a multiple of STEP, so that its size tells its class
 * when it comes back; it is then kept for the next one that fits. What is kept is never more
 * than was in use at once. All else is the engine's own allocator's.
 */
#include "store/db_blocks.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { STEP = 64, CLASSES = 16, SMALL_MAX = STEP * CLASSES };

static sqlite3_mem_methods system_blocks;

/* By class, less one; the first bytes of each are the address of the next. */
static void *kept[CLASSES];

static int round_up(int size)
{
	return size > SMALL_MAX ? system_blocks.xRoundup(size)
				: (size + STEP - 1) / STEP * STEP;
}

/* Where blocks of that size are kept; NULL: they are not. */
static void **place_of(int room)
{
	bool is_small = room > 0 && room <= SMALL_MAX && room % STEP == 0;

	return is_small ? &kept[room / STEP - 1] : NULL;
}

static void *take(int size)
{
	int room = round_up(size);
	void **place = place_of(room);

	if (place == NULL || *place == NULL)
		return system_blocks.xMalloc(room);
	void *block = *place;

	memcpy(place, block, sizeof(*place));
	return block;
}

static void give_back(void *block)
{
	void **place = place_of(system_blocks.xSize(block));

	if (place == NULL) {
		system_blocks.xFree(block);
		return;
	}
	memcpy(block, place, sizeof(*place));
	*place = block;
}

void db_keep_blocks(void)
{
	if (system_blocks.xMalloc != NULL ||
	    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_blocks) != SQLITE_OK)
		return;
	sqlite3_mem_methods blocks = system_blocks;

	blocks.xMalloc = take;
	blocks.xFree = give_back;
	blocks.xRoundup = round_up;
	(void)sqlite3_config(SQLITE_CONFIG_MALLOC, &blocks);
}
