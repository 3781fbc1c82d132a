/*
 * node: what a power cut would leave.
 *
 * Between two syncs a node keeps, for each sector that was written, what the sector held before
 * each of the writes (`old`, newest first), numbered by the write that replaced it. So a power
 * cut is a choice for each sector between its present bytes and one of those, made on the real
 * file, and a sync forgets them all.
 *
 * A deletion without a sync of the folder moves the file aside (PATH.gone), so that a power cut
 * can bring it back; a name made anew hides it. SQLite syncs the folder with the first sync of a
 * new journal or log, and so does the model.
 */
#include "disk/node.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

enum { SECTOR = 512, GONE_PATH_MAX = NODE_PATH_MAX + 8 };

struct old {
	struct old *under;    /* what the sector held before that */
	uint64_t replaced_at; /* number of the write */
	bool was_there;       /* else: the file ended before it */
	unsigned char bytes[];
};

static struct node *nodes;
static uint64_t writes;

/* ---- chance ---- */

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* 0 … count - 1 */
static uint64_t draw_below(uint64_t *state, uint64_t count)
{
	return draw(state) % count;
}

/* ---- nodes ---- */

static void gone_path(const struct node *n, char out[GONE_PATH_MAX])
{
	snprintf(out, GONE_PATH_MAX, "%s.gone", n->path);
}

static void free_olds(struct old **slot)
{
	while (*slot != NULL) {
		struct old *under = (*slot)->under;

		mem_free(slot);
		*slot = under;
	}
}

/* Of all sectors whose last write came after that one. */
static void forget_old(struct node *n, uint64_t after)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->dirty_count; i++) {
		struct old **slot = &n->sectors[n->dirty[i]];

		if ((*slot)->replaced_at > after)
			free_olds(slot);
		else
			n->dirty[kept++] = n->dirty[i];
	}
	n->dirty_count = kept;
}

static void node_free(struct node **slot)
{
	struct node *n = *slot;

	*slot = n->next;
	forget_old(n, 0);
	mem_free(&n->sectors);
	mem_free(&n->dirty);
	mem_free(&n);
}

static struct node *find(const char *path, bool is_gone)
{
	for (struct node *n = nodes; n != NULL; n = n->next)
		if (n->is_gone == is_gone && strcmp(n->path, path) == 0)
			return n;
	return NULL;
}

struct node *node_find(const char *path)
{
	return find(path, false);
}

static void node_drop(struct node *n)
{
	struct node **slot = &nodes;

	while (*slot != n)
		slot = &(*slot)->next;
	node_free(slot);
}

static size_t folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (size_t)(slash - path);
}

void node_sync_folder(const char *path)
{
	size_t len = folder_len(path);

	for (struct node **slot = &nodes; *slot != NULL;) {
		struct node *n = *slot;
		char gone[GONE_PATH_MAX];

		if (folder_len(n->path) != len || strncmp(n->path, path, len) != 0) {
			slot = &n->next;
			continue;
		}
		n->is_made = n->syncs_dir = false;
		if (!n->is_gone) {
			slot = &n->next;
			continue;
		}
		gone_path(n, gone);
		unlink(gone);
		node_free(slot);
	}
}

void node_sync_failed(struct node *n)
{
	n->failed_at = writes;
}

void node_sync(struct node *n)
{
	forget_old(n, n->failed_at);
	n->synced_size = n->size;
	if (n->syncs_dir)
		node_sync_folder(n->path);
}

/* ---- what a write replaces ---- */

static void push_old(struct node *n, size_t sector, bool was_there, const unsigned char *bytes)
{
	if (sector >= n->sector_room) {
		size_t room = sector + sector / 2 + 64;

		n->sectors = mem_resize(n->sectors, room, sizeof(*n->sectors));
		memset(&n->sectors[n->sector_room], 0,
		       (room - n->sector_room) * sizeof(*n->sectors));
		n->sector_room = room;
	}
	if (n->sectors[sector] == NULL) {
		if (n->dirty_count == n->dirty_room) {
			n->dirty_room = n->dirty_room * 2 + 64;
			n->dirty = mem_resize(n->dirty, n->dirty_room, sizeof(*n->dirty));
		}
		n->dirty[n->dirty_count++] = sector;
	}
	struct old *old = mem_new(sizeof(*old) + (was_there ? SECTOR : 0));

	*old = (struct old){ .under = n->sectors[sector],
			     .replaced_at = writes,
			     .was_there = was_there };
	if (was_there)
		memcpy(old->bytes, bytes, SECTOR);
	n->sectors[sector] = old;
}

int node_keep(struct node *n, sqlite3_file *real, int64_t at, int64_t end)
{
	size_t first = (size_t)(at / SECTOR), last = (size_t)((end + SECTOR - 1) / SECTOR);
	int64_t there = n->size - (int64_t)first * SECTOR;
	unsigned char *bytes = mem_array(last - first, SECTOR);
	int code = SQLITE_OK;

	writes++;
	if (there > (int64_t)(last - first) * SECTOR)
		there = (int64_t)(last - first) * SECTOR;
	if (there > 0)
		code = real->pMethods->xRead(real, bytes, (int)there, (int64_t)first * SECTOR);
	for (size_t i = first; i < last && code == SQLITE_OK; i++)
		push_old(n, i, (int64_t)i * SECTOR < n->size, bytes + (i - first) * SECTOR);
	mem_free(&bytes);
	return code;
}

/* ---- crashes ---- */

/* What is left of the writes since the last sync. */
struct cut {
	uint64_t chance;
	bool in_order; /* those before `upto`; else each by chance */
	uint64_t upto;
};

static struct cut cut_begin(uint64_t seed)
{
	struct cut cut = { .chance = seed };

	switch (draw_below(&cut.chance, 5)) {
	case 0: cut.in_order = true; break;
	case 1:
		cut.in_order = true;
		cut.upto = UINT64_MAX;
		break;
	case 2:
	case 3: {
		uint64_t back = draw_below(&cut.chance, 40);

		cut.in_order = true;
		cut.upto = writes - (back < writes ? back : writes);
		break;
	}
	default: break;
	}
	return cut;
}

/* NULL: the sector keeps its present bytes. */
static const struct old *choose(struct cut *cut, const struct node *n, size_t sector)
{
	bool is_there = (int64_t)sector * SECTOR < n->size;
	const struct old *chosen = NULL;
	uint64_t count = is_there ? 1 : 0;

	if (cut->in_order) {
		for (const struct old *o = n->sectors[sector]; o != NULL; o = o->under)
			if (o->replaced_at > cut->upto)
				chosen = o;
		return chosen;
	}
	for (const struct old *o = n->sectors[sector]; o != NULL; o = o->under)
		if (draw_below(&cut->chance, ++count) == 0)
			chosen = o;
	return chosen;
}

static int64_t choose_size(struct cut *cut, const struct node *n, int64_t kept_end)
{
	int64_t low = n->synced_size < n->size ? n->synced_size : n->size;
	int64_t high = n->synced_size < n->size ? n->size : n->synced_size;

	if (cut->in_order && cut->upto == 0)
		return n->synced_size;
	if (cut->in_order && cut->upto == UINT64_MAX)
		return n->size;
	if (n->size < n->synced_size)
		return draw_below(&cut->chance, 2) == 0 ? low : high;
	if (kept_end > high)
		kept_end = high;
	return kept_end > low ? kept_end : low;
}

static void cut_content(struct cut *cut, struct node *n)
{
	static const unsigned char zeros[SECTOR];
	int fd = open(n->path, O_RDWR | O_CLOEXEC);
	int64_t kept_end = 0;

	if (fd < 0)
		BUG("%s: %s", n->path, strerror(errno));
	for (size_t i = 0; i < n->dirty_count; i++) {
		int64_t at = (int64_t)n->dirty[i] * SECTOR;
		const struct old *old = choose(cut, n, n->dirty[i]);

		if (old == NULL) {
			kept_end = kept_end < at + SECTOR ? at + SECTOR : kept_end;
			continue;
		}
		if (pwrite(fd, old->was_there ? old->bytes : zeros, SECTOR, at) != SECTOR)
			BUG("%s: %s", n->path, strerror(errno));
	}
	int64_t size = choose_size(cut, n, kept_end);

	if (ftruncate(fd, size) != 0)
		BUG("%s: %s", n->path, strerror(errno));
	close(fd);
	forget_old(n, 0);
	n->size = n->synced_size = size;
	n->failed_at = 0;
}

/* Whether its name is still there; where it is not, an older file of that name may be back. */
static bool name_survives(struct cut *cut, struct node *n)
{
	if (!n->is_made)
		return true;
	if (cut->in_order)
		return cut->upto != 0;
	return draw_below(&cut->chance, 2) == 0;
}

static void bring_back(struct cut *cut, struct node *n)
{
	char gone[GONE_PATH_MAX];
	bool is_back = !cut->in_order || cut->upto == 0;

	gone_path(n, gone);
	if (find(n->path, false) != NULL || !is_back) {
		unlink(gone);
		return;
	}
	if (rename(gone, n->path) != 0)
		BUG("%s: %s", gone, strerror(errno));
	n->is_gone = false;
	cut_content(cut, n);
}

static void lose_index(const struct node *n)
{
	char path[GONE_PATH_MAX];

	snprintf(path, sizeof(path), "%s-shm", n->path);
	unlink(path);
}

void node_cut_all(uint64_t seed)
{
	struct cut cut = cut_begin(seed);

	for (struct node *n = nodes, *next; n != NULL; n = next) {
		next = n->next;
		lose_index(n);
		if (n->is_gone)
			continue;
		if (name_survives(&cut, n)) {
			cut_content(&cut, n);
			n->is_made = n->syncs_dir = false;
		} else {
			unlink(n->path);
			n->path[0] = '\0'; /* handles may still point here */
			n->is_made = false;
			forget_old(n, 0);
		}
	}
	for (struct node *n = nodes; n != NULL; n = n->next)
		if (n->is_gone)
			bring_back(&cut, n);
}

/* ---- names ---- */

struct node *node_open(const char *path, bool is_made, int flags, sqlite3_file *real)
{
	static const int dir_synced =
		SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
	struct node *n = find(path, false);
	sqlite3_int64 size = 0;

	assert(strlen(path) < NODE_PATH_MAX);
	(void)real->pMethods->xFileSize(real, &size);
	/* Made or changed beside us: as it lies there, it is taken as safe. */
	if (n != NULL && n->open_count == 0 && (is_made || n->size != size)) {
		node_drop(n);
		n = NULL;
	}
	if (n == NULL) {
		n = mem_new(sizeof(*n));
		snprintf(n->path, sizeof(n->path), "%s", path);
		n->next = nodes;
		nodes = n;
		n->size = n->synced_size = size;
		n->is_made = is_made;
		n->syncs_dir = is_made && (flags & dir_synced) != 0;
	}
	n->open_count++;
	return n;
}

int node_delete(struct node *n)
{
	struct node *older = find(n->path, true);
	char gone[GONE_PATH_MAX];

	if (n->open_count > 0)
		BUG("%s is deleted while it is open", n->path);
	if (older != NULL)
		node_drop(older);
	gone_path(n, gone);
	if (rename(n->path, gone) != 0)
		return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
	n->is_gone = true;
	return SQLITE_OK;
}

void node_forget_all(void)
{
	while (nodes != NULL) {
		char gone[GONE_PATH_MAX];

		gone_path(nodes, gone);
		if (nodes->is_gone)
			unlink(gone);
		node_free(&nodes);
	}
}
