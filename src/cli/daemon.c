/* daemon: see the header. */
#include "cli/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

/* A daemon that is well writes each minute (flow/health). */
enum { SILENT_AFTER_MS = 150 * 1000 };

/* A pid may have been given to another program since; where /proc is hidden, the pid decides. */
static bool is_ours(int64_t pid)
{
	char path[64], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return true;
	bool read = fgets(name, sizeof(name), file) != NULL;

	fclose(file);
	return !read || strncmp(name, "tocsin", 6) == 0;
}

static bool is_alive(int64_t pid)
{
	if (pid <= 0 || pid != (pid_t)pid)
		return false;
	if (kill((pid_t)pid, 0) != 0 && errno != EPERM)
		return false;
	return is_ours(pid);
}

static void take(struct daemon_says *d, const char *bytes, size_t len)
{
	struct err err;

	d->known = true;
	d->bytes = mem_dup(bytes, len);
	d->json = json_parse(d->bytes, len, &err);
	if (d->json != NULL && json_int(json_get(json_root(d->json), "pid"), &d->pid))
		d->alive = is_alive(d->pid);
	d->silent = d->alive && clock_now() - d->at > SILENT_AFTER_MS;
}

bool daemon_read(struct daemon_says *d, struct store *store, struct err *err)
{
	*d = (struct daemon_says){ .bytes = NULL };
	struct view *v = view_open(store, "SELECT at, json FROM v_runtime", NULL, 0, err);

	if (v == NULL)
		return false;
	if (view_next(v) && view_text(v, "json") != NULL) {
		d->at = view_int(v, "at");
		take(d, view_text(v, "json"), view_len(v, "json"));
	}
	bool ok = d->known || !view_failed(v, err);

	view_close(&v);
	return ok;
}

void daemon_release(struct daemon_says *d)
{
	json_free(&d->json);
	mem_free(&d->bytes);
}

const struct json_value *daemon_get(const struct daemon_says *d, const char *key)
{
	return d->alive ? json_get(json_root(d->json), key) : NULL;
}

const struct json_value *daemon_find(const struct daemon_says *d, const char *list,
				     const char *name)
{
	const struct json_value *v =
		d->json != NULL ? json_first(json_get(json_root(d->json), list)) : NULL;

	for (; v != NULL; v = json_next(v)) {
		const char *found = json_text(json_get(v, "name"), NULL);

		if (found != NULL && name != NULL && strcmp(found, name) == 0)
			return v;
	}
	return NULL;
}
