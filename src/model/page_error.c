/*
 * page_error: an API's error as one line for the log, whatever shape it has.
 *
 * Documented is {"error": "<type>"}; the rest is open, so the names that such bodies use are a
 * table, looked for at the top and inside `error`, each said once and in this order.
 */
#include <string.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "model/page.h"

enum { ERROR_BODY_MAX = 64 << 10, ERROR_LINE_MAX = 4096, ERROR_WORD_MAX = 400 };

struct word {
	const char *name;
	const char *before; /* what joins it to the words already there */
};

/* error_description is RFC 6749's, of the token endpoint. */
static const struct word words[] = {
	{ "type", "" },
	{ "code", "" },
	{ "error", "" },
	{ "message", ": " },
	{ "error_description", ": " },
	{ "request_id", ", request " },
};

static void add_word(struct buf *line, const struct json_value *v, const char *before)
{
	size_t len;
	const char *text = json_text(v, &len);
	struct buf clean;

	if (text == NULL || len == 0)
		return;
	len = len > ERROR_WORD_MAX ? utf8_cut(text, len, ERROR_WORD_MAX) : len;
	buf_init(&clean, len);
	esc_header(&clean, text, len);
	if (strstr(line->data, clean.data) == NULL) {
		if (line->len > 0)
			buf_adds(line, *before == '\0' ? " " : before);
		buf_add(line, clean.data, clean.len);
	}
	buf_release(&clean);
}

static void describe(struct buf *line, const struct json_value *root)
{
	const struct json_value *inner = json_get(root, "error");

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		add_word(line, json_get(inner, words[i].name), words[i].before);
		add_word(line, json_get(root, words[i].name), words[i].before);
	}
	if (line->len == 0)
		buf_adds(line, "JSON without an error in it");
}

void page_error_text(const char *bytes, size_t len, char *text, size_t text_size)
{
	struct json *j;
	struct buf line;

	if (text_size == 0)
		return;
	j = len > ERROR_BODY_MAX ? NULL : json_parse(bytes, len, NULL);
	buf_init(&line, ERROR_LINE_MAX);
	if (j != NULL)
		describe(&line, json_root(j));
	else
		buf_adds(&line, len == 0 ? "an empty body" : "not JSON");
	json_free(&j);

	size_t fit = line.len;

	if (fit >= text_size) {
		fit = text_size - 1;
		while (fit > 0 && ((unsigned char)line.data[fit] & 0xc0) == 0x80)
			fit--;
	}
	memcpy(text, line.data, fit);
	text[fit] = '\0';
	buf_release(&line);
}

/* A text without what differs each time; s is one, and moves to its next character. */
static char next_of_gist(const char **s)
{
	size_t digits = strspn(*s, "0123456789");

	/* " ms" and " milliseconds" are libcurl's. */
	if (digits > 0 && strncmp(*s + digits, " m", 2) == 0)
		*s += digits;
	if (**s == '\0' || strncmp(*s, ", request ", 10) == 0)
		return '\0';
	return *(*s)++;
}

bool page_error_same(const char *a, const char *b)
{
	char c;

	do {
		c = next_of_gist(&a);
		if (c != next_of_gist(&b))
			return false;
	} while (c != '\0');
	return true;
}
