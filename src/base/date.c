/*
 * date: one table of what each letter after a % stands for, and one walk over the pattern.
 *
 * Not strftime(): it reads the locale and, for zones, the environment.
 */
#include "base/date.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct moment {
	struct clock_date date; /* as the zone's clocks show it */
	int64_t at, offset_ms;
	const char *zone;
};

static bool add_name(struct buf *out, const char *const *names, int i, int letters)
{
	return buf_addf(out, "%.*s", letters, names[i]);
}

static bool add_word(struct buf *out, char letter, const struct moment *m)
{
	static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
					    "Thursday", "Friday", "Saturday" };
	static const char *const months[] = { "January",   "February", "March",    "April",
					      "May",       "June",     "July",     "August",
					      "September", "October",  "November", "December" };
	bool is_short = letter == 'a' || letter == 'b';
	int letters = is_short ? 3 : 9;

	if (letter == 'a' || letter == 'A')
		return add_name(out, days, m->date.weekday, letters);
	return add_name(out, months, m->date.month - 1, letters);
}

static bool add_half(struct buf *out, char letter, const struct moment *m)
{
	(void)letter;
	return buf_adds(out, m->date.hour < 12 ? "AM" : "PM");
}

static bool add_zone(struct buf *out, char letter, const struct moment *m)
{
	int64_t minutes = m->offset_ms / 60000;
	int64_t n = minutes < 0 ? -minutes : minutes;

	if (letter == 'Z')
		return buf_adds(out, m->zone);
	return buf_addf(out, "%c%02" PRId64 "%02" PRId64, minutes < 0 ? '-' : '+', n / 60,
			n % 60);
}

static bool add_seconds(struct buf *out, char letter, const struct moment *m)
{
	(void)letter;
	return buf_addf(out, "%" PRId64, m->at / 1000 - (m->at % 1000 < 0 ? 1 : 0));
}

static bool add_percent(struct buf *out, char letter, const struct moment *m)
{
	(void)m;
	return buf_addc(out, letter);
}

static int64_t number_of(char letter, const struct clock_date *d)
{
	switch (letter) {
	case 'Y': return d->year;
	case 'y': return d->year % 100;
	case 'm': return d->month;
	case 'd':
	case 'e': return d->day;
	case 'H': return d->hour;
	case 'I': return (d->hour + 11) % 12 + 1;
	case 'M': return d->minute;
	default: return d->second;
	}
}

/* A letter is a number (width, padding), another pattern, or a function's. */
static const struct letter {
	char letter;
	char padding;
	int width;
	const char *stands_for;
	bool (*add)(struct buf *out, char letter, const struct moment *m);
} letters[] = {
	{ .letter = 'Y', .width = 4, .padding = '0' },
	{ .letter = 'y', .width = 2, .padding = '0' },
	{ .letter = 'm', .width = 2, .padding = '0' },
	{ .letter = 'd', .width = 2, .padding = '0' },
	{ .letter = 'e', .width = 2, .padding = ' ' },
	{ .letter = 'H', .width = 2, .padding = '0' },
	{ .letter = 'I', .width = 2, .padding = '0' },
	{ .letter = 'M', .width = 2, .padding = '0' },
	{ .letter = 'S', .width = 2, .padding = '0' },
	{ .letter = 'F', .stands_for = "%Y-%m-%d" },
	{ .letter = 'T', .stands_for = "%H:%M:%S" },
	{ .letter = 'R', .stands_for = "%H:%M" },
	{ .letter = 'a', .add = add_word },
	{ .letter = 'A', .add = add_word },
	{ .letter = 'b', .add = add_word },
	{ .letter = 'B', .add = add_word },
	{ .letter = 'p', .add = add_half },
	{ .letter = 'z', .add = add_zone },
	{ .letter = 'Z', .add = add_zone },
	{ .letter = 's', .add = add_seconds },
	{ .letter = '%', .add = add_percent },
};

/* Of what follows a % at *i, which then stands behind it; NULL: unknown. */
static const struct letter *find_letter(const char *pattern, size_t len, size_t *i, bool *bare)
{
	*bare = *i < len && pattern[*i] == '-';
	*i += *bare ? 1 : 0;
	if (*i >= len)
		return NULL;
	for (size_t k = 0; k < ARRAY_LEN(letters); k++)
		if (letters[k].letter == pattern[*i] && (!*bare || letters[k].width > 0)) {
			++*i;
			return &letters[k];
		}
	return NULL;
}

bool date_pattern(const char *pattern, size_t len, struct err *err)
{
	bool any = false, bare;

	for (size_t i = 0; i < len;) {
		if (pattern[i++] != '%')
			continue;
		size_t from = i;

		any = true;
		if (find_letter(pattern, len, &i, &bare) == NULL)
			return err_set(
				err,
				"no date has %%%.*s; there are %%Y %%y %%m %%d %%e %%B %%b "
				"%%A %%a %%H %%I %%p %%M %%S %%z %%Z %%s %%F %%T %%R %%%%",
				len > from ? 1 : 0, pattern + from);
	}
	return any || err_set(err, "no date: a pattern needs a %%");
}

static bool add_number(struct buf *out, const struct letter *l, bool bare,
		       const struct moment *m)
{
	int width = bare ? 1 : l->width;

	if (l->padding == '0')
		return buf_addf(out, "%0*" PRId64, width, number_of(l->letter, &m->date));
	return buf_addf(out, "%*" PRId64, width, number_of(l->letter, &m->date));
}

static bool add_moment(struct buf *out, const char *pattern, size_t len,
		       const struct moment *m);

static bool add_letter(struct buf *out, const struct letter *l, bool bare,
		       const struct moment *m)
{
	if (l->stands_for != NULL)
		return add_moment(out, l->stands_for, strlen(l->stands_for), m);
	if (l->add != NULL)
		return l->add(out, l->letter, m);
	return add_number(out, l, bare, m);
}

static bool add_moment(struct buf *out, const char *pattern, size_t len, const struct moment *m)
{
	bool ok = true;

	for (size_t i = 0; ok && i < len;) {
		char c = pattern[i++];
		const struct letter *l;
		bool bare;

		if (c != '%') {
			ok = buf_addc(out, c);
			continue;
		}
		l = find_letter(pattern, len, &i, &bare);
		ok = l == NULL || add_letter(out, l, bare, m);
	}
	return ok;
}

bool date_add(struct buf *out, const char *pattern, size_t len, int64_t at,
	      const struct zone *zone)
{
	struct moment m = { .at = at };

	m.offset_ms = zone_offset(zone, at, &m.zone);
	m.date = clock_date(at + m.offset_ms);
	return add_moment(out, pattern, len, &m);
}
