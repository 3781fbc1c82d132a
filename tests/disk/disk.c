/*
 * disk: a SQLite VFS in front of the system's own; node.c keeps what a power cut would leave.
 *
 * Handles opened before a crash are of an older epoch: nothing that is done through them reaches
 * a file any more.
 */
#include "disk/disk.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "disk/node.h"

enum { WRITE_LOCK = 0 }; /* which lock of the log's index is the writer's */

struct file {
	sqlite3_file base;
	struct node *node; /* NULL: a temporary file, on which nothing is kept account of */
	uint64_t epoch;
};

struct fault {
	int64_t in, times; /* in: operations until the first one; times 0: none is set */
	enum disk_fault how;
};

static struct {
	sqlite3_vfs vfs, *real;
	uint64_t epoch;
	size_t open_count, dead_count; /* files of this epoch, and of those before */
	int64_t counts[DISK_OPS];
	struct fault faults[DISK_OPS];
	int64_t room;
	void (*slow)(void *arg);
	void *slow_arg;
} disk;

/* ---- faults ---- */

static int code_of(enum disk_op op, enum disk_fault how)
{
	static const int io_codes[DISK_OPS] = {
		[DISK_OPEN] = SQLITE_CANTOPEN,     [DISK_READ] = SQLITE_IOERR_READ,
		[DISK_WRITE] = SQLITE_IOERR_WRITE, [DISK_SYNC] = SQLITE_IOERR_FSYNC,
		[DISK_LOCK] = SQLITE_IOERR_LOCK,
	};

	switch (how) {
	case DISK_IOERR: return io_codes[op];
	case DISK_FULL: return SQLITE_FULL;
	case DISK_BUSY: return SQLITE_BUSY;
	case DISK_READONLY: return SQLITE_READONLY;
	}
	BUG("fault %d", how);
}

/* Counts the operation; SQLITE_OK when it may go on. */
static int judge(enum disk_op op)
{
	struct fault *f = &disk.faults[op];

	disk.counts[op]++;
	if (f->times == 0 || --f->in > 0)
		return SQLITE_OK;
	if (f->times > 0)
		f->times--;
	return code_of(op, f->how);
}

void disk_fail(enum disk_op op, int64_t n, int64_t times, enum disk_fault how)
{
	disk.faults[op] = (struct fault){ .in = n, .times = times, .how = how };
}

void disk_heal(void)
{
	memset(disk.faults, 0, sizeof(disk.faults));
}

void disk_set_room(int64_t bytes)
{
	disk.room = bytes;
}

int64_t disk_room(void)
{
	return disk.room;
}

static void give_back(int64_t bytes)
{
	if (disk.room >= 0)
		disk.room += bytes;
}

int64_t disk_count(enum disk_op op)
{
	return disk.counts[op];
}

void disk_on_sync(void (*slow)(void *arg), void *arg)
{
	disk.slow = slow;
	disk.slow_arg = arg;
}

/* ---- files ---- */

static sqlite3_file *real_of(struct file *f)
{
	return (sqlite3_file *)(f + 1);
}

static bool is_dead(const struct file *f)
{
	return f->epoch != disk.epoch;
}

static int disk_close(sqlite3_file *file)
{
	struct file *f = (struct file *)file;

	(*(is_dead(f) ? &disk.dead_count : &disk.open_count))--;
	if (f->node != NULL)
		f->node->open_count--;
	return real_of(f)->pMethods->xClose(real_of(f));
}

static int disk_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 at)
{
	struct file *f = (struct file *)file;
	int code = is_dead(f) ? SQLITE_IOERR_READ : judge(DISK_READ);

	return code != SQLITE_OK ? code
				 : real_of(f)->pMethods->xRead(real_of(f), to, amount, at);
}

static int disk_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 at)
{
	struct file *f = (struct file *)file;
	struct node *n = f->node;
	int code = is_dead(f) ? SQLITE_IOERR_WRITE : judge(DISK_WRITE);

	if (code != SQLITE_OK)
		return code;
	int64_t grows = n != NULL && at + amount > n->size ? at + amount - n->size : 0;

	if (disk.room >= 0 && grows > disk.room)
		return SQLITE_FULL;
	if (n != NULL)
		code = node_keep(n, real_of(f), at, at + amount);
	if (code == SQLITE_OK)
		code = real_of(f)->pMethods->xWrite(real_of(f), from, amount, at);
	if (code != SQLITE_OK)
		return code;
	give_back(-grows);
	if (n != NULL)
		n->size += grows;
	return SQLITE_OK;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct file *f = (struct file *)file;
	struct node *n = f->node;
	int code = is_dead(f) ? SQLITE_IOERR_TRUNCATE : judge(DISK_WRITE);

	if (code == SQLITE_OK && n != NULL && size < n->size)
		code = node_keep(n, real_of(f), size, n->size);
	if (code == SQLITE_OK)
		code = real_of(f)->pMethods->xTruncate(real_of(f), size);
	if (code != SQLITE_OK || n == NULL)
		return code;
	give_back(n->size - size);
	n->size = size;
	return SQLITE_OK;
}

static int disk_sync(sqlite3_file *file, int flags)
{
	struct file *f = (struct file *)file;
	struct node *n = f->node;
	int code = is_dead(f) ? SQLITE_IOERR_FSYNC : judge(DISK_SYNC);

	(void)flags;
	if (code == SQLITE_OK && disk.slow != NULL)
		disk.slow(disk.slow_arg);
	if (is_dead(f)) /* since then, or by then */
		return SQLITE_IOERR_FSYNC;
	if (n == NULL)
		return code;
	if (code == SQLITE_OK)
		node_sync(n);
	else
		node_sync_failed(n);
	return code;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct file *f = (struct file *)file;

	return is_dead(f) ? SQLITE_IOERR_FSTAT
			  : real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int disk_lock(sqlite3_file *file, int level)
{
	struct file *f = (struct file *)file;
	int code = is_dead(f) ? SQLITE_IOERR_LOCK : judge(DISK_LOCK);

	return code != SQLITE_OK ? code : real_of(f)->pMethods->xLock(real_of(f), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
	struct file *f = (struct file *)file;

	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int disk_is_reserved(sqlite3_file *file, int *out)
{
	struct file *f = (struct file *)file;

	return is_dead(f) ? SQLITE_IOERR_CHECKRESERVEDLOCK
			  : real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int disk_control(sqlite3_file *file, int op, void *arg)
{
	struct file *f = (struct file *)file;

	/* The file grows by writes alone, where they are counted. */
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE || is_dead(f))
		return SQLITE_NOTFOUND;
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int disk_sector_size(sqlite3_file *file)
{
	struct file *f = (struct file *)file;

	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

/* What the bytes around a write hold survives it; nothing else is promised. */
static int disk_traits(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	struct file *f = (struct file *)file;

	return is_dead(f) ? SQLITE_IOERR_SHMMAP
			  : real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int disk_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
	struct file *f = (struct file *)file;
	int code = SQLITE_OK;

	if ((flags & SQLITE_SHM_LOCK) && is_dead(f))
		code = SQLITE_IOERR_SHMLOCK;
	else if (flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) && at == WRITE_LOCK)
		code = judge(DISK_LOCK);
	return code != SQLITE_OK ? code
				 : real_of(f)->pMethods->xShmLock(real_of(f), at, count, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
	struct file *f = (struct file *)file;

	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int disk_shm_unmap(sqlite3_file *file, int deletes)
{
	struct file *f = (struct file *)file;

	return real_of(f)->pMethods->xShmUnmap(real_of(f), is_dead(f) ? 0 : deletes);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = disk_close,
	.xRead = disk_read,
	.xWrite = disk_write,
	.xTruncate = disk_truncate,
	.xSync = disk_sync,
	.xFileSize = disk_size,
	.xLock = disk_lock,
	.xUnlock = disk_unlock,
	.xCheckReservedLock = disk_is_reserved,
	.xFileControl = disk_control,
	.xSectorSize = disk_sector_size,
	.xDeviceCharacteristics = disk_traits,
	.xShmMap = disk_shm_map,
	.xShmLock = disk_shm_lock,
	.xShmBarrier = disk_shm_barrier,
	.xShmUnmap = disk_shm_unmap,
};

/* ---- names ---- */

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
		     int *out_flags)
{
	struct file *f = (struct file *)file;
	struct stat st;
	bool is_made = path != NULL && stat(path, &st) != 0;
	int code = judge(DISK_OPEN);

	(void)vfs;
	if (disk.dead_count > 0)
		BUG("%zu files were not closed after the crash", disk.dead_count);
	f->base.pMethods = NULL;
	if (code == SQLITE_OK)
		code = disk.real->xOpen(disk.real, path, real_of(f), flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	if (path != NULL)
		f->node = node_open(path, is_made, flags, real_of(f));
	else
		f->node = NULL;
	f->epoch = disk.epoch;
	f->base.pMethods = &methods;
	disk.open_count++;
	return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int syncs_dir)
{
	struct node *n = node_find(path);
	int64_t size = n != NULL ? n->size : 0;

	(void)vfs;
	if (n == NULL)
		return disk.real->xDelete(disk.real, path, syncs_dir);
	int code = node_delete(n);

	if (code == SQLITE_OK)
		give_back(size);
	if (code == SQLITE_OK && syncs_dir)
		node_sync_folder(path);
	return code;
}

static int disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	(void)vfs;
	return disk.real->xAccess(disk.real, path, flags, out);
}

static int disk_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	(void)vfs;
	return disk.real->xFullPathname(disk.real, path, size, out);
}

/* ---- crashes ---- */

void disk_kill(void)
{
	disk.epoch++;
	disk.dead_count += disk.open_count;
	disk.open_count = 0;
}

void disk_power_cut(uint64_t seed)
{
	disk_kill();
	node_cut_all(seed);
}

void disk_install(void)
{
	sqlite3_initialize();
	memset(&disk, 0, sizeof(disk));
	disk.room = -1;
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.iVersion = 1;
	disk.vfs.zName = "disk";
	disk.vfs.pNext = NULL;
	disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
	disk.vfs.xOpen = disk_open;
	disk.vfs.xDelete = disk_delete;
	disk.vfs.xAccess = disk_access;
	disk.vfs.xFullPathname = disk_full_path;
	if (sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK)
		BUG("the disk could not be registered");
}

void disk_remove(void)
{
	if (disk.open_count + disk.dead_count > 0)
		BUG("%zu files are still open", disk.open_count + disk.dead_count);
	sqlite3_vfs_unregister(&disk.vfs);
	node_forget_all();
	sqlite3_vfs_register(disk.real, 1);
}
