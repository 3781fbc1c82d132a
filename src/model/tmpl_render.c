/*
 * tmpl_render: nodes and values into bytes.
 *
 * A rendering walks ranges of nodes: a body, or what a section holds. The context is a chain of
 * values on the C stack, innermost first; a name is looked for along it by its first part, and
 * the other parts only in what that found.
 *
 * Neither a template nor the data it meets can hold the loop or the memory: the chain is at most
 * TMPL_DEPTH_MAX long, the output ends where its buffer does, what filters make is bounded, and
 * work is counted: a node costs one, a look-up in an object one for each member that may have to
 * be compared, a filter one for some bytes. A digest of a hundred alerts costs about 50,000.
 *
 * Nothing is allocated but the output, and the scratch of the filters where there are any.
 */
#include <string.h>

#include "base/esc.h"
#include "model/json.h"
#include "model/tmpl_parts.h"

enum {
	WORK_MAX = 4 << 20, /* some ten milliseconds */
	WORK_BYTES = 16,    /* of a filter's text, for one unit */
	SEEN_BITS = 64,
};

struct context {
	const struct value *value;
	const struct context *up;
};

/* The indentation of the partials that are being rendered, innermost first. */
struct indent {
	struct tmpl_text text;
	const struct indent *up;
};

struct render {
	const struct tmpl *t;
	struct buf *out;
	const struct tmpl_report *report;
	struct err *err;
	const struct indent *indent;
	size_t work;
	size_t depth, partial_depth;
	struct buf scratch[2]; /* filters write them in turn */
	uint64_t *seen;        /* a bit a node: reported; NULL without a report */
	/* The longest piece of the output that is JSON by itself: an alert's own bytes, which were
	 * read before. It is most of what a webhook sends, and need not be read again. */
	size_t sound_at, sound_len;
	/* Where it is: the node, and how long the output was before it. */
	const struct tmpl_node *at;
	size_t at_len;
};

static bool render_range(struct render *r, uint32_t from, uint32_t end,
			 const struct context *ctx);

static bool fail(struct render *r, const struct tmpl_node *node, const char *reason)
{
	return err_set(r->err, "%s:%u:%u: %s", tmpl_file(r->t, node->body), node->line,
		       node->column, reason);
}

/* ---- looking up -------------------------------------------------------------------------- */

static size_t cost_of(const struct value *v)
{
	if (v->kind == VALUE_JSON)
		return 1 + json_count(v->json);
	if (v->kind == VALUE_FACTS && v->facts->alert != NULL)
		return 1 + json_count(json_root(v->facts->alert->json));
	return 1;
}

/* The rest of a dotted name, within what its first part found. */
static bool look_within(struct render *r, const char *path, size_t len, struct value *v)
{
	for (;;) {
		const char *dot = memchr(path, '.', len);
		size_t step = dot != NULL ? (size_t)(dot - path) : len;

		r->work += cost_of(v);
		if (!value_get(v, path, step, v))
			return false;
		if (dot == NULL)
			return true;
		path = dot + 1;
		len -= step + 1;
	}
}

/* Where the name's value is (in *store, or in the context), or NULL: nothing has that name. */
static const struct value *look_up(struct render *r, struct tmpl_text name,
				   const struct fact_name *first, const struct context *ctx,
				   struct value *store)
{
	if (name.len == 1 && *name.at == '.')
		return ctx->value;
	for (; ctx != NULL; ctx = ctx->up) {
		r->work += cost_of(ctx->value);
		if (!value_named(ctx->value, first, store))
			continue;
		if (first->len == name.len ||
		    look_within(r, name.at + first->len + 1, name.len - first->len - 1, store))
			return store;
		return NULL;
	}
	return NULL;
}

static const struct value *look_up_node(struct render *r, const struct tmpl_node *node,
					const struct context *ctx, struct value *store)
{
	return look_up(r, node->text, &node->first, ctx, store);
}

/* ---- texts and values -------------------------------------------------------------------- */

static bool add_indent(struct buf *out, const struct indent *indent)
{
	if (indent == NULL)
		return true;
	return add_indent(out, indent->up) && buf_add(out, indent->text.at, indent->text.len);
}

/* A partial's text, each line that begins in it behind the indentation. */
static bool add_indented(struct render *r, const struct tmpl_node *node)
{
	const char *at = node->text.at;
	const char *end = at + node->text.len;

	if (node->line_start && !add_indent(r->out, r->indent))
		return false;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		r->work++;
		if (!buf_add(r->out, at, (size_t)(next - at)))
			return false;
		if (next < end && !add_indent(r->out, r->indent))
			return false;
		at = next;
	}
	return true;
}

static bool render_text(struct render *r, const struct tmpl_node *node)
{
	if (r->indent != NULL)
		return add_indented(r, node);
	return buf_add(r->out, node->text.at, node->text.len);
}

/* Once for a node of this rendering, however often a section comes by it. */
static void report_missing(struct render *r, const struct tmpl_node *node)
{
	size_t i = (size_t)(node - r->t->nodes);
	uint64_t bit = (uint64_t)1 << (i % SEEN_BITS);
	char name[TMPL_NAME_MAX + 1];

	if (r->seen == NULL || (r->seen[i / SEEN_BITS] & bit) != 0)
		return;
	r->seen[i / SEEN_BITS] |= bit;
	memcpy(name, node->text.at, node->text.len);
	name[node->text.len] = '\0';
	r->report->missing(r->report->arg, tmpl_file(r->t, node->body), (int)node->line, name);
}

static bool in_scratch(const struct render *r, size_t i, const char *text)
{
	const struct buf *b = &r->scratch[i];

	return text >= b->data && text <= b->data + b->len;
}

static struct buf *free_scratch(struct render *r, const struct value *v)
{
	return &r->scratch[in_scratch(r, 0, v->text) ? 1 : 0];
}

static bool make_text(struct render *r, struct value *v)
{
	static const struct tmpl_filter as_json = { .kind = TMPL_JSON };

	return tmpl_filter_apply(&as_json, v, NULL, free_scratch(r, v));
}

static bool apply_filters(struct render *r, const struct tmpl_node *node,
			  const struct context *ctx, struct value *v)
{
	for (uint32_t i = 0; i < node->filter_count; i++) {
		const struct tmpl_filter *f = &r->t->filters[node->filters + i];
		struct value store = { .kind = VALUE_MISSING, .text = "" };
		const struct value *other = &store;

		if (!tmpl_filter_takes(f, v) && !make_text(r, v))
			return false;
		if (f->by_name) {
			other = look_up(r, f->word, &f->first, ctx, &store);
			if (other == NULL)
				other = &store;
		}
		r->work += 1 + v->len / WORK_BYTES;
		if (!tmpl_filter_apply(f, v, other, free_scratch(r, v)))
			return false;
		r->work += v->len / WORK_BYTES;
	}
	return true;
}

/* Takes over a value from a context; its text may lie in the scratch that it carries. */
static void copy_value(const struct value *from, struct value *to)
{
	*to = *from;
	if (from->text == from->scratch)
		to->text = to->scratch;
}

static bool has_default(const struct render *r, const struct tmpl_node *node)
{
	for (uint32_t i = 0; i < node->filter_count; i++)
		if (r->t->filters[node->filters + i].kind == TMPL_DEFAULT)
			return true;
	return false;
}

/* Is the text of v, after its filters, JSON that stands for itself? */
static bool is_json(const struct render *r, const struct tmpl_node *node, const struct value *v)
{
	if (node->filter_count == 0 || v->kind == VALUE_RAW)
		return v->kind == VALUE_RAW;
	return r->t->filters[node->filters + node->filter_count - 1].kind == TMPL_JSON;
}

/* What was written of v since the output's byte `from`. Where an escape changed it, it is another
 * text than was read before. */
static void note_sound(struct render *r, const struct tmpl_node *node, const struct value *v,
		       size_t from)
{
	if (v->kind != VALUE_RAW || node->filter_count > 0 || v->len <= r->sound_len ||
	    r->out->len - from != v->len)
		return;
	r->sound_at = from;
	r->sound_len = v->len;
}

static bool render_value(struct render *r, const struct tmpl_node *node,
			 const struct context *ctx)
{
	struct value v = { .kind = VALUE_MISSING, .text = "" };
	const struct value *found = look_up_node(r, node, ctx, &v);

	if (found == NULL && !has_default(r, node))
		report_missing(r, node);
	if (found != NULL && found != &v)
		copy_value(found, &v);
	if (!apply_filters(r, node, ctx, &v) || (!tmpl_has_text(&v) && !make_text(r, &v)))
		return fail(r, node, "a filter's result is larger than 4 MiB");
	size_t from = r->out->len;
	tmpl_escape *escape = is_json(r, node, &v) ? r->t->markup : r->t->escape;
	bool fits = (node->verbatim ? esc_none : escape)(r->out, v.text, v.len);

	note_sound(r, node, &v, from);
	return fits;
}

/* ---- sections ---------------------------------------------------------------------------- */

static bool render_inner(struct render *r, const struct tmpl_node *node,
			 const struct value *value, const struct context *up)
{
	struct context ctx = { .value = value, .up = up };

	return render_range(r, (uint32_t)(node - r->t->nodes) + 1, node->end,
			    value != NULL ? &ctx : up);
}

static bool render_list(struct render *r, const struct tmpl_node *node,
			const struct value *list, const struct context *ctx)
{
	struct value item;

	for (size_t i = 0; value_at(list, i, &item); i++)
		if (!render_inner(r, node, &item, ctx))
			return false;
	return true;
}

/* As render_list(), without counting to each member from the first. */
static bool render_array(struct render *r, const struct tmpl_node *node,
			 const struct value *array, const struct context *ctx)
{
	const struct json_value *j = json_first(array->json);
	struct value item;

	for (; j != NULL; j = json_next(j)) {
		value_of_json(array->doc, j, &item);
		if (!render_inner(r, node, &item, ctx))
			return false;
	}
	return true;
}

static bool render_section(struct render *r, const struct tmpl_node *node,
			   const struct context *ctx)
{
	struct value store;
	const struct value *v = look_up_node(r, node, ctx, &store);
	bool truth = v != NULL && value_is_true(v);

	if (node->kind == TMPL_INVERTED)
		return truth || render_inner(r, node, NULL, ctx);
	if (!truth)
		return true;
	if (v->kind == VALUE_LIST)
		return render_list(r, node, v, ctx);
	if (v->kind == VALUE_JSON && json_kind(v->json) == JSON_ARRAY)
		return render_array(r, node, v, ctx);
	return render_inner(r, node, v, ctx);
}

/* A missing name equals the empty word, as in matchers. */
static bool render_equal(struct render *r, const struct tmpl_node *node,
			 const struct context *ctx)
{
	struct value store;
	const struct value *v = look_up_node(r, node, ctx, &store);
	bool equal;

	if (v == NULL)
		equal = node->literal.len == 0;
	else
		equal = tmpl_has_text(v) && v->len == node->literal.len &&
			memcmp(v->text, node->literal.at, v->len) == 0;
	return equal != (node->kind == TMPL_EQUAL) || render_inner(r, node, NULL, ctx);
}

static bool render_partial(struct render *r, const struct tmpl_node *node,
			   const struct context *ctx)
{
	const struct tmpl_body *body = &r->t->bodies[node->target];
	const struct indent *outer = r->indent;
	struct indent indent = { .text = node->literal, .up = outer };
	bool ok;

	if (r->partial_depth == TMPL_PARTIAL_DEPTH_MAX)
		return fail(r, node,
			    "partials more than 32 deep: one that names itself never ends");
	if (indent.text.len > 0)
		r->indent = &indent;
	r->partial_depth++;
	ok = render_range(r, body->first, body->end, ctx);
	r->partial_depth--;
	r->indent = outer;
	return ok;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static bool render_node(struct render *r, const struct tmpl_node *node,
			const struct context *ctx)
{
	switch (node->kind) {
	case TMPL_TEXT: return render_text(r, node);
	case TMPL_VALUE: return render_value(r, node, ctx);
	case TMPL_SECTION:
	case TMPL_INVERTED: return render_section(r, node, ctx);
	case TMPL_EQUAL:
	case TMPL_UNEQUAL: return render_equal(r, node, ctx);
	case TMPL_PARTIAL: return render_partial(r, node, ctx);
	}
	BUG("a node of kind %d", (int)node->kind);
}

static bool render_range(struct render *r, uint32_t from, uint32_t end,
			 const struct context *ctx)
{
	bool ok = true;

	r->work++;
	if (r->depth == TMPL_DEPTH_MAX)
		return fail(r, r->at, "sections and partials more than 128 deep");
	r->depth++;
	while (ok && from < end) {
		const struct tmpl_node *node = &r->t->nodes[from];

		r->at = node;
		r->at_len = r->out->len;
		ok = ++r->work <= WORK_MAX ||
		     fail(r, node, "more work than one message is worth");
		ok = ok && render_node(r, node, ctx);
		from = node->end > from ? node->end : from + 1;
	}
	r->depth--;
	return ok;
}

static bool walk(struct render *r, const struct value *root)
{
	const struct context ctx = { .value = root };
	bool ok;

	buf_init(&r->scratch[0], TMPL_SCRATCH_MAX);
	buf_init(&r->scratch[1], TMPL_SCRATCH_MAX);
	ok = render_range(r, r->t->bodies[0].first, r->t->bodies[0].end, &ctx);
	buf_release(&r->scratch[0]);
	buf_release(&r->scratch[1]);
	return ok;
}

/* ---- what went wrong, and where ---------------------------------------------------------- */

/* Puts the place of the output's byte `at`, which r->at wrote, before the reason. */
static bool fail_at_byte(struct render *r, size_t at)
{
	const struct tmpl_node *node = r->at;
	struct tmpl_node place;
	char reason[ERR_TEXT_MAX];

	if (node == NULL) /* an empty template */
		return err_prefix(r->err, "%s:%d:%d", tmpl_file(r->t, 0), r->t->bodies[0].line,
				  r->t->bodies[0].column);
	place = *node;
	for (size_t i = 0; node->kind == TMPL_TEXT && i < node->text.len; i++) {
		if (r->at_len + i >= at)
			break;
		if (node->text.at[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)node->text.at[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	memcpy(reason, r->err->text, sizeof(reason));
	return fail(r, &place, reason);
}

/*
 * The rendering is not JSON from its byte `at` on. Which node wrote that is found by rendering
 * again into a buffer that ends there.
 */
static bool fail_as_json(const struct render *r, const struct value *root, size_t at)
{
	struct render again = { .t = r->t, .err = r->err };
	char reason[ERR_TEXT_MAX];
	struct buf out;

	memcpy(reason, r->err->text, sizeof(reason));
	buf_init(&out, at);
	again.out = &out;
	if (walk(&again, root) || !out.overflow)
		at = SIZE_MAX; /* it ends too early: that is the last node's end */
	err_set(r->err, "the rendering is %s", reason);
	fail_at_byte(&again, at);
	buf_release(&out);
	return false;
}

static bool finish(struct render *r, const struct value *root, bool ok, size_t start)
{
	const struct buf *out = r->out;
	const struct json_span sound = { out->data + r->sound_at, r->sound_len };
	size_t at;

	if (out->overflow) {
		err_set(r->err, "larger than %zu bytes", out->max_len);
		return fail_at_byte(r, out->max_len);
	}
	if (!ok || !r->t->is_json ||
	    json_check_at(out->data + start, out->len - start, sound, &at, r->err))
		return ok;
	return fail_as_json(r, root, at);
}

bool tmpl_render(const struct tmpl *t, const struct value *root, struct buf *out,
		 const struct tmpl_report *report, struct err *err)
{
	uint64_t seen[TMPL_NODES_MAX / SEEN_BITS];
	struct err unread;
	struct render r = {
		.t = t, .out = out, .report = report, .err = err != NULL ? err : &unread
	};
	size_t start = out->len;

	if (report != NULL) {
		memset(seen, 0, (t->node_count + SEEN_BITS - 1) / SEEN_BITS * sizeof(*seen));
		r.seen = seen;
	}
	return finish(&r, root, walk(&r, root), start);
}
