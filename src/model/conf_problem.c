/*
 * conf_problem: the list of what is wrong with a configuration, one line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/conf.h"

enum { MESSAGE_MAX = 1024 }; /* bytes; a longer message quotes somebody's nonsense */

/* What is quoted may hold anything, and a message must stay one line on a terminal. */
static void make_one_line(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

void conf_problem_v(struct conf_problems *p, enum conf_level level, const char *file, int line,
		    const char *format, va_list args)
{
	char message[MESSAGE_MAX];

	vsnprintf(message, sizeof(message), format, args);
	make_one_line(message);
	p->list = mem_resize(p->list, p->count + 1, sizeof(*p->list));
	p->list[p->count++] = (struct conf_problem){
		.file = mem_strdup(file),
		.line = line,
		.level = level,
		.message = mem_strdup(message),
	};
	if (level == CONF_ERROR)
		p->error_count++;
}

void conf_problem(struct conf_problems *p, enum conf_level level, const char *file, int line,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	conf_problem_v(p, level, file, line, format, args);
	va_end(args);
}

static int compare(const void *a, const void *b)
{
	const struct conf_problem *x = a, *y = b;
	int by_file = strcmp(x->file, y->file);

	if (by_file != 0)
		return by_file;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->level != y->level)
		return x->level == CONF_ERROR ? -1 : 1;
	return strcmp(x->message, y->message);
}

void conf_problems_sort(struct conf_problems *p)
{
	if (p->count > 1)
		qsort(p->list, p->count, sizeof(*p->list), compare);
}

void conf_problems_release(struct conf_problems *p)
{
	for (size_t i = 0; i < p->count; i++) {
		mem_free(&p->list[i].file);
		mem_free(&p->list[i].message);
	}
	mem_free(&p->list);
	*p = (struct conf_problems){ 0 };
}
