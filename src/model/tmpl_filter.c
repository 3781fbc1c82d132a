/*
 * tmpl_filter: what stands after a | in a tag.
 *
 * One table names the filters and what argument each takes; reading a chain is a walk over it,
 * applying one is a function from value to value. Filters come before the escaping of the
 * template, so none of them can split an entity or an escape.
 *
 * A filter never fails for what a value holds: what it cannot use it leaves as it is (`date` of
 * a text that is no time), so that a reader sees the data rather than nothing.
 */
#include <ctype.h>
#include <string.h>

#include "base/esc.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/json.h"
#include "model/money.h"
#include "model/sink.h"
#include "model/tmpl_parts.h"

enum argument {
	NO_WORD,
	NUMBER,      /* 1 … TMPL_TRUNCATE_MAX */
	WORD,        /* any, required */
	MAYBE_WORD,  /* any */
	PAIRS,       /* an even count of characters, not none */
	MAYBE_DATE,  /* a form, and perhaps a zone: tmpl_date.c */
	MAYBE_SINCE, /* s, ms, or a name */
	CURRENCY,    /* a code (three capitals), or a name */
	STEPS,       /* texts, and between them where the next begins: tmpl_steps.c */
};

static const struct filter_kind {
	const char *name;
	enum tmpl_filter_kind kind;
	enum argument argument;
	const char *usage;
} filter_kinds[] = {
	{ "truncate", TMPL_TRUNCATE, NUMBER,
	  "truncate takes a count of characters: truncate 80" },
	{ "upper", TMPL_UPPER, NO_WORD, "upper takes no argument" },
	{ "lower", TMPL_LOWER, NO_WORD, "lower takes no argument" },
	{ "default", TMPL_DEFAULT, WORD, "default takes one word: default \"none\"" },
	{ "json", TMPL_JSON, NO_WORD, "json takes no argument" },
	{ "date", TMPL_DATE, MAYBE_DATE,
	  "date takes human, iso, unix or a pattern, then a zone: "
	  "date \"%d %b %H:%M\" \"Europe/Berlin\"" },
	{ "duration", TMPL_DURATION, MAYBE_SINCE,
	  "duration takes ms, s, or the name of a time: duration created_at" },
	{ "urlencode", TMPL_URLENCODE, NO_WORD, "urlencode takes no argument" },
	{ "join", TMPL_JOIN, MAYBE_WORD, "join takes one word: join \", \"" },
	{ "escape", TMPL_ESCAPE, WORD,
	  "escape takes the characters that get a \\ before them: escape \"*_`\"" },
	{ "swap", TMPL_SWAP, PAIRS,
	  "swap takes pairs of characters, each first of which becomes the second: "
	  "swap \"@＠\"" },
	{ "money", TMPL_MONEY, CURRENCY,
	  "money takes a currency, or the name of one: money EUR, money budget.currency" },
	{ "steps", TMPL_STEPS, STEPS,
	  "steps takes words, and between them the numbers at which the next begins: "
	  "steps \"low 75 high 90 over\"" },
};

bool tmpl_is_word(struct tmpl_text word, const char *s)
{
	return word.len == strlen(s) && memcmp(word.at, s, word.len) == 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(char **text, size_t *len, size_t count)
{
	*text += count;
	*len -= count;
}

static void skip_space(char **text, size_t *len)
{
	while (*len > 0 && is_space(**text))
		skip(text, len, 1);
}

static char unquoted(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/* *text begins with a quote; the word is written over itself, and is never longer. */
static bool quoted_word(char **text, size_t *len, struct tmpl_text *word, struct err *err)
{
	char *to = *text;

	word->at = to;
	skip(text, len, 1);
	for (; *len > 0 && **text != '"'; skip(text, len, 1)) {
		if (**text == '\\' && *len > 1) {
			skip(text, len, 1);
			*to++ = unquoted(**text);
		} else {
			*to++ = **text;
		}
	}
	if (*len == 0)
		return err_set(err, "a quote that is not closed");
	word->len = (size_t)(to - word->at);
	skip(text, len, 1);
	skip_space(text, len);
	return true;
}

bool tmpl_word(char **text, size_t *len, struct tmpl_text *word, bool *quoted, struct err *err)
{
	skip_space(text, len);
	*quoted = *len > 0 && **text == '"';
	if (*quoted)
		return quoted_word(text, len, word, err);
	word->at = *text;
	while (*len > 0 && !is_space(**text) && **text != '|')
		skip(text, len, 1);
	word->len = (size_t)(*text - word->at);
	skip_space(text, len);
	return true;
}

static bool read_number(struct tmpl_text word, size_t *number)
{
	*number = 0;
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		*number = *number * 10 + (size_t)(word.at[i] - '0');
		if (*number > TMPL_TRUNCATE_MAX)
			return false;
	}
	return *number > 0;
}

/* Is the argument that was given (or not: has_word) one that this kind takes? */
static bool read_argument(const struct filter_kind *kind, struct tmpl_filter *f,
			  struct err *err)
{
	bool fits = true;

	switch (kind->argument) {
	case NO_WORD: fits = !f->has_word; break;
	case NUMBER: fits = f->has_word && read_number(f->word, &f->number); break;
	case WORD: fits = f->has_word; break;
	case MAYBE_WORD: break;
	case PAIRS:
		fits = f->word.len > 0 && utf8_count(f->word.at, f->word.len) % 2 == 0;
		break;
	case MAYBE_DATE: return tmpl_date_read(f, err);
	case MAYBE_SINCE:
		f->by_name = f->has_word && !tmpl_is_word(f->word, "ms") &&
			     !tmpl_is_word(f->word, "s");
		fits = f->word.len <= TMPL_NAME_MAX;
		break;
	case CURRENCY:
		f->by_name = !money_is_code(f->word.at, f->word.len);
		fits = f->has_word && f->word.len > 0 && f->word.len <= TMPL_NAME_MAX;
		break;
	case STEPS: fits = tmpl_steps_read(f->word); break;
	}
	if (f->by_name)
		f->first = tmpl_first(f->word);
	return fits || err_set(err, "%s", kind->usage);
}

static const struct filter_kind *find_kind(struct tmpl_text name, struct err *err)
{
	const char *names[ARRAY_LEN(filter_kinds) + 1] = { NULL };
	const char *near;
	char word[32];

	for (size_t i = 0; i < ARRAY_LEN(filter_kinds); i++) {
		if (tmpl_is_word(name, filter_kinds[i].name))
			return &filter_kinds[i];
		names[i] = filter_kinds[i].name;
	}
	size_t len = name.len < sizeof(word) ? name.len : sizeof(word) - 1;

	memcpy(word, name.at, len);
	word[len] = '\0';
	near = num_nearest(word, names);
	if (len == 0)
		err_set(err, "a | without a filter behind it");
	else if (near != NULL)
		err_set(err, "no filter \"%s\"; did you mean \"%s\"?", word, near);
	else
		err_set(err,
			"no filter \"%s\"; there are truncate upper lower default json "
			"date duration urlencode join escape swap money steps",
			word);
	return NULL;
}

/* One filter up to the next | or the end. */
static bool read_one(char **text, size_t *len, struct tmpl_filter *f, struct err *err)
{
	const struct filter_kind *kind;
	struct tmpl_text name;
	bool quoted;

	*f = (struct tmpl_filter){ .word = { "", 0 } };
	if (!tmpl_word(text, len, &name, &quoted, err))
		return false;
	kind = find_kind(name, err);
	if (kind == NULL)
		return false;
	f->kind = kind->kind;
	if (*len > 0 && **text != '|') {
		if (!tmpl_word(text, len, &f->word, &quoted, err))
			return false;
		f->has_word = true;
	}
	if (*len > 0 && **text != '|' && kind->argument == MAYBE_DATE) {
		if (!tmpl_word(text, len, &f->zone_name, &quoted, err))
			return false;
		f->has_zone = true;
	}
	if (*len > 0 && **text != '|')
		return err_set(err, "%s", kind->usage);
	return read_argument(kind, f, err);
}

bool tmpl_filter_read(struct tmpl *t, char *text, size_t len, struct err *err)
{
	struct tmpl_filter f;

	for (;;) {
		if (t->filter_count == TMPL_FILTERS_MAX)
			return err_set(err, "more than 4096 filters in one template");
		if (!read_one(&text, &len, &f, err))
			return false;
		if (t->filter_count == t->filter_room) {
			t->filter_room = t->filter_room == 0 ? 16 : t->filter_room * 2;
			t->filters = mem_resize(t->filters, t->filter_room, sizeof(f));
		}
		t->filters[t->filter_count++] = f;
		if (len == 0)
			return true;
		skip(&text, &len, 1);
	}
}

/* ---- values as JSON ---------------------------------------------------------------------- */

static bool json_of_alert(const struct facts *f, struct buf *out)
{
	if (f->alert == NULL)
		return buf_adds(out, "null");
	return buf_add(out, f->alert->bytes, f->alert->bytes_len);
}

static bool json_of_list(const struct message *m, struct buf *out)
{
	bool ok = buf_addc(out, '[');

	for (size_t i = 0; ok && i < m->count; i++)
		ok = (i == 0 || buf_addc(out, ',')) && json_of_alert(&m->alerts[i], out);
	return ok && buf_addc(out, ']');
}

static bool json_of_vars(const struct facts *f, struct buf *out)
{
	bool ok = buf_addc(out, '{');

	for (size_t i = 0; ok && i < f->var_count; i++)
		ok = (i == 0 || buf_addc(out, ',')) && json_add_string(out, f->vars[i].name) &&
		     buf_addc(out, ':') && json_add_string(out, f->vars[i].value);
	return ok && buf_addc(out, '}');
}

bool tmpl_json(const struct value *v, struct buf *out)
{
	struct json_span bytes;

	switch (v->kind) {
	case VALUE_MISSING: return buf_adds(out, "null");
	case VALUE_TEXT: return json_add_text(out, v->text, v->len);
	case VALUE_NUMBER:
	case VALUE_BOOL:
	case VALUE_RAW: return buf_add(out, v->text, v->len);
	case VALUE_JSON:
		bytes = json_bytes(v->doc, v->json);
		return buf_add(out, bytes.at, bytes.len);
	case VALUE_FACTS: return json_of_alert(v->facts, out);
	case VALUE_LIST:
	case VALUE_MESSAGE: return json_of_list(v->message, out);
	case VALUE_VARS: return json_of_vars(v->facts, out);
	case VALUE_MAPS: return buf_adds(out, "null");
	}
	BUG("a value of kind %d", (int)v->kind);
}

/* ---- applying ---------------------------------------------------------------------------- */

enum {
	TAG_MAX = 200,   /* bytes of a tag */
	ENTITY_MAX = 12, /* bytes of "&thetasym;", "&#x10ffff;" */
	WORDS_LEN = 14,  /* characters of "… + characters" */
	KEPT_MIN = 8,    /* of the text: to tell how much is gone is worth no more of it */
};

/* Does an escape (an entity, %XX) that begins at s reach past `left` bytes? */
static bool escape_reaches(const char *s, size_t left, size_t len)
{
	if (*s == '%')
		return left < 3 && len >= 3 && isxdigit((unsigned char)s[1]) &&
		       isxdigit((unsigned char)s[2]);
	for (size_t i = 1; i < len && i < ENTITY_MAX; i++) {
		if (s[i] == ';')
			return i > 1 && i >= left;
		if (!isalnum((unsigned char)s[i]) && s[i] != '#')
			return false;
	}
	return false;
}

/* Where the tag of a markup begins that a cut would fall into (<b>, <@U1>); the cut if into none. */
static size_t before_tag(const char *s, size_t len, size_t cut)
{
	size_t most = len - cut < TAG_MAX ? len - cut : TAG_MAX;

	for (size_t i = 1; i <= cut && i < TAG_MAX && s[cut - i] != '>'; i++) {
		char c = s[cut - i + 1];

		if (s[cut - i] != '<')
			continue;
		if (!isalpha((unsigned char)c) && (c == '\0' || strchr("/!@#", c) == NULL))
			return cut;
		return memchr(s + cut, '>', most) != NULL ? cut - i : cut;
	}
	return cut;
}

/* At most count characters of s in bytes: no sign, no tag and no escape that it holds is split. */
static size_t cut_at(const char *s, size_t len, size_t count)
{
	size_t cut = before_tag(s, len, utf8_cut_sign(s, len, count));

	for (size_t i = 1; i < ENTITY_MAX && i <= cut; i++) {
		char c = s[cut - i];

		if ((c == '&' || c == '%') && escape_reaches(s + cut - i, i, len - (cut - i)))
			return cut - i;
	}
	return cut;
}

static size_t digits_of(size_t n)
{
	return n < 10 ? 1 : 1 + digits_of(n / 10);
}

/* Where to cut for "… +N characters" to fit; 0: nowhere that leaves enough of s. */
static size_t cut_for_words(const char *s, size_t len, size_t count, size_t room)
{
	size_t most = digits_of(count);

	for (size_t digits = most > 1 ? most - 1 : 1; digits <= most; digits++) {
		if (room < WORDS_LEN + digits + KEPT_MIN)
			return 0;
		size_t cut = cut_at(s, len, room - WORDS_LEN - digits);

		if (digits_of(count - utf8_count(s, cut)) <= digits)
			return cut;
	}
	return 0;
}

/* With what tells of the cut it is no longer than asked for. */
static bool cut(const struct tmpl_filter *f, const struct value *v, struct buf *to)
{
	const char *s = v->text;
	size_t len = v->len;

	if (utf8_cut(s, len, f->number) == len)
		return buf_add(to, s, len);
	size_t count = utf8_count(s, len);
	size_t kept = cut_for_words(s, len, count, f->number);

	if (kept == 0)
		return buf_add(to, s, cut_at(s, len, f->number - 1)) && buf_adds(to, "…");
	return buf_add(to, s, kept) &&
	       buf_addf(to, "… +%zu characters", count - utf8_count(s, kept));
}

/* What becomes of one character: "\\*" by escape, its other half by swap, else itself. */
static bool disarm_one(const struct tmpl_filter *f, const char *s, size_t len, struct buf *to)
{
	bool is_swap = f->kind == TMPL_SWAP;
	const char *at = f->word.at, *end = at + f->word.len;

	if (len == 1 && ((unsigned char)*s < ' ' || *s == 0x7f) && *s != '\n' && *s != '\t')
		return buf_addc(to, ' ');
	if (!is_swap && *s == '\\')
		return buf_adds(to, "\\\\");
	while (at < end) {
		size_t first = utf8_len(at, (size_t)(end - at));
		const char *next = at + first;
		size_t second = is_swap ? utf8_len(next, (size_t)(end - next)) : 0;

		if (first == len && memcmp(at, s, len) == 0)
			return is_swap ? buf_add(to, next, second)
				       : buf_addc(to, '\\') && buf_add(to, s, len);
		at = next + second;
	}
	return buf_add(to, s, len);
}

/* So that no text can mean more than it says: control characters but line breaks go, too. */
static bool disarm(const struct tmpl_filter *f, const struct value *v, struct buf *to)
{
	bool ok = true;

	for (size_t i = 0, len; ok && i < v->len; i += len) {
		len = utf8_len(v->text + i, v->len - i);
		len += len == 0 ? 1 : 0;
		ok = disarm_one(f, v->text + i, len, to);
	}
	return ok;
}

/* A list's members as texts; what is no list is its only member. */
static bool join(const struct tmpl_filter *f, const struct value *v, struct buf *to)
{
	struct tmpl_text between = f->has_word ? f->word : (struct tmpl_text){ ", ", 2 };
	const struct json_value *first;
	bool ok = true;

	if (v->kind != VALUE_JSON || json_kind(v->json) != JSON_ARRAY)
		return buf_add(to, v->text, v->len);
	first = json_first(v->json);
	for (const struct json_value *j = first; ok && j != NULL; j = json_next(j)) {
		struct value item;

		value_of_json(v->doc, j, &item);
		ok = j == first || buf_add(to, between.at, between.len);
		if (item.kind == VALUE_JSON)
			ok = ok && tmpl_json(&item, to);
		else
			ok = ok && buf_add(to, item.text, item.len);
	}
	return ok;
}

bool tmpl_has_text(const struct value *v)
{
	switch (v->kind) {
	case VALUE_MISSING:
	case VALUE_TEXT:
	case VALUE_NUMBER:
	case VALUE_BOOL:
	case VALUE_RAW: return true;
	case VALUE_JSON:
	case VALUE_FACTS:
	case VALUE_LIST:
	case VALUE_MESSAGE:
	case VALUE_VARS:
	case VALUE_MAPS: return false;
	}
	BUG("a value of kind %d", (int)v->kind);
}

static bool money(const struct tmpl_filter *f, const struct value *v, const struct value *other,
		  struct buf *to)
{
	struct tmpl_text currency = f->word;

	if (f->by_name)
		currency = (struct tmpl_text){ "", 0 };
	if (f->by_name && tmpl_has_text(other))
		currency = (struct tmpl_text){ other->text, other->len };
	return money_add(to, v->text, v->len, currency.at, currency.len);
}

bool tmpl_filter_takes(const struct tmpl_filter *f, const struct value *v)
{
	if (f->kind == TMPL_JOIN && v->kind == VALUE_JSON)
		return json_kind(v->json) == JSON_ARRAY;
	return tmpl_has_text(v) || f->kind == TMPL_JSON || f->kind == TMPL_DEFAULT;
}

bool tmpl_filter_apply(const struct tmpl_filter *f, struct value *v, const struct value *other,
		       struct buf *to)
{
	bool ok = true;

	buf_clear(to);
	switch (f->kind) {
	case TMPL_DEFAULT:
		if (!tmpl_has_text(v) || v->len > 0)
			return true;
		ok = buf_add(to, f->word.at, f->word.len);
		break;
	case TMPL_TRUNCATE: ok = cut(f, v, to); break;
	case TMPL_UPPER: ok = utf8_change_case(to, v->text, v->len, true); break;
	case TMPL_LOWER: ok = utf8_change_case(to, v->text, v->len, false); break;
	case TMPL_JSON: ok = tmpl_json(v, to); break;
	case TMPL_DATE: ok = tmpl_date(f, v, to); break;
	case TMPL_DURATION: ok = tmpl_duration(f, v, other, to); break;
	case TMPL_URLENCODE: ok = esc_url(to, v->text, v->len); break;
	case TMPL_JOIN: ok = join(f, v, to); break;
	case TMPL_ESCAPE:
	case TMPL_SWAP: ok = disarm(f, v, to); break;
	case TMPL_MONEY: ok = money(f, v, other, to); break;
	case TMPL_STEPS: ok = tmpl_steps(f, v, to); break;
	}
	*v = (struct value){ .kind = VALUE_TEXT, .text = to->data, .len = to->len };
	return ok;
}
