/* suspects: see the header. */
#include "flow/suspects.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"

struct suspect {
	char *alert;  /* owned; "": told by its bytes */
	int64_t hash; /* of those */
	char *reason; /* owned */
};

/* ---- the note ---- */

char *suspects_note_path(const char *store)
{
	return mem_printf("%s.crash", store);
}

static void say_useless(const char *path, const char *why)
{
	log_line(LOG_WARN, LOG_CRASHED, LOG_S("note", path), LOG_S("reason", why),
		 LOG_S("hint", "the last run crashed, and what it was working on is not known "
			       "from this note; it is removed, nothing is set aside"));
}

static void say(const struct crash_note *n, enum store_crashed what, int64_t times)
{
	static const char again[] =
		"the last run crashed on it: it is tried once more, then set "
		"aside; please report this, with the core dump";
	static const char over[] = "it is set aside and the others go on: see tocsin queue "
				   "--state dead and tocsin alerts --rejected; please report "
				   "this, with the core dump";
	bool is_over = what == CRASHED_GIVEN_UP;
	bool is_row = n->number != 0;

	log_line(is_over ? LOG_ERROR : LOG_WARN, LOG_CRASHED,
		 is_row ? LOG_N("delivery", n->number) : LOG_S("delivery", NULL),
		 LOG_S(is_row ? "sink" : "source", n->place), LOG_S("alert", n->name),
		 LOG_S("doing", n->doing), LOG_S("signal", n->signal), LOG_N("times", times),
		 LOG_S("hint", is_over ? over : again));
}

/* False: the store did not take it. Of an alert with an id the bytes do not matter: they change while it makes us crash. */
static bool count_note(struct store *s, const struct crash_note *n, const char *path,
		       int64_t now)
{
	char reason[160], given_up[160];
	struct err err = { "" };
	int64_t times;
	const struct store_crash crash = { .at = n->at,
					   .delivery = n->number,
					   .source = n->number == 0 ? n->place : "",
					   .alert = n->number == 0 ? n->name : "",
					   .hash = n->number == 0 && n->name[0] == '\0'
							   ? n->hash
							   : 0,
					   .reason = reason,
					   .given_up = given_up };

	snprintf(reason, sizeof(reason), "tocsin crashed: %.20s while %.40s it", n->signal,
		 n->doing);
	snprintf(given_up, sizeof(given_up), "tocsin crashed on it twice: %.20s while %.40s it",
		 n->signal, n->doing);
	enum store_crashed what = store_crashed(s, &crash, now, &times, &err);

	switch (what) {
	case CRASHED_NOT_STORED: return false;
	case CRASHED_STALE: say_useless(path, "what it names does not wait any more"); break;
	case CRASHED_COUNTED:
	case CRASHED_GIVEN_UP: say(n, what, times); break;
	}
	return true;
}

void suspects_count(struct store *s, const char *store, int64_t now)
{
	char *path = suspects_note_path(store);
	struct crash_note note;
	struct err err = { "" };
	bool is_there, is_kept = false;

	if (crash_read(path, &note, &is_there, &err))
		is_kept = !count_note(s, &note, path, now);
	else if (is_there)
		say_useless(path, err.text);
	if (is_there && !is_kept && remove(path) != 0)
		log_line(LOG_WARN, LOG_CRASHED, LOG_S("note", path),
			 LOG_S("reason", strerror(errno)),
			 LOG_S("hint", "it can't be removed: remove it by hand"));
	crash_release(&note);
	mem_free(&path);
}

/* ---- who is given up ---- */

static void add(void *arg, const char *alert, int64_t hash, const char *reason)
{
	struct suspects *all = arg;

	all->list = mem_resize(all->list, all->count + 1, sizeof(*all->list));
	all->list[all->count++] = (struct suspect){ .alert = mem_strdup(alert),
						    .hash = hash,
						    .reason = mem_strdup(reason) };
}

bool suspects_load(struct suspects *all, struct store *s, int source, struct err *err)
{
	*all = (struct suspects){ .count = 0 };
	if (store_crashed_alerts(s, source, add, all, err))
		return true;
	suspects_release(all);
	return false;
}

void suspects_release(struct suspects *all)
{
	for (size_t i = 0; i < all->count; i++) {
		mem_free(&all->list[i].alert);
		mem_free(&all->list[i].reason);
	}
	mem_free(&all->list);
	all->count = 0;
}

const char *suspects_refuse(const struct suspects *all, const char *bytes, size_t len)
{
	if (all->count == 0)
		return NULL;
	int64_t hash = crash_hash(bytes, len);

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].alert[0] == '\0' && all->list[i].hash == hash)
			return all->list[i].reason;
	return NULL;
}

static const char *refuse_id(const struct suspects *all, const char *id)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->list[i].alert, id) == 0)
			return all->list[i].reason;
	return NULL;
}

bool suspects_names(const struct suspects *all, const char *id)
{
	return refuse_id(all, id) != NULL;
}

void suspects_set_aside(const struct suspects *all, struct page *p)
{
	for (size_t i = 0; all->count > 0 && i < p->item_count;) {
		const char *why = refuse_id(all, p->items[i].id);

		if (why != NULL)
			page_set_aside(p, i, why);
		else
			i++;
	}
}
