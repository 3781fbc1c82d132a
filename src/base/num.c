/*
 * num: a number, then a unit from a table.
 *
 * Durations, sizes and rates are texts in the configuration because its library wraps integers
 * past 2^31 without a word, and because a bare number leaves its unit to be guessed. Everything
 * here checks for overflow first and names the remedy when it refuses.
 */
#include "base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SECOND       INT64_C(1000)
#define MINUTE       (60 * SECOND)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)
#define DURATION_MAX (3650 * DAY)
#define RATE_MAX     INT64_C(1000000) /* so that no product with a duration overflows */

struct unit {
	const char *word;
	int64_t worth;
};

static const struct unit durations[] = {
	{ "ms", 1 }, { "s", SECOND }, { "m", MINUTE }, { "h", HOUR }, { "d", DAY }, { NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "kB", 1000 },
	{ "MB", 1000 * 1000 },
	{ "GB", 1000 * 1000 * 1000 },
	{ "KiB", 1024 },
	{ "MiB", 1024 * 1024 },
	{ "GiB", 1024 * 1024 * 1024 },
	{ "TiB", INT64_C(1024) * 1024 * 1024 * 1024 },
	{ NULL, 0 },
};

static const struct unit rate_times[] = {
	{ "ms", 1 },   { "s", SECOND },  { "sec", SECOND }, { "m", MINUTE }, { "min", MINUTE },
	{ "h", HOUR }, { "hour", HOUR }, { "d", DAY },      { "day", DAY },  { NULL, 0 },
};

size_t num_text(int64_t value, char text[NUM_TEXT_MAX])
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[NUM_TEXT_MAX];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		digits[--at] = '-';
	memcpy(text, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at - 1;
}

enum digits { DIGITS_NONE, DIGITS_OK, DIGITS_TOO_MANY };

/* Moves *s past the digits at its start. */
static enum digits take_digits(const char **s, int64_t *n)
{
	enum digits answer = DIGITS_NONE;

	*n = 0;
	for (; **s >= '0' && **s <= '9'; ++*s) {
		if (answer != DIGITS_TOO_MANY)
			answer = DIGITS_OK;
		if (__builtin_mul_overflow(*n, 10, n) ||
		    __builtin_add_overflow(*n, **s - '0', n))
			answer = DIGITS_TOO_MANY;
	}
	return answer;
}

static const struct unit *find_unit(const struct unit *units, const char *word)
{
	for (; units->word != NULL; units++)
		if (strcmp(units->word, word) == 0)
			return units;
	return NULL;
}

bool num_parse_int(const char *text, int64_t *value, struct err *err)
{
	const char *s = text[0] == '-' ? text + 1 : text;
	int64_t n;
	enum digits digits = take_digits(&s, &n);

	if (digits == DIGITS_NONE || *s != '\0')
		return err_set(err, "\"%.60s\" is not a whole number", text);
	if (digits == DIGITS_TOO_MANY)
		return err_set(err, "\"%.60s\" is too large", text);
	*value = text[0] == '-' ? -n : n;
	return true;
}

bool num_parse_duration(const char *text, int64_t *ms, struct err *err)
{
	const char *s = text;
	int64_t n, made;
	enum digits digits = take_digits(&s, &n);

	if (digits == DIGITS_NONE)
		return err_set(err,
			       "\"%.60s\" is not a duration: \"5s\", \"10m\", \"24h\" or "
			       "\"3d\"",
			       text);
	if (*s == '\0')
		return err_set(err,
			       "\"%.60s\" needs a unit: \"5s\", \"10m\", \"24h\" or "
			       "\"3d\"",
			       text);
	const struct unit *unit = find_unit(durations, s);

	if (unit == NULL)
		return err_set(err, "\"%.60s\" has an unknown unit: use ms, s, m, h or d",
			       text);
	if (digits == DIGITS_TOO_MANY || __builtin_mul_overflow(n, unit->worth, &made) ||
	    made > DURATION_MAX)
		return err_set(err, "\"%.60s\" is longer than 3650d", text);
	*ms = made;
	return true;
}

bool num_parse_size(const char *text, int64_t *bytes, struct err *err)
{
	const char *s = text;
	int64_t n, made;
	enum digits digits = take_digits(&s, &n);

	if (digits == DIGITS_NONE)
		return err_set(err, "\"%.60s\" is not a size: \"512\", \"64KiB\" or \"10MB\"",
			       text);
	const struct unit *unit = find_unit(sizes, s);

	if (unit == NULL)
		return err_set(err,
			       "\"%.60s\" has an unknown unit: use KiB, MiB, GiB, kB, MB or GB",
			       text);
	if (digits == DIGITS_TOO_MANY || __builtin_mul_overflow(n, unit->worth, &made))
		return err_set(err, "\"%.60s\" is too large", text);
	*bytes = made;
	return true;
}

/* What follows the slash: "s", "10s", "min". */
static bool parse_per(const char *s, int64_t *per_ms)
{
	int64_t n;
	enum digits digits = take_digits(&s, &n);
	const struct unit *unit = find_unit(rate_times, s);

	if (digits == DIGITS_NONE)
		n = 1;
	return unit != NULL && digits != DIGITS_TOO_MANY && n > 0 &&
	       !__builtin_mul_overflow(n, unit->worth, per_ms) && *per_ms <= DURATION_MAX;
}

bool num_parse_rate(const char *text, struct rate *rate, struct err *err)
{
	const char *s = text;
	struct rate made;

	if (strcmp(text, "off") == 0) {
		*rate = (struct rate){ 0, 0 };
		return true;
	}
	enum digits digits = take_digits(&s, &made.count);

	if (digits == DIGITS_NONE || *s != '/' || !parse_per(s + 1, &made.per_ms))
		return err_set(err,
			       "\"%.60s\" is not a rate: \"1/s\", \"120/min\", \"5/10s\", "
			       "\"250/day\" or \"off\"",
			       text);
	if (digits == DIGITS_OK && made.count == 0)
		return err_set(err, "\"%.60s\" would send nothing: use \"off\" for no limit",
			       text);
	if (digits == DIGITS_TOO_MANY || made.count > RATE_MAX)
		return err_set(err,
			       "\"%.60s\" is more than %" PRId64 " at a time: use \"off\" "
			       "for no limit",
			       text, RATE_MAX);
	*rate = made;
	return true;
}

/* ---- decimals: the grammar of RFC 8259 section 6 ---- */

static const char *past_digits(const char *s, const char *end)
{
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s;
}

static bool is_decimal(const char *s, const char *end)
{
	const char *digits;

	if (s < end && *s == '-')
		s++;
	digits = s;
	s = past_digits(s, end);
	if (s == digits || (*digits == '0' && s - digits > 1))
		return false;
	if (s < end && *s == '.') {
		digits = ++s;
		s = past_digits(s, end);
		if (s == digits)
			return false;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		s++;
		if (s < end && (*s == '+' || *s == '-'))
			s++;
		digits = s;
		s = past_digits(s, end);
		if (s == digits)
			return false;
	}
	return s == end;
}

bool num_parse_decimal(const char *text, size_t len, double *value)
{
	if (!is_decimal(text, text + len))
		return false;
	char *copy = mem_dup(text, len);
	double parsed = strtod(copy, NULL);

	mem_free(&copy);
	if (!isfinite(parsed))
		return false;
	*value = parsed;
	return true;
}

/* ---- typos ---- */

enum { NAME_MAX_LEN = 40 }; /* longer words are no key's typo */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/*
 * How many letters were added, lost, changed or swapped with their neighbour (optimal string
 * alignment). Both at most NAME_MAX_LEN long; case does not count.
 */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];

	for (size_t i = 0; i <= a_len; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(d[i][j], d[i - 1][j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
}

/* Near is a third of the letters wrong, and at least one right answer for three letters. */
const char *num_nearest(const char *word, const char *const *names)
{
	size_t word_len = strnlen(word, NAME_MAX_LEN + 1);
	size_t best = 1 + (word_len + 1) / 3;
	const char *nearest = NULL;

	if (word_len > NAME_MAX_LEN)
		return NULL;
	for (; *names != NULL; names++) {
		size_t len = strnlen(*names, NAME_MAX_LEN + 1);

		if (len > NAME_MAX_LEN)
			continue;
		size_t d = distance(word, word_len, *names, len);

		if (d < best && d < len) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
