/* form: name=value pairs between &; + is a space and %XX a byte. */
#include "sim/form.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char type[] = "application/x-www-form-urlencoded";

bool form_is_type(const char *content_type)
{
	size_t len = sizeof(type) - 1;

	if (content_type == NULL || strncasecmp(content_type, type, len) != 0)
		return false;
	return content_type[len] == '\0' || content_type[len] == ';' ||
	       content_type[len] == ' ';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that %XX at s stands for, or -1. */
static int unescape(const char *s, const char *end)
{
	int high = end - s > 2 ? hex_digit(s[1]) : -1;
	int low = high < 0 ? -1 : hex_digit(s[2]);

	return low < 0 ? -1 : high * 16 + low;
}

static char *decode(const char *s, size_t len)
{
	const char *end = s + len;
	char *text = mem_new(len + 1);
	size_t out = 0;

	while (s < end) {
		int byte = *s == '+' ? ' ' : (unsigned char)*s;

		if (*s == '%')
			byte = unescape(s, end);
		if (byte <= 0) {
			mem_free(&text);
			return NULL;
		}
		s += *s == '%' ? 3 : 1;
		text[out++] = (char)byte;
	}
	return text;
}

static bool is_named(const char *pair, size_t name_len, const char *name)
{
	char *decoded = decode(pair, name_len);
	bool is_it = decoded != NULL && strcmp(decoded, name) == 0;

	mem_free(&decoded);
	return is_it;
}

char *form_get(const char *body, size_t len, const char *name)
{
	const char *end = body + len;

	while (body < end) {
		const char *stop = memchr(body, '&', (size_t)(end - body));
		const char *equals;

		if (stop == NULL)
			stop = end;
		equals = memchr(body, '=', (size_t)(stop - body));
		if (equals != NULL && is_named(body, (size_t)(equals - body), name))
			return decode(equals + 1, (size_t)(stop - equals - 1));
		body = stop + 1;
	}
	return NULL;
}
