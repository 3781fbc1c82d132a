/* print: see the header. */
#include "cli/print.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/esc.h"
#include "base/mem.h"
#include "cli/jline.h"

enum { REPAIRED_MAX = 16 << 20, SHOWN_MAX = 64 << 10 };

/* ---- problems ---- */

static void print_problem_json(FILE *out, const struct conf_problem *p)
{
	struct jline j;

	jline_begin(&j, out);
	jline_text(&j, "file", p->file);
	jline_int(&j, "line", p->line);
	jline_text(&j, "level", p->level == CONF_ERROR ? "error" : "warning");
	jline_text(&j, "message", p->message);
	jline_end(&j);
}

void print_problems(FILE *out, struct conf_problems *problems, bool json)
{
	conf_problems_sort(problems);
	for (size_t i = 0; i < problems->count; i++) {
		const struct conf_problem *p = &problems->list[i];
		const char *level = p->level == CONF_WARNING ? "warning: " : "";

		if (json)
			print_problem_json(out, p);
		else if (p->line > 0)
			fprintf(out, "%s:%d: %s%s\n", p->file, p->line, level, p->message);
		else
			fprintf(out, "%s: %s%s\n", p->file, level, p->message);
	}
}

/* ---- text that is safe to show ---- */

enum sort { SORT_PLAIN, SORT_SPACE, SORT_HIDDEN };

/* s is valid UTF-8, so only its length decides how it is read. */
static uint32_t code_at(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	switch (len) {
	case 1: return u[0];
	case 2: return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	case 3: return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
	}
	return (u[0] & 0x07u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 |
	       (u[3] & 0x3fu);
}

static enum sort sort_of(uint32_t code)
{
	static const struct {
		uint32_t from, to;
		enum sort sort;
	} ranges[] = {
		{ 0x00, 0x20, SORT_SPACE },    /* C0 and the space */
		{ 0x7f, 0xa0, SORT_SPACE },    /* DEL, C1, the space that does not break */
		{ 0x61c, 0x61c, SORT_HIDDEN }, /* marks of direction … */
		{ 0x200b, 0x200f, SORT_HIDDEN },
		{ 0x2028, 0x2029, SORT_SPACE }, /* line and paragraph */
		{ 0x202a, 0x202e, SORT_HIDDEN },
		{ 0x2060, 0x206f, SORT_HIDDEN },
		{ 0xfeff, 0xfeff, SORT_HIDDEN },
		{ 0xfff9, 0xfffb, SORT_HIDDEN },
		{ 0xe0000, 0xe0fff, SORT_HIDDEN }, /* tags: invisible letters */
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (code >= ranges[i].from && code <= ranges[i].to)
			return ranges[i].sort;
	return SORT_PLAIN;
}

/* As many bytes as `max` characters may need, for texts of which only the start is shown. */
static void repair_start(struct buf *whole, const char *s, size_t len, size_t max)
{
	size_t enough = max > SHOWN_MAX ? REPAIRED_MAX / 4 : max * 16 + 1024;

	buf_init(whole, REPAIRED_MAX);
	utf8_repair(whole, s, len < enough ? len : enough);
}

void print_line(struct buf *out, const char *s, size_t len, size_t max)
{
	size_t used = 0, cut = out->len; /* cut: the end of max - 1 characters */
	bool gap = false;
	struct buf whole;

	repair_start(&whole, s, len, max);
	for (size_t i = 0, n; i < whole.len && used <= max; i += n) {
		n = utf8_len(whole.data + i, whole.len - i);
		enum sort sort = sort_of(code_at(whole.data + i, n));

		if (sort == SORT_SPACE)
			gap = used > 0;
		if (sort != SORT_PLAIN)
			continue;
		if (gap) {
			buf_addc(out, ' ');
			used++;
		}
		buf_add(out, whole.data + i, n);
		if (++used < max)
			cut = out->len;
		gap = false;
	}
	if (used > max) {
		buf_truncate(out, cut);
		buf_adds(out, "…");
	}
	buf_release(&whole);
}

void print_block(FILE *out, const char *s, size_t len)
{
	struct buf whole;
	bool at_start = true;

	repair_start(&whole, s, len, SIZE_MAX);
	for (size_t i = 0, n; i < whole.len; i += n) {
		n = utf8_len(whole.data + i, whole.len - i);
		char c = whole.data[i];
		bool keep = c == '\n' || c == '\t' || c == ' ';

		if (!keep && sort_of(code_at(whole.data + i, n)) != SORT_PLAIN)
			continue;
		fwrite(whole.data + i, 1, n, out);
		at_start = c == '\n';
	}
	if (!at_start)
		fputc('\n', out);
	buf_release(&whole);
}

void print_text(FILE *out, const char *s, size_t max)
{
	struct buf line;

	if (s == NULL)
		return;
	buf_init(&line, SHOWN_MAX);
	print_line(&line, s, strlen(s), max);
	fwrite(line.data, 1, line.len, out);
	buf_release(&line);
}

/* ---- colour ---- */

bool print_is_coloured(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if ((no != NULL && no[0] != '\0') || term == NULL || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fileno(out)) == 1;
}

static const char *code_of(enum colour colour)
{
	switch (colour) {
	case COLOUR_NONE: break;
	case COLOUR_GOOD: return "32";
	case COLOUR_WARN: return "33";
	case COLOUR_BAD: return "31";
	case COLOUR_DIM: return "2";
	case COLOUR_STRONG: return "1";
	}
	return NULL;
}

void print_coloured(FILE *out, enum colour colour, const char *text)
{
	print_in_colour(out, print_is_coloured(out) ? colour : COLOUR_NONE, text);
}

void print_in_colour(FILE *out, enum colour colour, const char *text)
{
	const char *code = code_of(colour);

	if (code != NULL)
		fprintf(out, "\033[%sm%s\033[0m", code, text);
	else
		fputs(text, out);
}

enum colour print_colour_of(const char *word)
{
	static const struct {
		const char *word;
		enum colour colour;
	} words[] = {
		{ "done", COLOUR_GOOD },      { "up", COLOUR_GOOD },
		{ "delivered", COLOUR_GOOD }, { "resolved", COLOUR_GOOD },
		{ "held", COLOUR_WARN },      { "later", COLOUR_WARN },
		{ "high", COLOUR_WARN },      { "orphaned", COLOUR_WARN },
		{ "vanished", COLOUR_WARN },  { "dead", COLOUR_BAD },
		{ "down", COLOUR_BAD },       { "never", COLOUR_BAD },
		{ "critical", COLOUR_BAD },   { "dropped", COLOUR_DIM },
		{ "moved", COLOUR_DIM },      { "silent", COLOUR_DIM },
	};

	for (size_t i = 0; word != NULL && i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].colour;
	return COLOUR_NONE;
}
