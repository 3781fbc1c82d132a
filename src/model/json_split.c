/*
 * json_split: an object or array taken apart by strings and brackets alone.
 *
 * Brackets inside a member are only counted, not paired by kind: a member with `[}` in it is
 * its own mistake, found when it is read strictly, and does not hide its neighbours. The
 * outermost pair must match, nothing may follow it, and an object ends with a member, so a body
 * that was cut, or mended, or two run together, are never taken for a whole one.
 */
#include <string.h>

#include "model/json.h"

struct cursor {
	const char *at, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && memchr(" \t\r\n", *c->at, 4) != NULL)
		c->at++;
}

/* Is one of the backslashes before it its own, when they have paired off? The quote that opens the
 * string ends them. */
static bool is_escaped(const char *quote)
{
	const char *at = quote;

	while (at[-1] == '\\')
		at--;
	return (quote - at) % 2 == 1;
}

/* Stands on a quote; leaves c behind the closing one. False: there is none. */
static bool skip_string(struct cursor *c)
{
	const char *quote = c->at;

	do {
		quote = memchr(quote + 1, '"', (size_t)(c->end - quote - 1));
		if (quote == NULL)
			return false;
	} while (is_escaped(quote));
	c->at = quote + 1;
	return true;
}

/* Leaves c on the comma or closing bracket that ends the member. False: the text ends first. */
static bool skip_member(struct cursor *c)
{
	size_t depth = 0;

	while (c->at < c->end) {
		char b = *c->at;

		if (b == '"') {
			if (!skip_string(c))
				return false;
			continue;
		}
		if (b == '{' || b == '[') {
			depth++;
		} else if (b == '}' || b == ']') {
			if (depth == 0)
				return true;
			depth--;
		} else if (b == ',' && depth == 0) {
			return true;
		}
		c->at++;
	}
	return false;
}

static struct json_span trimmed(const char *from, const char *to)
{
	while (to > from && memchr(" \t\r\n", to[-1], 4) != NULL)
		to--;
	return (struct json_span){ from, (size_t)(to - from) };
}

static bool read_key(struct cursor *c, struct json_span *key, struct err *err)
{
	const char *from = c->at + 1;

	if (c->at == c->end || *c->at != '"')
		return err_set(err, "a member without a key");
	if (!skip_string(c))
		return err_set(err, "the text ends in a key");
	*key = (struct json_span){ from, (size_t)(c->at - 1 - from) };
	skip_space(c);
	if (c->at == c->end || *c->at != ':')
		return err_set(err, "a key without a value");
	c->at++;
	skip_space(c);
	return true;
}

static bool at_end(struct cursor *c, char end, struct err *err)
{
	if (*c->at != end)
		return err_set(err, "brackets that do not match");
	c->at++;
	skip_space(c);
	return c->at == c->end || err_set(err, "more after the end");
}

bool json_split(const char *bytes, size_t len,
		bool (*each)(void *arg, struct json_span key, struct json_span value),
		void *arg, struct err *err)
{
	struct cursor c = { bytes, bytes + len };

	skip_space(&c);
	if (c.at == c.end || (*c.at != '{' && *c.at != '['))
		return err_set(err, "not a JSON object or array");
	bool object = *c.at == '{';
	char end = object ? '}' : ']';

	for (;;) {
		struct json_span key = { "", 0 };
		bool is_behind_comma = *c.at++ == ',';

		skip_space(&c);
		if (c.at < c.end && *c.at == end)
			return object && is_behind_comma
				       ? err_set(err, "no member after a comma")
				       : at_end(&c, end, err);
		if (object && !read_key(&c, &key, err))
			return false;
		const char *from = c.at;

		if (!skip_member(&c))
			return err_set(err, "cut: the text ends inside a member");
		if (!each(arg, key, trimmed(from, c.at)))
			return err_set(err, "stopped");
		if (*c.at != ',')
			return at_end(&c, end, err);
	}
}
