/*
 * conf_read: nodes into plain structs, by tables of keys.
 *
 * One function a kind (`fillers`), one for the defaults, one for the bounds; defaults and bounds
 * are written as an operator would write them and pass through the same parsers. A default that
 * does not parse is our own mistake. What a message quotes: numbers, durations, sizes, rates and
 * words, in which no secret fits; never a text, which may be a secret in the wrong place.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "model/conf.h"
#include "model/facts.h"

/* One key being filled. */
struct filling {
	const struct conf_reader *r;
	const struct conf_key *key;
	const char *what; /* the group's name and ": ", or "" at the top */
	void *at;
};

/* ---- problems at a node ---- */

void conf_error(const struct conf_reader *r, const struct conf_node *n, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	conf_problem_v(r->problems, CONF_ERROR, r->file, conf_line(n), format, args);
	va_end(args);
}

void conf_warn(const struct conf_reader *r, const struct conf_node *n, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	conf_problem_v(r->problems, CONF_WARNING, r->file, conf_line(n), format, args);
	va_end(args);
}

void conf_hint(char text[CONF_HINT_MAX], const char *word, const char *const *names)
{
	const char *near = num_nearest(word, names);

	text[0] = '\0';
	if (near != NULL)
		snprintf(text, CONF_HINT_MAX, "; did you mean \"%s\"?", near);
}

static void wrong_kind(const struct filling *f, const struct conf_node *n, const char *wanted)
{
	conf_error(f->r, n, "%s%s must be %s", f->what, f->key->name, wanted);
}

/* ---- numbers and their bounds ---- */

/* Parses a text by the key's kind into f->at; *number is what bounds compare. */
static bool parse(const struct filling *f, const char *text, double *number, struct err *err)
{
	int64_t *whole = f->at;

	*number = 0;
	switch (f->key->kind) {
	case CONF_DURATION:
		if (!num_parse_duration(text, whole, err))
			return false;
		*number = (double)*whole;
		return true;
	case CONF_SIZE:
		if (!num_parse_size(text, whole, err))
			return false;
		*number = (double)*whole;
		return true;
	case CONF_INT:
		if (!num_parse_int(text, whole, err))
			return false;
		*number = (double)*whole;
		return true;
	case CONF_REAL:
		if (!num_parse_decimal(text, strlen(text), number))
			return err_set(err, "\"%s\" is not a number", text);
		*(double *)f->at = *number;
		return true;
	case CONF_RATE: return num_parse_rate(text, f->at, err);
	case CONF_BOOL:
		*(bool *)f->at = strcmp(text, "true") == 0;
		return *(bool *)f->at || strcmp(text, "false") == 0 || err_set(err, "no bool");
	case CONF_TEXT:
	case CONF_SECRET:
	case CONF_WORD:
	case CONF_TEXTS:
	case CONF_PAIRS:
	case CONF_NESTED:
	case CONF_OTHER: break;
	}
	BUG("%s is of no kind that is parsed from one text", f->key->name);
}

static double bound(const struct filling *f, const char *text)
{
	union {
		int64_t whole;
		double real;
		struct rate rate;
	} scratch;
	struct filling aside = *f;
	struct err err;
	double number;

	aside.at = &scratch;
	if (!parse(&aside, text, &number, &err))
		BUG("a bound of %s: %s", f->key->name, err.text);
	return number;
}

static void check_bounds(const struct filling *f, const struct conf_node *n, double number)
{
	const struct conf_key *k = f->key;
	bool too_low = k->min != NULL && !(number >= bound(f, k->min));
	bool too_high = k->max != NULL && !(number <= bound(f, k->max));
	const char *quote = k->kind == CONF_DURATION || k->kind == CONF_SIZE ? "\"" : "";

	if (!too_low && !too_high)
		return;
	if (k->min != NULL && k->max != NULL)
		conf_error(f->r, n, "%s%s must be from %s%s%s to %s%s%s", f->what, k->name,
			   quote, k->min, quote, quote, k->max, quote);
	else
		conf_error(f->r, n, "%s%s must be at %s %s%s%s", f->what, k->name,
			   too_low ? "least" : "most", quote, too_low ? k->min : k->max, quote);
}

/* Durations, sizes and rates: strings, so that no unit is guessed and nothing wraps. */
static void fill_measure(const struct filling *f, const struct conf_node *n)
{
	const char *text = conf_string(n);
	bool is_duration = f->key->kind == CONF_DURATION;
	double number;
	struct err err;

	if (text == NULL && is_duration && conf_shape(n) == CONF_WHOLE)
		wrong_kind(f, n,
			   "a string and needs a unit: \"5s\", \"10m\", \"24h\" or \"3d\"");
	else if (text == NULL)
		wrong_kind(f, n,
			   is_duration ? "a string such as \"5s\", \"10m\" or \"3d\""
			   : f->key->kind == CONF_SIZE
				   ? "a string such as \"64MiB\""
				   : "a string such as \"1/s\", \"120/min\" or \"off\"");
	else if (!parse(f, text, &number, &err))
		conf_error(f->r, n, "%s%s: %s", f->what, f->key->name, err.text);
	else
		check_bounds(f, n, number);
}

static void fill_int(const struct filling *f, const struct conf_node *n)
{
	if (conf_shape(n) != CONF_WHOLE) {
		wrong_kind(f, n, "a whole number, without quotes");
		return;
	}
	*(int64_t *)f->at = conf_whole(n);
	check_bounds(f, n, (double)conf_whole(n));
}

static void fill_real(const struct filling *f, const struct conf_node *n)
{
	if (conf_shape(n) != CONF_FRACTION && conf_shape(n) != CONF_WHOLE) {
		wrong_kind(f, n, "a number, without quotes");
		return;
	}
	*(double *)f->at = conf_fraction(n);
	check_bounds(f, n, conf_fraction(n));
}

static void fill_bool(const struct filling *f, const struct conf_node *n)
{
	if (conf_shape(n) == CONF_TRUTH)
		*(bool *)f->at = conf_truth(n);
	else
		wrong_kind(f, n, "true or false, without quotes");
}

/* An enum of ours has its words in the same order, so the index is the value. */
static bool parse_word(const struct filling *f, const char *text)
{
	for (unsigned i = 0; f->key->words[i] != NULL; i++) {
		if (strcmp(f->key->words[i], text) == 0) {
			memcpy(f->at, &i, sizeof(i));
			return true;
		}
	}
	return false;
}

/* `"a", "b" or "c"` */
static void list_words(const char *const *words, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; words[i] != NULL && len < size; i++) {
		const char *between = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";

		len += (size_t)snprintf(text + len, size - len, "%s\"%s\"", between, words[i]);
	}
}

static void fill_word(const struct filling *f, const struct conf_node *n)
{
	const char *text = conf_string(n);
	char all[200];

	list_words(f->key->words, all, sizeof(all));
	if (text == NULL)
		wrong_kind(f, n, all);
	else if (!parse_word(f, text))
		conf_error(f->r, n, "%s%s is \"%s\"; it must be %s", f->what, f->key->name,
			   text, all);
}

/* ---- texts ---- */

/* Resolves a text and looks at what came of it. NULL, with the problem added. */
static char *take_text(const struct filling *f, const struct conf_node *n, const char *text)
{
	const char *name = f->key->name;
	struct err err = { 0 };

	if (text == NULL) {
		wrong_kind(f, n, "a string, in quotes");
		return NULL;
	}
	char *value = f->r->resolve(text, &err);

	if (value == NULL) {
		conf_error(f->r, n, "%s%s: %s", f->what, name, err.text);
		return NULL;
	}
	if (value[0] == '\0' && !f->key->may_be_empty)
		conf_error(f->r, n, "%s%s is empty: give it a value, or leave it out", f->what,
			   name);
	else if (f->key->one_line && strpbrk(value, "\r\n") != NULL)
		conf_error(f->r, n, "%s%s holds a line break: it must be one line", f->what,
			   name);
	else
		return value;
	mem_free_secret(&value);
	return NULL;
}

static void fill_text(const struct filling *f, const struct conf_node *n)
{
	*(char **)f->at = take_text(f, n, conf_string(n));
}

static void fill_secret(const struct filling *f, const struct conf_node *n)
{
	struct conf_secret *secret = f->at;

	secret->reference = mem_strdup(conf_string(n));
	secret->value = take_text(f, n, conf_string(n));
}

static void add_text(struct conf_texts *texts, char *text, const char *reference)
{
	texts->list = mem_resize(texts->list, texts->count + 1, sizeof(*texts->list));
	texts->references =
		mem_resize(texts->references, texts->count + 1, sizeof(*texts->references));
	texts->references[texts->count] = mem_strdup(reference);
	texts->list[texts->count++] = text;
}

static void fill_texts(const struct filling *f, const struct conf_node *n)
{
	char what[200];

	snprintf(what, sizeof(what), "%s%s", f->what, f->key->name);
	if (!conf_check_texts(f->r, n, what))
		return;
	if (conf_shape(n) == CONF_LIST && conf_count(n) == 0 && f->key->required)
		conf_error(f->r, n, "%s is an empty list: name at least one", what);
	for (size_t i = 0; conf_text_at(n, i) != NULL; i++) {
		const struct conf_node *one = conf_text_at(n, i);
		char *text = take_text(f, one, conf_string(one));

		if (text != NULL)
			add_text(f->at, text, conf_string(one));
	}
}

/* A value may be empty here: a header without one is a header. */
static void add_pair(const struct filling *f, const struct conf_node *n)
{
	struct conf_pairs *pairs = f->at;
	const char *name = conf_name(n);
	struct err err = { 0 };

	if (conf_string(n) == NULL) {
		conf_error(f->r, n, "%s%s: %s must be a string, in quotes", f->what,
			   f->key->name, name);
		return;
	}
	char *value = f->r->resolve(conf_string(n), &err);

	if (value == NULL) {
		conf_error(f->r, n, "%s%s: %s: %s", f->what, f->key->name, name, err.text);
		return;
	}
	if (f->key->one_line && strpbrk(value, "\r\n") != NULL) {
		conf_error(f->r, n, "%s%s: %s holds a line break: it must be one line", f->what,
			   f->key->name, name);
		mem_free_secret(&value);
		return;
	}
	pairs->list = mem_resize(pairs->list, pairs->count + 1, sizeof(*pairs->list));
	pairs->list[pairs->count++] = (struct pair){ .name = mem_strdup(name),
						     .value = value,
						     .reference = mem_strdup(conf_string(n)) };
}

static void fill_pairs(const struct filling *f, const struct conf_node *n)
{
	if (conf_shape(n) != CONF_GROUP) {
		wrong_kind(f, n, "a group of strings: { name = \"value\"; }");
		return;
	}
	for (size_t i = 0; i < conf_count(n); i++)
		add_pair(f, conf_at(n, i));
}

/* ---- groups ---- */

static void fill_nested(const struct filling *f, const struct conf_node *n)
{
	char what[200];

	if (n != NULL && conf_shape(n) != CONF_GROUP) {
		wrong_kind(f, n, "a group: { key = value; }");
		n = NULL;
	}
	snprintf(what, sizeof(what), "%s%s", f->what, f->key->name);
	conf_fill(f->r, n, what, f->key->nested, f->at);
	conf_check_names(f->r, n, what,
			 (const struct conf_key *const[]){ f->key->nested, NULL });
}

static void fill_other(const struct filling *f, const struct conf_node *n)
{
	(void)f;
	(void)n;
}

typedef void fill_fn(const struct filling *f, const struct conf_node *n);

static fill_fn *const fillers[] = {
	[CONF_TEXT] = fill_text,    [CONF_SECRET] = fill_secret, [CONF_DURATION] = fill_measure,
	[CONF_SIZE] = fill_measure, [CONF_RATE] = fill_measure,  [CONF_INT] = fill_int,
	[CONF_REAL] = fill_real,    [CONF_BOOL] = fill_bool,     [CONF_WORD] = fill_word,
	[CONF_TEXTS] = fill_texts,  [CONF_PAIRS] = fill_pairs,   [CONF_NESTED] = fill_nested,
	[CONF_OTHER] = fill_other,
};

static void take_default(const struct filling *f)
{
	const char *text = f->key->fallback;
	struct err err = { 0 };
	double number;
	bool is_right = true;

	if (text == NULL)
		return;
	switch (f->key->kind) {
	case CONF_TEXT: *(char **)f->at = mem_strdup(text); break;
	case CONF_TEXTS: add_text(f->at, mem_strdup(text), NULL); break;
	case CONF_WORD: is_right = parse_word(f, text); break;
	case CONF_DURATION:
	case CONF_SIZE:
	case CONF_RATE:
	case CONF_INT:
	case CONF_REAL:
	case CONF_BOOL: is_right = parse(f, text, &number, &err); break;
	case CONF_OTHER: break; /* shown in documentation, taken by its own code */
	case CONF_SECRET:
	case CONF_PAIRS:
	case CONF_NESTED: is_right = false; break;
	}
	if (!is_right)
		BUG("the default \"%s\" of %s: %s", text, f->key->name, err.text);
}

static void fill_key(const struct filling *f, const struct conf_node *group)
{
	const struct conf_node *n = conf_get(group, f->key->name);

	if (n != NULL || f->key->kind == CONF_NESTED)
		fillers[f->key->kind](f, n);
	else if (group != NULL && f->key->required)
		conf_error(f->r, group, "%s\"%s\" is missing: %s", f->what, f->key->name,
			   f->key->help);
	else
		take_default(f);
}

void conf_fill(const struct conf_reader *r, const struct conf_node *group, const char *what,
	       const struct conf_key *keys, void *into)
{
	char prefix[200];

	snprintf(prefix, sizeof(prefix), "%s%s", what, what[0] == '\0' ? "" : ": ");
	for (const struct conf_key *k = keys; k->name != NULL; k++) {
		struct filling f = {
			.r = r, .key = k, .what = prefix, .at = (char *)into + k->offset
		};

		fill_key(&f, group);
	}
}

static void release_texts(struct conf_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		mem_free_secret(&texts->list[i]);
		mem_free_secret(&texts->references[i]);
	}
	mem_free(&texts->list);
	mem_free(&texts->references);
	texts->count = 0;
}

static void release_pairs(struct conf_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		mem_free(&pairs->list[i].name);
		mem_free_secret(&pairs->list[i].value);
		mem_free_secret(&pairs->list[i].reference);
		mem_free_secret(&pairs->list[i].former);
	}
	mem_free(&pairs->list);
	pairs->count = 0;
}

static void release_key(const struct conf_key *k, void *at)
{
	struct conf_secret *secret = at;

	switch (k->kind) {
	case CONF_TEXT: mem_free_secret(at); break;
	case CONF_SECRET:
		mem_free_secret(&secret->reference); /* may be the secret itself */
		mem_free_secret(&secret->value);
		mem_free_secret(&secret->former);
		break;
	case CONF_TEXTS: release_texts(at); break;
	case CONF_PAIRS: release_pairs(at); break;
	case CONF_NESTED: conf_release(k->nested, at); break;
	case CONF_DURATION:
	case CONF_SIZE:
	case CONF_RATE:
	case CONF_INT:
	case CONF_REAL:
	case CONF_BOOL:
	case CONF_WORD:
	case CONF_OTHER: break;
	}
}

void conf_release(const struct conf_key *keys, void *from)
{
	for (const struct conf_key *k = keys; k->name != NULL; k++)
		release_key(k, (char *)from + k->offset);
}

/* ---- what is there but not known ---- */

static const char **names_of(const struct conf_key *const *tables)
{
	const char **names = NULL;
	size_t count = 0;

	for (; *tables != NULL; tables++) {
		for (const struct conf_key *k = *tables; k->name != NULL; k++) {
			names = mem_resize(names, count + 1, sizeof(*names));
			names[count++] = k->name;
		}
	}
	names = mem_resize(names, count + 1, sizeof(*names));
	names[count] = NULL;
	return names;
}

static bool is_in(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

void conf_check_names(const struct conf_reader *r, const struct conf_node *group,
		      const char *what, const struct conf_key *const *tables)
{
	const char **names = names_of(tables);

	for (size_t i = 0; i < conf_count(group); i++) {
		const struct conf_node *n = conf_at(group, i);
		char hint[CONF_HINT_MAX];

		if (is_in(conf_name(n), names))
			continue;
		conf_hint(hint, conf_name(n), names);
		conf_error(r, n, "%s%sunknown key \"%s\"%s", what, what[0] == '\0' ? "" : ": ",
			   conf_name(n), hint);
	}
	mem_free(&names);
}

/* ---- shapes ---- */

const struct conf_node *conf_text_at(const struct conf_node *n, size_t i)
{
	if (conf_shape(n) == CONF_STRING)
		return i == 0 ? n : NULL;
	return conf_at(n, i);
}

bool conf_check_texts(const struct conf_reader *r, const struct conf_node *n, const char *what)
{
	bool is_right = n == NULL || conf_shape(n) == CONF_STRING || conf_shape(n) == CONF_LIST;

	for (size_t i = 0; is_right && conf_text_at(n, i) != NULL; i++)
		is_right = conf_shape(conf_text_at(n, i)) == CONF_STRING;
	if (!is_right)
		conf_error(r, n, "%s must be a string or a list of strings: [ \"a\", \"b\" ]",
			   what);
	return is_right;
}

bool conf_check_groups(const struct conf_reader *r, const struct conf_node *n, const char *what)
{
	if (n == NULL)
		return true;
	if (conf_shape(n) != CONF_LIST) {
		conf_error(r, n, "%s must be a list of groups: ( { ... }, { ... } )", what);
		return false;
	}
	for (size_t i = 0; i < conf_count(n); i++) {
		if (conf_shape(conf_at(n, i)) != CONF_GROUP) {
			conf_error(r, conf_at(n, i), "%s: only groups { ... } belong here",
				   what);
			return false;
		}
	}
	return true;
}
