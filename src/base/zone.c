/*
 * zone: GLib's GTimeZone, asked for moments in UTC alone, which never are ambiguous.
 *
 * GLib looks a name up as a path under the database's folder, so what is no plain name is
 * refused before it gets there.
 */
#include "base/zone.h"

#include <glib.h>
#include <string.h>

#include "base/mem.h"

enum { NAME_MAX_LEN = 64 };

struct zone {
	GTimeZone *zone;
};

/* Words of letters, digits and _ + - joined by /; also +02:00. */
static bool is_name(const char *name, size_t len)
{
	static const char marks[] = "_+-:";

	if (len == 0 || len > NAME_MAX_LEN || name[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (c == '/' && i > 0 && name[i - 1] != '/')
			continue;
		if (!g_ascii_isalnum(c) && (c == '\0' || strchr(marks, c) == NULL))
			return false;
	}
	return true;
}

static void say_none(const char *name, size_t len, struct err *err)
{
	char word[NAME_MAX_LEN + 1] = "";

	memcpy(word, name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
	char *near = zone_nearest(word);

	if (near != NULL)
		err_set(err, "no time zone \"%s\"; did you mean \"%s\"?", word, near);
	else
		err_set(err,
			"no time zone \"%s\"; zones are called as in /usr/share/zoneinfo: "
			"\"Europe/Berlin\"",
			word);
	mem_free(&near);
}

struct zone *zone_new(const char *name, size_t len, struct err *err)
{
	char word[NAME_MAX_LEN + 1];
	GTimeZone *zone = NULL;

	if (is_name(name, len)) {
		memcpy(word, name, len);
		word[len] = '\0';
		zone = g_time_zone_new_identifier(word);
	}
	if (zone == NULL) {
		say_none(name, len, err);
		return NULL;
	}
	struct zone *z = mem_new(sizeof(*z));

	z->zone = zone;
	return z;
}

void zone_free(struct zone **z)
{
	if (*z == NULL)
		return;
	g_time_zone_unref((*z)->zone);
	mem_free(z);
}

static int64_t seconds_of(int64_t at)
{
	return at / 1000 - (at % 1000 < 0 ? 1 : 0);
}

int64_t zone_offset(const struct zone *z, int64_t at, const char **called)
{
	*called = "UTC";
	if (z == NULL)
		return 0;
	int interval =
		g_time_zone_find_interval(z->zone, G_TIME_TYPE_UNIVERSAL, seconds_of(at));

	if (interval < 0)
		return 0;
	*called = g_time_zone_get_abbreviation(z->zone, interval);
	return (int64_t)g_time_zone_get_offset(z->zone, interval) * 1000;
}
