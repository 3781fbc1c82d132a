/* One template against one JSON text: what the tests of tmpl share. */
#ifndef TMPL_CASE_H
#define TMPL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/json.h"
#include "model/tmpl.h"

struct partial {
	const char *name, *text;
};

static inline char *case_load(void *arg, const char *name, char **file, int *line, size_t *len)
{
	const struct partial *p = arg;

	(void)file;
	(void)line;
	while (p != NULL && p->name != NULL && strcmp(p->name, name) != 0)
		p++;
	if (p == NULL || p->name == NULL)
		return NULL;
	*len = strlen(p->text);
	return mem_dup(p->text, *len);
}

static inline struct tmpl *case_compile(const char *name, const char *text,
					const struct partial *partials, struct err *err)
{
	struct partial *arg = (struct partial *)(uintptr_t)partials;
	const struct tmpl_partials load = { .load = case_load, .arg = arg };

	return tmpl_new(name, text, strlen(text), &load, err);
}

/* The rendering of data (JSON), or its error as "error: …"; the caller frees it. */
static inline char *case_render(const char *name, const char *text, const char *data,
				const struct partial *partials)
{
	struct err err = { "" };
	struct json *doc = json_parse(data, strlen(data), &err);
	struct tmpl *t = case_compile(name, text, partials, &err);
	struct value root;
	struct buf out;
	char *result;

	buf_init(&out, 1 << 20);
	if (doc != NULL && t != NULL) {
		value_of_json(doc, json_root(doc), &root);
		if (tmpl_render(t, &root, &out, NULL, &err))
			err.text[0] = '\0';
		else
			assert_string_not_equal(err.text, "");
	}
	result = err.text[0] != '\0' ? mem_printf("error: %s", err.text)
				     : mem_dup(out.data, out.len);
	buf_release(&out);
	tmpl_free(&t);
	json_free(&doc);
	return result;
}

static inline void case_expect(const char *name, const char *text, const char *data,
			       const struct partial *partials, const char *expected)
{
	char *got = case_render(name, text, data, partials);

	if (strcmp(got, expected) != 0)
		fail_msg("template %s\n%s\ndata %s\nmust be\n%s\nis\n%s", name, text, data,
			 expected, got);
	mem_free(&got);
}

#endif
