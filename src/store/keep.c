/*
 * keep: is the file still the one that we opened, and whole?
 *
 * A file that is deleted or replaced under us stays open, and SQLite would go on writing to what
 * no name leads to any more: every commit a success, and all of it gone at the end. So the daemon
 * asks once a second whether the names of the store, its log and the log's index still lead to
 * what it holds. While they do not, no transaction begins: what is known waits in memory, as with a
 * full disk. When they do again (it was only moved), it goes on.
 *
 * What cannot be looked at (a folder that we may not search any more) is not gone.
 *
 * Damage and loss leave a note beside the store (PATH.suspect), which makes the next start look
 * at all of the file before it is trusted: see aside.c. The file itself is left as it lies, even
 * at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/inner.h"

static const char *const suffixes[STORE_FILES] = { "", "-wal", "-shm" };

/* ---- the note ---- */

static char *note_path(const char *store)
{
	return mem_printf("%s.suspect", store);
}

bool keep_is_suspect(const char *path, int64_t *since)
{
	char *name = note_path(path);
	struct file_facts facts;
	struct buf text;
	int64_t noted;
	bool is_there = file_look(name, &facts);

	buf_init(&text, 64);
	if (is_there && file_read(name, &text, NULL) && text.len > 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
		*since = num_parse_int(text.data, &noted, NULL) ? noted : facts.modified_at;
	} else if (is_there) {
		*since = facts.modified_at;
	}
	buf_release(&text);
	mem_free(&name);
	return is_there;
}

/* Of several notes the oldest instant counts. */
void keep_suspect(const char *path, int64_t since)
{
	char *name = note_path(path);
	char text[32];
	int64_t noted;
	int len = snprintf(text, sizeof(text), "%" PRId64 "\n", since);
	int fd = -1;

	if (!keep_is_suspect(path, &noted) || since < noted)
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		ssize_t written = write(fd, text, (size_t)len);

		/* A note that could not be written whole still is one, of the time it was made. */
		(void)written;
		close(fd);
	}
	mem_free(&name);
}

void keep_trust(const char *path)
{
	char *name = note_path(path);

	unlink(name);
	mem_free(&name);
}

/* ---- the files ---- */

/* NULL: all is well with this one. */
static const char *look_at(struct store *s, size_t file)
{
	char *name = mem_printf("%s%s", s->path, suffixes[file]);
	struct file_facts now;
	struct file_facts *then = &s->files[file];
	bool is_there = file_look(name, &now);
	bool is_gone = !is_there && (errno == ENOENT || errno == ENOTDIR);

	mem_free(&name);
	if (then->inode == 0) { /* SQLite makes it when it needs it */
		*then = is_there ? now : *then;
		return NULL;
	}
	if (is_gone)
		return "was deleted";
	if (is_there && (now.device != then->device || now.inode != then->inode))
		return "was replaced";
	return NULL;
}

bool store_look(struct store *s, struct err *err)
{
	bool was_lost = s->lost[0] != '\0';

	s->lost[0] = '\0';
	for (size_t i = 0; i < STORE_FILES && s->lost[0] == '\0'; i++) {
		const char *what = look_at(s, i);

		if (what != NULL)
			snprintf(s->lost, sizeof(s->lost), "%.400s%s %s under the daemon",
				 s->path, suffixes[i], what);
	}
	db_refuse(s->db, s->lost);
	if (s->lost[0] == '\0') {
		if (was_lost && !s->is_damaged)
			keep_trust(s->path);
		return true;
	}
	if (!was_lost)
		keep_suspect(s->path, aside_rings_from(s->db, clock_now()));
	return err_set(err, "%s", s->lost);
}

const char *store_lost_hint(void)
{
	return "no new alerts are taken in and nothing new is sent: put the file back where it "
	       "was (mv), or restart tocsin to go on with what lies there now; known outcomes "
	       "wait in memory";
}

/* ---- failures ---- */

const char *keep_failed(struct store *s, struct err *err)
{
	enum db_failure failure = db_failure(s->db);

	if (failure == DB_REFUSED)
		return store_lost_hint(); /* the text names the file */
	err_prefix(err, "%.300s", s->path);
	switch (failure) {
	case DB_FULL:
		return "the disk is full: make room where `store` lies; nothing is lost, known "
		       "outcomes wait in memory";
	case DB_BUSY:
		return "another program keeps the store locked: end it (fuser names it); nothing "
		       "is lost, known outcomes wait in memory";
	case DB_DAMAGED:
		if (s->mode == STORE_DAEMON && !s->is_damaged)
			keep_suspect(s->path, clock_now());
		s->is_damaged = true;
		return "restart tocsin: it looks at the whole file, sets it aside if it is damaged "
		       "and goes on with a new one; or stop it and put a backup in its place";
	case DB_FINE:
	case DB_REFUSED:
	case DB_BROKEN: break;
	}
	return "look at the disk and the rights of the file `store` names; nothing is lost, known "
	       "outcomes wait in memory";
}
