/* crash_note: what the handler of crash.c has written, read again. */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crash.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	NOTE_LEN_MAX = 256 << 10
}; /* names have at most 16 KiB, of which each byte takes three */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes %XX in place; false for what the handler never writes. */
static bool decode(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		int high, low;

		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		high = digit_of(text[1]);
		low = high >= 0 ? digit_of(text[2]) : -1;
		if (low < 0 || (high | low) == 0)
			return false;
		*to++ = (char)(high << 4 | low);
		text += 2;
	}
	*to = '\0';
	return true;
}

static bool take_text(char **to, char *value)
{
	if (*to != NULL || !decode(value))
		return false;
	*to = mem_strdup(value);
	return true;
}

static bool take_number(int64_t *to, const char *value)
{
	return *to == 0 && num_parse_int(value, to, NULL) && *to > 0;
}

static bool take_line(struct crash_note *n, char *line)
{
	char *value = strchr(line, ' ');

	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(line, "doing") == 0)
		return take_text(&n->doing, value);
	if (strcmp(line, "signal") == 0)
		return take_text(&n->signal, value);
	if (strcmp(line, "place") == 0)
		return take_text(&n->place, value);
	if (strcmp(line, "name") == 0)
		return take_text(&n->name, value);
	if (strcmp(line, "number") == 0)
		return take_number(&n->number, value);
	if (strcmp(line, "hash") == 0)
		return take_number(&n->hash, value);
	return strcmp(line, "at") == 0 && take_number(&n->at, value);
}

/* Reads whole lines up to "end", the last one. */
static bool take_lines(struct crash_note *n, char *text)
{
	char *end;

	for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		*end = '\0';
		if (strcmp(text, "end") == 0)
			return end[1] == '\0' && n->doing != NULL && n->signal != NULL &&
			       n->at != 0;
		if (!take_line(n, text))
			return false;
	}
	return false;
}

static void fill_in(char **text)
{
	if (*text == NULL)
		*text = mem_strdup("");
}

bool crash_read(const char *path, struct crash_note *note, bool *is_there, struct err *err)
{
	struct buf text;
	struct file_facts facts;
	bool is_whole = false;

	*note = (struct crash_note){ .number = 0 };
	*is_there = file_look(path, &facts) || readlink(path, (char[1]){ 0 }, 1) >= 0;
	buf_init(&text, NOTE_LEN_MAX);
	if (*is_there && file_read(path, &text, err)) {
		buf_add(&text, "", 1);
		/* A NUL would hide what follows. */
		is_whole = strlen(text.data) == text.len - 1 && take_lines(note, text.data);
		if (!is_whole)
			err_set(err, "it is no whole note");
	}
	buf_release(&text);
	if (!is_whole)
		crash_release(note);
	fill_in(&note->doing);
	fill_in(&note->place);
	fill_in(&note->name);
	fill_in(&note->signal);
	return is_whole;
}

void crash_release(struct crash_note *note)
{
	mem_free(&note->doing);
	mem_free(&note->place);
	mem_free(&note->name);
	mem_free(&note->signal);
	*note = (struct crash_note){ .number = 0 };
}
