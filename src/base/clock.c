/*
 * clock: two clocks, and the calendar.
 *
 * The calendar is computed (days since 1970 to a date and back, Gregorian throughout), because
 * gmtime() and strptime() read the locale, take years past 9999 and say little of why they
 * refuse. The two pointers are the only state; they change in tests and in the world alone.
 */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY           (INT64_C(24) * HOUR)
#define YEAR_0_AT     INT64_C(-62167219200000) /* 0000-01-01T00:00:00Z */
#define YEAR_9999_END INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t (*use_now)(void);
static int64_t (*use_steady)(void);

static const char *const weekdays[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const long_weekdays[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
					     "Thursday", "Friday", "Saturday" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static int64_t read_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * SECOND * 1000 + t.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return use_now != NULL ? use_now() : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_steady(void)
{
	return use_steady != NULL ? use_steady() : read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_steady_us(void)
{
	return use_steady != NULL ? use_steady() * 1000 : read_us(CLOCK_MONOTONIC);
}

void clock_use(int64_t (*now)(void), int64_t (*steady)(void))
{
	use_now = now;
	use_steady = steady;
}

/* ---- the calendar ---- */

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/*
 * Days since 1970-01-01 of a date, year >= 0. Years are counted from March, so that the leap
 * day is the last of its year, and in eras of 400 years, which are all alike (146,097 days).
 * The one era more (400 years) keeps January and February of the year 0 from going below zero.
 */
static int64_t days_of_date(int64_t year, int month, int day)
{
	int64_t y = year + 400 - (month <= 2);
	int64_t era = y / 400;
	int64_t year_of_era = y % 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (era - 1) * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, struct clock_date *d)
{
	int64_t z = days + 719468 + 146097;
	int64_t era = z / 146097;
	int64_t day_of_era = z % 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
		365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */

	d->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	d->month = (int)(month < 10 ? month + 3 : month - 9);
	d->year = year_of_era + (era - 1) * 400 + (d->month <= 2);
	d->weekday = (int)((days + 7 * INT64_C(1000000) + 4) % 7); /* 1970 began on Thursday */
}

struct clock_date clock_date(int64_t at)
{
	struct clock_date d;

	if (at < YEAR_0_AT)
		at = YEAR_0_AT;
	if (at > YEAR_9999_END)
		at = YEAR_9999_END;
	int64_t days = at / DAY;
	int64_t rest = at % DAY;

	if (rest < 0) {
		rest += DAY;
		days--;
	}
	date_of_days(days, &d);
	d.hour = (int)(rest / HOUR);
	d.minute = (int)(rest / MINUTE % 60);
	d.second = (int)(rest / SECOND % 60);
	d.ms = (int)(rest % SECOND);
	return d;
}

/* False when there is no such date. A 60th second is one only at the end of a UTC day, where
 * leap seconds are; it counts as the next day's first, which is what POSIX clocks do. */
static bool instant_of(const struct clock_date *d, int64_t offset_ms, int64_t *at)
{
	if (d->month < 1 || d->month > 12 || d->day < 1 ||
	    d->day > days_in_month(d->year, d->month))
		return false;
	if (d->hour > 23 || d->minute > 59 || d->second > 60)
		return false;
	int64_t seconds = (d->hour * 60 + d->minute) * 60 + d->second;
	int64_t made =
		days_of_date(d->year, d->month, d->day) * DAY + seconds * SECOND - offset_ms;

	if (d->second == 60 && made % DAY != 0)
		return false;
	*at = made + d->ms;
	return true;
}

/* ---- out ---- */

static char *put_digits(char *to, int64_t n, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		to[i] = (char)('0' + n % 10);
		n /= 10;
	}
	return to + width;
}

static char *put_pair(char *to, int n, char after)
{
	to = put_digits(to, n, 2);
	*to++ = after;
	return to;
}

/* By hand: it is written for every delivery, and snprintf() would cost ten times as much. */
void clock_iso(int64_t at, bool with_ms, char text[CLOCK_TEXT_MAX])
{
	struct clock_date d = clock_date(at);
	char *to = put_digits(text, d.year, 4);

	*to++ = '-';
	to = put_pair(to, d.month, '-');
	to = put_pair(to, d.day, 'T');
	to = put_pair(to, d.hour, ':');
	to = put_pair(to, d.minute, ':');
	to = put_pair(to, d.second, with_ms ? '.' : 'Z');
	if (with_ms) {
		to = put_digits(to, d.ms, 3);
		*to++ = 'Z';
	}
	*to = '\0';
}

void clock_mail(int64_t at, char text[CLOCK_TEXT_MAX])
{
	struct clock_date d = clock_date(at);

	snprintf(text, CLOCK_TEXT_MAX, "%s, %02d %s %04d %02d:%02d:%02d +0000",
		 weekdays[d.weekday], d.day, months[d.month - 1], (int)d.year, d.hour, d.minute,
		 d.second);
}

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

void clock_ago(int64_t at, int64_t now, char text[CLOCK_TEXT_MAX])
{
	int64_t since;
	const char *unit = "days";

	if (__builtin_sub_overflow(now, at, &since))
		since = now > at ? INT64_MAX : -INT64_MAX;
	uint64_t n = magnitude(since);

	if (n < SECOND) {
		snprintf(text, CLOCK_TEXT_MAX, "now");
		return;
	}
	if (n < MINUTE) {
		n /= SECOND;
		unit = "s";
	} else if (n < HOUR) {
		n /= MINUTE;
		unit = "min";
	} else if (n < (uint64_t)(2 * DAY)) {
		n /= HOUR;
		unit = "h";
	} else {
		n /= (uint64_t)DAY;
	}
	if (since > 0)
		snprintf(text, CLOCK_TEXT_MAX, "%" PRIu64 " %s ago", n, unit);
	else
		snprintf(text, CLOCK_TEXT_MAX, "in %" PRIu64 " %s", n, unit);
}

void clock_span(int64_t ms, char text[CLOCK_TEXT_MAX])
{
	uint64_t n = magnitude(ms);
	const char *sign = ms < 0 ? "-" : "";
	uint64_t tenths = n % SECOND / 100;

	if (n < SECOND)
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " ms", sign, n);
	else if (n < MINUTE && tenths > 0)
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 ".%" PRIu64 " s", sign, n / SECOND,
			 tenths);
	else if (n < MINUTE)
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " s", sign, n / SECOND);
	else if (n < HOUR && n % MINUTE / SECOND > 0)
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " min %" PRIu64 " s", sign,
			 n / MINUTE, n % MINUTE / SECOND);
	else if (n < HOUR)
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " min", sign, n / MINUTE);
	else if (n < (uint64_t)(4 * DAY) && n % HOUR / MINUTE > 0)
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " h %" PRIu64 " min", sign,
			 n / HOUR, n % HOUR / MINUTE);
	else if (n < (uint64_t)(4 * DAY))
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " h", sign, n / HOUR);
	else
		snprintf(text, CLOCK_TEXT_MAX, "%s%" PRIu64 " days", sign, n / (uint64_t)DAY);
}

/* ---- in: each take_* moves *s past what it took, or answers false ---- */

struct text {
	const char *s;
	const char *end;
};

static bool take_char(struct text *t, char c)
{
	if (t->s == t->end || *t->s != c)
		return false;
	t->s++;
	return true;
}

static bool take_any(struct text *t, const char *chars)
{
	if (t->s == t->end || *t->s == '\0' || strchr(chars, *t->s) == NULL)
		return false;
	t->s++;
	return true;
}

static bool take_word(struct text *t, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(t->end - t->s) < len || memcmp(t->s, word, len) != 0)
		return false;
	t->s += len;
	return true;
}

/* Exactly width digits. */
static bool take_number(struct text *t, int width, int *n)
{
	*n = 0;
	for (; width > 0; width--) {
		if (t->s == t->end || *t->s < '0' || *t->s > '9')
			return false;
		*n = *n * 10 + (*t->s++ - '0');
	}
	return true;
}

static bool take_name(struct text *t, const char *const *names, int count, int *index)
{
	for (*index = 0; *index < count; ++*index)
		if (take_word(t, names[*index]))
			return true;
	return false;
}

static bool take_month(struct text *t, struct clock_date *d)
{
	if (!take_name(t, months, 12, &d->month))
		return false;
	d->month++;
	return true;
}

static bool take_year(struct text *t, struct clock_date *d)
{
	int year;

	if (!take_number(t, 4, &year))
		return false;
	d->year = year;
	return true;
}

static bool take_clock(struct text *t, struct clock_date *d)
{
	return take_number(t, 2, &d->hour) && take_char(t, ':') &&
	       take_number(t, 2, &d->minute) && take_char(t, ':') &&
	       take_number(t, 2, &d->second);
}

/* .5 .123 .123456789: what is finer than a millisecond is dropped. */
static bool take_fraction(struct text *t, struct clock_date *d)
{
	int worth = 100;

	if (!take_char(t, '.'))
		return true;
	const char *start = t->s;

	for (; t->s < t->end && *t->s >= '0' && *t->s <= '9'; t->s++) {
		d->ms += (*t->s - '0') * worth;
		worth /= 10;
	}
	return t->s > start;
}

/* Z, +01:00, +0100 (ISO 8601's short form, which some APIs write). */
static bool take_offset(struct text *t, int64_t *offset_ms)
{
	int hours, minutes;

	*offset_ms = 0;
	if (take_any(t, "Zz"))
		return true;
	bool is_west = take_char(t, '-');

	if (!is_west && !take_char(t, '+'))
		return false;
	if (!take_number(t, 2, &hours))
		return false;
	take_char(t, ':');
	if (!take_number(t, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset_ms = (int64_t)hours * HOUR + (int64_t)minutes * MINUTE;
	if (is_west)
		*offset_ms = -*offset_ms;
	return true;
}

bool clock_parse_iso(const char *text, size_t len, int64_t *at)
{
	struct text t = { text, text + len };
	struct clock_date d = { 0 };
	int64_t offset_ms;

	if (!take_year(&t, &d) || !take_char(&t, '-') || !take_number(&t, 2, &d.month) ||
	    !take_char(&t, '-') || !take_number(&t, 2, &d.day))
		return false;
	if (!take_any(&t, "Tt ") || !take_clock(&t, &d) || !take_fraction(&t, &d))
		return false;
	if (!take_offset(&t, &offset_ms) || t.s != t.end)
		return false;
	return instant_of(&d, offset_ms, at);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool take_imf_fixdate(struct text *t, struct clock_date *d)
{
	return take_name(t, weekdays, 7, &d->weekday) && take_word(t, ", ") &&
	       take_number(t, 2, &d->day) && take_char(t, ' ') && take_month(t, d) &&
	       take_char(t, ' ') && take_year(t, d) && take_char(t, ' ') && take_clock(t, d) &&
	       take_word(t, " GMT");
}

/* Sunday, 06-Nov-94 08:49:37 GMT: a year that seems more than 50 years ahead is a past one. */
static bool take_rfc850(struct text *t, struct clock_date *d)
{
	int year;

	if (!take_name(t, long_weekdays, 7, &d->weekday) || !take_word(t, ", ") ||
	    !take_number(t, 2, &d->day) || !take_char(t, '-') || !take_month(t, d) ||
	    !take_char(t, '-') || !take_number(t, 2, &year))
		return false;
	int64_t this_year = clock_date(clock_now()).year;

	d->year = this_year - this_year % 100 + year;
	if (d->year > this_year + 50)
		d->year -= 100;
	return d->year >= 0 && take_char(t, ' ') && take_clock(t, d) && take_word(t, " GMT");
}

/* Sun Nov  6 08:49:37 1994 */
static bool take_asctime(struct text *t, struct clock_date *d)
{
	if (!take_name(t, weekdays, 7, &d->weekday) || !take_char(t, ' ') ||
	    !take_month(t, d) || !take_char(t, ' '))
		return false;
	if (take_char(t, ' ') ? !take_number(t, 1, &d->day) : !take_number(t, 2, &d->day))
		return false;
	return take_char(t, ' ') && take_clock(t, d) && take_char(t, ' ') && take_year(t, d);
}

/* The weekday must be one, but not the right one: the date is clear without it, and to refuse
 * it would throw away a Retry-After over a server's slip. */
bool clock_parse_http(const char *text, int64_t *at)
{
	static bool (*const forms[])(struct text *, struct clock_date *) = {
		take_imf_fixdate,
		take_rfc850,
		take_asctime,
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct text t = { text, text + strlen(text) };
		struct clock_date d = { 0 };

		if (forms[i](&t, &d) && t.s == t.end)
			return instant_of(&d, 0, at);
	}
	return false;
}
