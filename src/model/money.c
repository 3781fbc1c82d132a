/* money: see the header. */
#include "model/money.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { DIGITS_MAX = 60, WHOLE_MAX = 40, EXPONENT_MAX = 100, CODE_LEN = 3, DECIMALS_USUAL = 2 };

static const struct {
	char code[CODE_LEN + 1];
	const char *sign;
} signs[] = { { "USD", "$" }, { "EUR", "€" }, { "GBP", "£" }, { "JPY", "¥" } };

/* ISO 4217 (2024): those that do not have two decimals. */
static const struct {
	const char *codes;
	int decimals;
} odd_ones[] = {
	{ "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0 },
	{ "BHD IQD JOD KWD LYD OMR TND", 3 },
	{ "CLF UYW", 4 },
};

/* ---- a number as digits ------------------------------------------------------------------ */

/* digits without leading zeros; the decimal point stands before the point-th, which may be none
 * of them. */
struct amount {
	char digits[DIGITS_MAX];
	int count, point;
	bool is_negative;
};

static void push(struct amount *a, char digit, bool is_whole)
{
	bool is_leading = a->count == 0 && digit == '0';

	if (is_whole && !is_leading)
		a->point++;
	if (!is_whole && is_leading)
		a->point--;
	if (!is_leading && a->count < DIGITS_MAX)
		a->digits[a->count++] = digit;
}

/* Takes the digits off the front; how many there were. */
static size_t take_digits(struct amount *a, const char **s, const char *end, bool is_whole)
{
	size_t count = 0;

	for (; *s < end && isdigit((unsigned char)**s); ++*s, count++)
		push(a, **s, is_whole);
	return count;
}

static bool take_exponent(struct amount *a, const char **s, const char *end)
{
	int value = 0;
	bool is_negative;

	++*s;
	is_negative = *s < end && **s == '-';
	if (*s < end && (**s == '-' || **s == '+'))
		++*s;
	if (*s == end)
		return false;
	for (; *s < end && isdigit((unsigned char)**s); ++*s)
		if (value < EXPONENT_MAX)
			value = value * 10 + (**s - '0');
	a->point += is_negative ? -value : value;
	return true;
}

/* False for what is no number as JSON writes it, and for one of absurdly many digits. */
static bool read_amount(struct amount *a, const char *s, size_t len)
{
	const char *end = s + len;

	*a = (struct amount){ 0 };
	a->is_negative = s < end && *s == '-';
	s += a->is_negative;
	if (take_digits(a, &s, end, true) == 0)
		return false;
	if (s < end && *s == '.') {
		s++;
		if (take_digits(a, &s, end, false) == 0)
			return false;
	}
	if (s < end && (*s == 'e' || *s == 'E') && !take_exponent(a, &s, end))
		return false;
	return s == end && (a->count == 0 || a->point <= WHOLE_MAX);
}

/* Adds one to the last of so many digits. */
static void round_up(struct amount *a, int count)
{
	int at = count - 1;

	while (at >= 0 && a->digits[at] == '9')
		a->digits[at--] = '0';
	if (at >= 0) {
		a->digits[at]++;
		return;
	}
	memmove(a->digits + 1, a->digits,
		(size_t)(count < DIGITS_MAX ? count : DIGITS_MAX - 1));
	a->digits[0] = '1';
	a->count++;
	a->point++;
}

static void round_to(struct amount *a, int decimals)
{
	int kept = a->point + decimals;

	if (kept >= a->count)
		return;
	if (kept < 0) {
		a->count = 0;
		return;
	}
	bool is_up = a->digits[kept] >= '5';

	a->count = kept;
	if (is_up)
		round_up(a, kept);
}

static bool is_zero(const struct amount *a)
{
	for (int i = 0; i < a->count; i++)
		if (a->digits[i] != '0')
			return false;
	return true;
}

static char digit_at(const struct amount *a, int at)
{
	return at >= 0 && at < a->count ? a->digits[at] : '0';
}

static bool add_amount(struct buf *to, const struct amount *a, int decimals)
{
	bool ok = true;

	if (a->count == 0 || a->point <= 0)
		ok = buf_addc(to, '0');
	for (int i = 0; a->count > 0 && i < a->point; i++) {
		if (i > 0 && (a->point - i) % 3 == 0)
			ok = ok && buf_addc(to, ',');
		ok = ok && buf_addc(to, digit_at(a, i));
	}
	if (decimals > 0)
		ok = ok && buf_addc(to, '.');
	for (int i = 0; i < decimals; i++)
		ok = ok && buf_addc(to, a->count > 0 ? digit_at(a, a->point + i) : '0');
	return ok;
}

/* ---- currencies -------------------------------------------------------------------------- */

/* The code in capitals; false for what is none. */
static bool read_code(const char *text, size_t len, char code[CODE_LEN + 1])
{
	if (len != CODE_LEN)
		return false;
	for (size_t i = 0; i < CODE_LEN; i++) {
		if (!isalpha((unsigned char)text[i])) {
			code[0] = '\0';
			return false;
		}
		code[i] = (char)toupper((unsigned char)text[i]);
	}
	code[CODE_LEN] = '\0';
	return true;
}

static int decimals_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(odd_ones); i++)
		if (strstr(odd_ones[i].codes, code) != NULL)
			return odd_ones[i].decimals;
	return DECIMALS_USUAL;
}

static const char *sign_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (strcmp(signs[i].code, code) == 0)
			return signs[i].sign;
	return NULL;
}

bool money_is_code(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (word[i] < 'A' || word[i] > 'Z')
			return false;
	return len == CODE_LEN;
}

static bool add_sign(struct buf *out, const struct amount *a, const char *code)
{
	const char *sign = sign_of(code);

	if (a->is_negative && !is_zero(a) && !buf_addc(out, '-'))
		return false;
	if (sign != NULL)
		return buf_adds(out, sign);
	return code[0] == '\0' || buf_addf(out, "%s ", code);
}

bool money_add(struct buf *out, const char *amount, size_t len, const char *currency,
	       size_t currency_len)
{
	char code[CODE_LEN + 1] = "";
	struct amount a;
	bool is_code = read_code(currency, currency_len, code);
	int decimals = is_code ? decimals_of(code) : DECIMALS_USUAL;

	if (!read_amount(&a, amount, len))
		return buf_add(out, amount, len);
	round_to(&a, decimals);
	if (!add_sign(out, &a, code) || !add_amount(out, &a, decimals))
		return false;
	/* What is no code is shown as it is, rather than nothing. */
	if (is_code || currency_len == 0)
		return true;
	return buf_addc(out, ' ') && buf_add(out, currency, currency_len);
}
