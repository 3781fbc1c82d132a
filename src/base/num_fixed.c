/*
 * num_fixed: a decimal number, as JSON writes it, as a whole number of its smallest units.
 *
 * The digits are read from the left; each has a place, and those that lie behind the smallest unit
 * only round.
 */
#include <ctype.h>

#include "base/num.h"

enum { PLACES_MAX = 400 }; /* before and behind the point: further off is 0, or too large */

struct reading {
	const char *at, *end;
	bool is_negative;
	const char *whole, *fraction; /* digits */
	size_t whole_len, fraction_len;
	int exponent;
};

static size_t skip_digits(struct reading *r)
{
	const char *from = r->at;

	while (r->at < r->end && isdigit((unsigned char)*r->at))
		r->at++;
	return (size_t)(r->at - from);
}

static bool read_exponent(struct reading *r)
{
	bool is_negative;
	int value = 0;

	if (r->at == r->end || (*r->at != 'e' && *r->at != 'E'))
		return true;
	r->at++;
	is_negative = r->at < r->end && *r->at == '-';
	if (r->at < r->end && (*r->at == '-' || *r->at == '+'))
		r->at++;
	if (r->at == r->end)
		return false;
	for (; r->at < r->end && isdigit((unsigned char)*r->at); r->at++)
		if (value < PLACES_MAX)
			value = value * 10 + (*r->at - '0');
	r->exponent = is_negative ? -value : value;
	return true;
}

static bool read_parts(struct reading *r)
{
	r->is_negative = r->at < r->end && *r->at == '-';
	r->at += r->is_negative;
	r->whole = r->at;
	r->whole_len = skip_digits(r);
	if (r->whole_len == 0 || (r->whole_len > 1 && *r->whole == '0'))
		return false;
	if (r->at < r->end && *r->at == '.') {
		r->at++;
		r->fraction = r->at;
		r->fraction_len = skip_digits(r);
		if (r->fraction_len == 0)
			return false;
	}
	return read_exponent(r) && r->at == r->end;
}

/* The i-th digit of all; 0 behind the last. */
static int digit_at(const struct reading *r, size_t i)
{
	if (i < r->whole_len)
		return r->whole[i] - '0';
	i -= r->whole_len;
	return i < r->fraction_len ? r->fraction[i] - '0' : 0;
}

static bool add_digit(int64_t *value, int digit)
{
	return !__builtin_mul_overflow(*value, 10, value) &&
	       !__builtin_add_overflow(*value, digit, value);
}

bool num_parse_fixed(const char *text, size_t len, int decimals, int64_t *value)
{
	struct reading r = { .at = text, .end = text + len };
	int64_t made = 0;

	if (!read_parts(&r))
		return false;
	/* So many of the digits are whole units; fewer than none: not even a half. */
	int64_t units = (int64_t)r.whole_len + r.exponent + decimals;

	for (int64_t i = 0; i < units; i++) {
		bool is_behind = i >= (int64_t)(r.whole_len + r.fraction_len);

		if (is_behind && made == 0)
			break;
		if (!add_digit(&made, digit_at(&r, (size_t)i)))
			return false;
	}
	if (units >= 0 && digit_at(&r, (size_t)units) >= 5 &&
	    __builtin_add_overflow(made, 1, &made))
		return false;
	*value = r.is_negative ? -made : made;
	return true;
}
