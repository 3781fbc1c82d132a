/*
 * conf_scan: one walk over comments, strings and words, in libconfig's own lexical grammar.
 *
 * It never refuses what libconfig accepts, save for the cases of conf_scan.h; whether the tokens
 * make a configuration is the parser's question.
 */
#include "model/conf_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct walk {
	const char *at, *end; /* *end is NUL */
	int line;
	char last; /* of the last token, '"' after a string: the next one would join it */
	const char *file;
	struct conf_scan *scan;
	struct conf_problems *problems;
};

static void add_string_line(struct conf_scan *s, int line)
{
	if ((s->string_count & (s->string_count + 1)) == 0)
		s->string_lines = mem_resize(s->string_lines, 2 * s->string_count + 2,
					     sizeof(*s->string_lines));
	s->string_lines[s->string_count++] = line;
}

static bool starts(const struct walk *w, const char *word)
{
	return strncmp(w->at, word, strlen(word)) == 0;
}

static void step(struct walk *w)
{
	if (*w->at == '\n')
		w->line++;
	w->at++;
}

/* Past the end of a comment that begins here. */
static void skip_comment(struct walk *w, const char *ends_with)
{
	while (w->at < w->end && !starts(w, ends_with))
		step(w);
	for (size_t i = strlen(ends_with); i > 0 && w->at < w->end; i--)
		step(w);
}

static bool has_place_for_string(const struct walk *w)
{
	if (w->last != '\0' && strchr("=:,([\"", w->last) != NULL)
		return true;
	conf_problem(w->problems, CONF_ERROR, w->file, w->line,
		     "a string can't stand here: is a = or a comma missing before it?");
	return false;
}

/* False when it is never closed: libconfig would blame the last line, and leak the string. */
static bool walk_string(struct walk *w)
{
	int line = w->line;

	if (w->last != '"')
		add_string_line(w->scan, line);
	w->last = '"';
	step(w);
	while (w->at < w->end && *w->at != '"') {
		if (starts(w, "\\x00"))
			conf_problem(w->problems, CONF_ERROR, w->file, w->line,
				     "a string can't hold a NUL (\\x00): remove it");
		if (*w->at == '\\' && w->at + 1 < w->end)
			step(w);
		step(w);
	}
	if (w->at == w->end) {
		conf_problem(
			w->problems, CONF_ERROR, w->file, line,
			"the string that begins here is never closed: look for a missing \"");
		return false;
	}
	step(w);
	return true;
}

static bool is_word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || c == '-' || c == '*' || c == '+' || c == '.';
}

/* A name or a number, of which only whole numbers without the suffix L concern us. */
static void walk_word(struct walk *w)
{
	const char *start = w->at;
	char *number_end;

	while (w->at < w->end && is_word_char(*w->at))
		step(w);
	errno = 0;
	bool is_hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
	long long value = strtoll(start, &number_end, is_hex ? 16 : 10);

	if (number_end == w->at && (errno != 0 || value < INT32_MIN || value > INT32_MAX))
		conf_problem(w->problems, CONF_ERROR, w->file, w->line,
			     "the number %.*s is too large", (int)(w->at - start), start);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* One token, a space or a comment. False at what must not be parsed. */
static bool walk_one(struct walk *w)
{
	if (is_space(*w->at)) {
		step(w);
		return true;
	}
	if (*w->at == '#' || starts(w, "//")) {
		skip_comment(w, "\n");
		return true;
	}
	if (starts(w, "/*")) {
		skip_comment(w, "*/");
		return true;
	}
	if (*w->at == '"')
		return has_place_for_string(w) && walk_string(w);
	if (starts(w, "@include")) {
		conf_problem(w->problems, CONF_ERROR, w->file, w->line,
			     "@include is not supported: keep the configuration in one file, "
			     "secrets apart by \"file:PATH\"");
		return false;
	}
	w->last = *w->at;
	if (is_word_char(*w->at))
		walk_word(w);
	else
		step(w);
	return true;
}

static int line_of(const char *bytes, const char *at)
{
	int line = 1;

	for (; bytes < at; bytes++)
		line += *bytes == '\n';
	return line;
}

bool conf_scan(struct conf_scan *s, const char *bytes, size_t len, const char *file,
	       struct conf_problems *p)
{
	const char *nul = memchr(bytes, '\0', len);
	struct walk w = { .at = bytes, .end = bytes + len, .line = 1, .file = file };

	*s = (struct conf_scan){ 0 };
	if (nul != NULL) {
		conf_problem(p, CONF_ERROR, file, line_of(bytes, nul),
			     "a NUL byte: is this a text file?");
		return false;
	}
	w.scan = s;
	w.problems = p;
	while (w.at < w.end)
		if (!walk_one(&w))
			return false;
	return true;
}

void conf_scan_release(struct conf_scan *s)
{
	mem_free(&s->string_lines);
	s->string_count = 0;
}
