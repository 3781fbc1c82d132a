/* jline: see the header. */
#include "cli/jline.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "model/json.h"

enum { TEXT_MAX = 64 << 20 }; /* more than any text that is stored */

/* The length of a character that must be written as an escape, and its code; 0 for others. */
static size_t unsafe_at(const char *s, size_t len, unsigned *code)
{
	const unsigned char *u = (const unsigned char *)s;

	*code = u[0];
	if (u[0] == 0x7f)
		return 1;
	*code = len > 1 ? u[1] : 0u;
	if (u[0] == 0xc2 && len > 1 && u[1] < 0xa0)
		return 2;
	*code = len > 2 ? 0x2000u | (u[2] & 0x3fu) : 0u;
	return u[0] == 0xe2 && len > 2 && u[1] == 0x80 && (u[2] & 0xfeu) == 0xa8 ? 3 : 0;
}

/*
 * Valid JSON, on this line. Beyond ASCII it has characters only in strings, so an escape may
 * stand for them anywhere; control characters only between values, where a space does as well.
 */
static void write_json(struct jline *j, const char *s, size_t len)
{
	size_t from = 0, n;
	unsigned code;

	for (size_t i = 0; i < len; i += n) {
		n = unsafe_at(s + i, len - i, &code);
		bool is_break = (unsigned char)s[i] < ' ';

		if (n == 0 && !is_break) {
			n = 1;
			continue;
		}
		fwrite(s + from, 1, i - from, j->out);
		if (is_break)
			fputc(' ', j->out);
		else
			fprintf(j->out, "\\u%04x", code);
		n = n == 0 ? 1 : n;
		from = i + n;
	}
	fwrite(s + from, 1, len - from, j->out);
}

static void write_text(struct jline *j, const char *text, size_t len)
{
	struct buf quoted;

	buf_init(&quoted, TEXT_MAX);
	if (json_add_text(&quoted, text, len))
		write_json(j, quoted.data, quoted.len);
	else
		fputs("null", j->out);
	buf_release(&quoted);
}

static void start(struct jline *j, const char *key)
{
	if (!j->first)
		fputc(',', j->out);
	j->first = false;
	if (key != NULL)
		fprintf(j->out, "\"%s\":", key);
}

void jline_begin(struct jline *j, FILE *out)
{
	*j = (struct jline){ .out = out, .first = true };
	fputc('{', out);
}

void jline_end(struct jline *j)
{
	fputs("}\n", j->out);
}

void jline_open(struct jline *j, const char *key, char bracket)
{
	start(j, key);
	fputc(bracket, j->out);
	j->first = true;
}

void jline_close(struct jline *j, char bracket)
{
	fputc(bracket, j->out);
	j->first = false;
}

void jline_bytes(struct jline *j, const char *key, const char *text, size_t len)
{
	start(j, key);
	if (text == NULL)
		fputs("null", j->out);
	else
		write_text(j, text, len);
}

void jline_text(struct jline *j, const char *key, const char *text)
{
	jline_bytes(j, key, text, text == NULL ? 0 : strlen(text));
}

void jline_int(struct jline *j, const char *key, int64_t value)
{
	start(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void jline_bool(struct jline *j, const char *key, bool value)
{
	start(j, key);
	fputs(value ? "true" : "false", j->out);
}

void jline_null(struct jline *j, const char *key)
{
	jline_bytes(j, key, NULL, 0);
}

void jline_at(struct jline *j, const char *key, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	if (at == 0) {
		jline_null(j, key);
		return;
	}
	clock_iso(at, at % 1000 != 0, text);
	jline_text(j, key, text);
}

void jline_json(struct jline *j, const char *key, const char *json, size_t len)
{
	struct err err;

	if (json == NULL || !json_check(json, len, &err)) {
		jline_bytes(j, key, json, len);
		return;
	}
	start(j, key);
	write_json(j, json, len);
}
