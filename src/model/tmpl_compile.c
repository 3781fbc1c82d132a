/*
 * tmpl_compile: the bytes of one body into nodes, in one pass.
 *
 *   text ── tag ── text ── tag ── … ── text
 *
 * A tag is found by its opening delimiter, its end by the closing one (`}` and the closing one
 * for {{{x}}}, `=` and it for {{=<% %>=}}). What it is decides one table: sigil, whether it may
 * stand alone on a line, and the function that turns its content into nodes.
 *
 * Standalone lines: a tag that renders nothing itself, alone on its line but for white space,
 * takes the line with it, its end included. For a partial the white space before it becomes the
 * indentation of each of its lines. That indentation belongs to the partial's own text, not to
 * what values bring, so it is added at rendering, before TEXT nodes that begin a line; where a
 * line begins with a tag, an empty TEXT node stands for that place.
 *
 * Every error is "name:line:column: message", columns in characters from 1.
 */
#include "model/tmpl_parts.h"

#include <string.h>

#include "base/esc.h"
#include "base/mem.h"

struct place {
	size_t at;
	uint32_t line;   /* from 1 */
	uint32_t column; /* characters before it on its line */
};

struct compiler {
	struct tmpl *t;
	uint32_t body;
	char *text; /* behind `here` as it was; before it quoted words may be unquoted */
	size_t len;
	struct place here; /* all before it is compiled */
	char open[TMPL_DELIMITER_MAX + 1], close[TMPL_DELIMITER_MAX + 1];
	size_t open_len, close_len;
	struct section {
		uint32_t node;
		struct place place;
	} sections[TMPL_SECTIONS_MAX];
	size_t section_count;
	struct err *err;
};

struct tag {
	char sigil;         /* 0: a plain variable */
	struct place place; /* of the opening delimiter */
	size_t end;         /* after the closing one */
	char *content;
	size_t content_len;
	struct tmpl_text indent; /* what stands before it on its line, when it stands alone */
	bool standalone;
};

/* ---- errors ------------------------------------------------------------------------------ */

/* The place of an offset at or behind p. */
static struct place place_after(const struct compiler *c, struct place p, size_t at)
{
	for (; p.at < at; p.at++) {
		if (c->text[p.at] == '\n') {
			p.line++;
			p.column = 0;
		} else if (((unsigned char)c->text[p.at] & 0xc0) != 0x80) {
			p.column++;
		}
	}
	return p;
}

/* Puts the place before the reason that is in err. */
static bool fail_at(struct compiler *c, const struct place *p)
{
	return err_prefix(c->err, "%s:%u:%u", tmpl_file(c->t, c->body), p->line, p->column + 1);
}

static bool fail(struct compiler *c, const struct place *p, const char *reason)
{
	err_set(c->err, "%s", reason);
	return fail_at(c, p);
}

/* ---- pieces ------------------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

static void trim(char **text, size_t *len)
{
	while (*len > 0 && is_space(**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_space((*text)[*len - 1]))
		(*len)--;
}

static bool starts_line(const struct compiler *c, size_t at)
{
	return at == 0 || c->text[at - 1] == '\n';
}

static bool add_node(struct compiler *c, const struct tmpl_node *node, const struct place *p)
{
	struct tmpl *t = c->t;

	if (t->node_count == TMPL_NODES_MAX)
		return fail(c, p, "too large: more than 16384 tags and texts");
	if (t->node_count == t->node_room) {
		t->node_room = t->node_room == 0 ? 32 : t->node_room * 2;
		t->nodes = mem_resize(t->nodes, t->node_room, sizeof(*t->nodes));
	}
	t->nodes[t->node_count] = *node;
	t->nodes[t->node_count].body = c->body;
	t->nodes[t->node_count].line = p->line;
	t->nodes[t->node_count].column = p->column + 1;
	t->node_count++;
	return true;
}

/* The text from here up to end. */
static bool add_text(struct compiler *c, size_t end)
{
	struct tmpl_node node = {
		.kind = TMPL_TEXT,
		.text = { c->text + c->here.at, end - c->here.at },
		.line_start = starts_line(c, c->here.at),
	};

	return node.text.len == 0 || add_node(c, &node, &c->here);
}

/* The place where a partial's line begins with a tag: an empty text. */
static bool add_line_start(struct compiler *c, const struct tag *tag)
{
	struct tmpl_node node = { .kind = TMPL_TEXT, .text = { "", 0 }, .line_start = true };

	if (c->body == 0 || tag->standalone || !starts_line(c, tag->place.at))
		return true;
	return add_node(c, &node, &tag->place);
}

/* ---- names ------------------------------------------------------------------------------- */

/* "." or parts joined by dots, without what would be a mistake in every template. */
static const char *wrong_with_name(const char *name, size_t len)
{
	if (len == 0)
		return "a tag without a name";
	if (len > TMPL_NAME_MAX)
		return "a name of more than 200 bytes";
	if (len == 1 && *name == '.')
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.' && (i == 0 || i + 1 == len || name[i + 1] == '.'))
			return "a name with an empty part between dots";
		if (is_space(name[i]) || strchr("{}\"=|\x7f", name[i]) != NULL ||
		    (unsigned char)name[i] < ' ')
			return "not a name: it holds white space or one of { } \" = |";
	}
	return NULL;
}

/* Splits "name rest" at the first white space or mark; both trimmed. */
static struct tmpl_text split_name(char **content, size_t *len, const char *marks)
{
	struct tmpl_text name = { *content, 0 };

	while (name.len < *len && !is_space(name.at[name.len]) &&
	       (name.at[name.len] == '\0' || strchr(marks, name.at[name.len]) == NULL))
		name.len++;
	*content += name.len;
	*len -= name.len;
	trim(content, len);
	return name;
}

static bool set_name(struct compiler *c, const struct tag *tag, struct tmpl_text name,
		     struct tmpl_node *node)
{
	const char *wrong = wrong_with_name(name.at, name.len);

	if (wrong != NULL)
		return fail(c, &tag->place, wrong);
	node->text = name;
	node->first = tmpl_first(name);
	return true;
}

/* ---- tags -------------------------------------------------------------------------------- */

static bool tag_value(struct compiler *c, struct tag *tag)
{
	struct tmpl_node node = { .kind = TMPL_VALUE, .verbatim = tag->sigil != 0 };
	char *rest = tag->content;
	size_t rest_len = tag->content_len;

	if (!set_name(c, tag, split_name(&rest, &rest_len, "|="), &node))
		return false;
	node.filters = c->t->filter_count;
	if (rest_len > 0 && *rest == '=')
		return fail(c, &tag->place, "= needs a section: {{#name = word}}…{{/name}}");
	if (rest_len > 0 && *rest != '|')
		return fail(c, &tag->place, "white space in a name; a filter follows a |");
	if (rest_len > 0 && !tmpl_filter_read(c->t, rest + 1, rest_len - 1, c->err))
		return fail_at(c, &tag->place);
	node.filter_count = c->t->filter_count - node.filters;
	return add_node(c, &node, &tag->place);
}

/* {{#name = word}}: the rest of the tag is the word, quoted or not. */
static bool read_literal(struct compiler *c, struct tag *tag, struct tmpl_node *node,
			 char *rest, size_t len)
{
	bool quoted;

	if (*rest != '=')
		return fail(c, &tag->place, "a section takes a name, or name = word");
	rest++;
	len--;
	trim(&rest, &len);
	node->kind = node->kind == TMPL_SECTION ? TMPL_EQUAL : TMPL_UNEQUAL;
	node->literal = (struct tmpl_text){ rest, len };
	if (len == 0 || *rest != '"')
		return true;
	if (!tmpl_word(&rest, &len, &node->literal, &quoted, c->err))
		return fail_at(c, &tag->place);
	return len == 0 || fail(c, &tag->place, "something follows the quoted word");
}

static bool tag_section(struct compiler *c, struct tag *tag)
{
	struct tmpl_node node = { .kind = tag->sigil == '#' ? TMPL_SECTION : TMPL_INVERTED };
	char *rest = tag->content;
	size_t rest_len = tag->content_len;

	if (c->section_count == TMPL_SECTIONS_MAX)
		return fail(c, &tag->place, "more than 32 sections within each other");
	if (!set_name(c, tag, split_name(&rest, &rest_len, "="), &node))
		return false;
	if (rest_len > 0 && !read_literal(c, tag, &node, rest, rest_len))
		return false;
	c->sections[c->section_count++] =
		(struct section){ .node = c->t->node_count, .place = tag->place };
	return add_node(c, &node, &tag->place);
}

static char sigil_of(const struct tmpl_node *section)
{
	return section->kind == TMPL_SECTION || section->kind == TMPL_EQUAL ? '#' : '^';
}

static bool tag_close(struct compiler *c, struct tag *tag)
{
	char *rest = tag->content;
	size_t rest_len = tag->content_len;
	struct tmpl_text name = split_name(&rest, &rest_len, "=");
	struct tmpl_node *open;

	if (c->section_count == 0) {
		err_set(c->err, "{{/%.*s}} closes nothing", (int)name.len, name.at);
		return fail_at(c, &tag->place);
	}
	open = &c->t->nodes[c->sections[c->section_count - 1].node];
	if (open->text.len != name.len || memcmp(open->text.at, name.at, name.len) != 0) {
		err_set(c->err, "{{/%.*s}} closes {{%c%.*s}} of line %u", (int)name.len,
			name.at, sigil_of(open), (int)open->text.len, open->text.at,
			open->line);
		return fail_at(c, &tag->place);
	}
	open->end = c->t->node_count;
	c->section_count--;
	return true;
}

static bool tag_comment(struct compiler *c, struct tag *tag)
{
	(void)c;
	(void)tag;
	return true;
}

/* The body of that name, a new one where there is none yet; TMPL_BODIES_MAX when full. */
static uint32_t body_of(struct tmpl *t, struct tmpl_text name)
{
	struct tmpl_body *body;

	for (uint32_t i = 1; i < t->body_count; i++)
		if (strlen(t->bodies[i].name) == name.len &&
		    memcmp(t->bodies[i].name, name.at, name.len) == 0)
			return i;
	if (t->body_count == TMPL_BODIES_MAX)
		return TMPL_BODIES_MAX;
	body = &t->bodies[t->body_count];
	*body = (struct tmpl_body){ .name = mem_dup(name.at, name.len),
				    .line = 1,
				    .column = 1 };
	return t->body_count++;
}

static bool tag_partial(struct compiler *c, struct tag *tag)
{
	struct tmpl_node node = { .kind = TMPL_PARTIAL, .literal = tag->indent };

	if (tag->content_len > 0 && *tag->content == '*')
		return fail(c, &tag->place, "a partial's name cannot be dynamic");
	if (tag->content_len == 0 || tag->content_len > TMPL_NAME_MAX ||
	    memchr(tag->content, ' ', tag->content_len) != NULL ||
	    memchr(tag->content, '\0', tag->content_len) != NULL)
		return fail(c, &tag->place, "a partial needs one name of at most 200 bytes");
	node.text = (struct tmpl_text){ tag->content, tag->content_len };
	node.target = body_of(c->t, node.text);
	if (node.target == TMPL_BODIES_MAX)
		return fail(c, &tag->place, "more than 63 partials");
	return add_node(c, &node, &tag->place);
}

static bool set_delimiter(char to[TMPL_DELIMITER_MAX + 1], size_t *to_len, const char *at,
			  size_t len)
{
	if (len == 0 || len > TMPL_DELIMITER_MAX || memchr(at, '=', len) != NULL)
		return false;
	memcpy(to, at, len);
	to[len] = '\0';
	*to_len = len;
	return true;
}

static bool tag_delimiters(struct compiler *c, struct tag *tag)
{
	char *rest = tag->content;
	size_t rest_len = tag->content_len;
	struct tmpl_text open = split_name(&rest, &rest_len, "");
	struct tmpl_text close = split_name(&rest, &rest_len, "");

	if (rest_len > 0 || !set_delimiter(c->open, &c->open_len, open.at, open.len) ||
	    !set_delimiter(c->close, &c->close_len, close.at, close.len))
		return fail(c, &tag->place,
			    "delimiters are two words of 1 to 16 bytes without =: {{=<% %>=}}");
	return true;
}

static bool tag_unknown(struct compiler *c, struct tag *tag)
{
	return fail(c, &tag->place,
		    "blocks and parents (template inheritance) are not supported");
}

static const struct tag_kind {
	char sigil;
	bool alone; /* takes its line with it when nothing else stands there */
	bool (*read)(struct compiler *c, struct tag *tag);
} tag_kinds[] = {
	{ '#', true, tag_section },  { '^', true, tag_section }, { '/', true, tag_close },
	{ '!', true, tag_comment },  { '>', true, tag_partial }, { '=', true, tag_delimiters },
	{ '&', false, tag_value },   { '{', false, tag_value },  { '$', false, tag_unknown },
	{ '<', false, tag_unknown },
};
static const struct tag_kind plain_kind = { 0, false, tag_value };

static const struct tag_kind *kind_of(char sigil)
{
	for (size_t i = 0; i < ARRAY_LEN(tag_kinds); i++)
		if (tag_kinds[i].sigil == sigil)
			return &tag_kinds[i];
	return &plain_kind;
}

/* ---- the scan ---------------------------------------------------------------------------- */

/* Finds where the tag at tag->place ends, and what it holds. */
static bool read_tag(struct compiler *c, struct tag *tag)
{
	size_t from = tag->place.at + c->open_len;
	size_t skip = from;
	char closer[TMPL_DELIMITER_MAX + 2];
	size_t closer_len = 0;
	const char *end;

	/* White space may precede the sigil, save those that pair with the closing delimiter. */
	while (skip < c->len && is_space(c->text[skip]))
		skip++;
	tag->sigil = skip < c->len ? kind_of(c->text[skip])->sigil : 0;
	if (skip > from && (tag->sigil == '{' || tag->sigil == '='))
		tag->sigil = 0;
	if (tag->sigil != 0)
		from = skip + 1;
	if (tag->sigil == '{' || tag->sigil == '=')
		closer[closer_len++] = tag->sigil == '{' ? '}' : '=';
	memcpy(closer + closer_len, c->close, c->close_len);
	closer_len += c->close_len;
	end = from <= c->len ? memmem(c->text + from, c->len - from, closer, closer_len) : NULL;
	if (end == NULL) {
		err_set(c->err, "a tag that is not closed: no %.*s follows", (int)closer_len,
			closer);
		return fail_at(c, &tag->place);
	}
	tag->content = c->text + from;
	tag->content_len = (size_t)(end - tag->content);
	tag->end = from + tag->content_len + closer_len;
	trim(&tag->content, &tag->content_len);
	return true;
}

/* Alone on its line: sets the indent and moves tag->end past the line. */
static void find_standalone(struct compiler *c, struct tag *tag)
{
	size_t start = tag->place.at, end = tag->end;

	while (start > 0 && is_blank(c->text[start - 1]))
		start--;
	while (end < c->len && is_blank(c->text[end]))
		end++;
	if (end < c->len && c->text[end] == '\r' && end + 1 < c->len &&
	    c->text[end + 1] == '\n')
		end++;
	if (!starts_line(c, start) || (end < c->len && c->text[end] != '\n'))
		return;
	tag->standalone = true;
	tag->indent = (struct tmpl_text){ c->text + start, tag->place.at - start };
	tag->end = end < c->len ? end + 1 : end;
}

static bool next_tag(struct compiler *c, const char *found)
{
	struct tag tag = { .place = place_after(c, c->here, (size_t)(found - c->text)) };
	const struct tag_kind *kind;

	if (!read_tag(c, &tag))
		return false;
	kind = kind_of(tag.sigil);
	if (kind->alone)
		find_standalone(c, &tag);
	if (!add_text(c, tag.place.at - tag.indent.len) || !add_line_start(c, &tag))
		return false;
	c->here = place_after(c, tag.place, tag.end);
	return kind->read(c, &tag);
}

static const char *next_open(const struct compiler *c)
{
	return memmem(c->text + c->here.at, c->len - c->here.at, c->open, c->open_len);
}

static bool fail_as_text(struct compiler *c)
{
	size_t at = 0, step;

	while ((step = utf8_len(c->text + at, c->len - at)) > 0)
		at += step;

	struct place place = place_after(c, c->here, at);

	return fail(c, &place, "not UTF-8");
}

static bool compile_text(struct compiler *c)
{
	const char *found;

	if (!utf8_valid(c->text, c->len))
		return fail_as_text(c);
	while ((found = next_open(c)) != NULL)
		if (!next_tag(c, found))
			return false;
	if (!add_text(c, c->len))
		return false;
	if (c->section_count == 0)
		return true;

	const struct section *section = &c->sections[c->section_count - 1];
	const struct tmpl_node *open = &c->t->nodes[section->node];

	err_set(c->err, "{{%c%.*s}} is not closed", sigil_of(open), (int)open->text.len,
		open->text.at);
	return fail_at(c, &section->place);
}

bool tmpl_compile(struct tmpl *t, uint32_t body, struct err *err)
{
	struct tmpl_body *b = &t->bodies[body];
	const struct place start = { .line = (uint32_t)b->line,
				     .column = (uint32_t)b->column - 1 };
	struct compiler c = { .t = t, .body = body, .here = start, .err = err };

	b->first = t->node_count;
	b->end = t->node_count;
	if (b->len > TMPL_TEXT_MAX)
		return err_set(err, "%s: larger than 1 MiB", tmpl_file(t, body));
	if (b->text == NULL)
		return true;
	c.text = b->text;
	c.len = b->len;
	if (!set_delimiter(c.open, &c.open_len, "{{", 2) ||
	    !set_delimiter(c.close, &c.close_len, "}}", 2))
		BUG("the usual delimiters");
	if (!compile_text(&c))
		return false;
	b->end = t->node_count;
	return true;
}
