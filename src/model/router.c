/*
 * router: most routes are ruled out without being looked at.
 *
 * All matchers are sorted once, by field. What remains to do for an alert:
 *
 *   1 each field that is compared with literals (`type = budget_exceeded`, `user_id != u1`) is
 *     looked up once, and its value among the literals. That tells at a stroke which routes are
 *     still possible: of those that want one value of this field, the ones that want this one,
 *     and none that refuses it. Routes are bits, so a thousand of them are 16 words.
 *   2 the possible routes are asked in order, until one ends the search: only what is no literal
 *     is left to ask (numbers, times, severities, patterns), each question once an alert however
 *     many routes ask it, and patterns last.
 *
 * The routes of a literal are bits where that is shorter than their numbers, so a router takes
 * about as much room as its matchers, and never more than a few bytes each.
 */
#include "model/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { WORD_BITS = 64 };

/* Some of the routes: their numbers, or bits in their place. */
struct crowd {
	uint32_t *list;
	size_t count;
	uint64_t *bits; /* NULL: the list it is */
};

struct literal {
	const char *text; /* borrowed from a matcher */
	size_t len;
	struct crowd is, is_not; /* routes that want this value, or refuse it */
};

struct field {
	const char *name; /* borrowed from a matcher */
	struct literal *literals;
	size_t literal_count;
	uint64_t *bound; /* routes that want one value of it: in some literal's `is` */
	struct sight sight;
	bool is_seen; /* sight is of this alert */
};

enum answer { UNASKED, HELD, FAILED };

/* A matcher that is asked, on behalf of all the same ones. */
struct test {
	const struct matcher *m;
	size_t field;
	bool is_told; /* that it was cut */
};

struct todo {
	uint32_t *tests; /* patterns last */
	size_t count;
};

struct router {
	const struct route *routes;
	size_t count, word_count;
	struct field *fields;
	size_t field_count;
	struct test *tests;
	unsigned char *answers; /* enum answer, one a test */
	size_t test_count;
	struct todo *todo;            /* one a route */
	uint64_t *possible, *scratch; /* bits of routes */
	const struct matcher *cut;
};

static bool has_bit(const uint64_t *bits, size_t n)
{
	return (bits[n / WORD_BITS] >> n % WORD_BITS & 1) != 0;
}

static void set_bit(uint64_t *bits, size_t n)
{
	bits[n / WORD_BITS] |= UINT64_C(1) << n % WORD_BITS;
}

/* ---- making it: matchers in the order of their fields and values ---- */

struct use {
	const struct matcher *m;
	uint32_t route;
};

static int order_of_text(const struct operand *a, const struct operand *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->text, b->text, a->len);
}

/* By field; then literals before tests; then by value, by operator, and by route. */
static int order_of_uses(const void *left, const void *right)
{
	const struct use *a = left, *b = right;
	int order = strcmp(matcher_field(a->m), matcher_field(b->m));

	if (order == 0)
		order = matcher_is_of_bytes(b->m) - matcher_is_of_bytes(a->m);
	if (order == 0)
		order = order_of_text(matcher_operand(a->m), matcher_operand(b->m));
	if (order == 0)
		order = (int)matcher_op(a->m) - (int)matcher_op(b->m);
	if (order == 0)
		order = a->route < b->route ? -1 : a->route > b->route;
	return order;
}

static struct use *gather_uses(const struct router *r, size_t *count)
{
	size_t n = 0;

	*count = 0;
	for (size_t i = 0; i < r->count; i++)
		*count += r->routes[i].match_count;
	struct use *uses = mem_array(*count, sizeof(*uses));

	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->routes[i].match_count; k++)
			uses[n++] = (struct use){ r->routes[i].match[k], (uint32_t)i };
	qsort(uses, *count, sizeof(*uses), order_of_uses);
	return uses;
}

static struct field *take_field(struct router *r, const struct use *use)
{
	const char *name = matcher_field(use->m);
	struct field *last = r->field_count > 0 ? &r->fields[r->field_count - 1] : NULL;

	if (last != NULL && strcmp(last->name, name) == 0)
		return last;
	r->fields = mem_resize(r->fields, r->field_count + 1, sizeof(*r->fields));
	last = &r->fields[r->field_count++];
	memset(last, 0, sizeof(*last));
	last->name = name;
	last->bound = mem_array(r->word_count, sizeof(*last->bound));
	return last;
}

static void add_test(struct router *r, const struct use *use)
{
	struct todo *todo = &r->todo[use->route];

	if (r->test_count == 0 || !matcher_is_same(r->tests[r->test_count - 1].m, use->m)) {
		r->tests = mem_resize(r->tests, r->test_count + 1, sizeof(*r->tests));
		r->tests[r->test_count++] =
			(struct test){ .m = use->m, .field = r->field_count - 1 };
	}
	todo->tests = mem_resize(todo->tests, todo->count + 1, sizeof(*todo->tests));
	todo->tests[todo->count++] = (uint32_t)(r->test_count - 1);
}

static struct literal *take_literal(struct field *f, const struct use *use)
{
	const struct operand *value = matcher_operand(use->m);
	struct literal *last = f->literal_count > 0 ? &f->literals[f->literal_count - 1] : NULL;

	if (last != NULL && last->len == value->len &&
	    memcmp(last->text, value->text, value->len) == 0)
		return last;
	f->literals = mem_resize(f->literals, f->literal_count + 1, sizeof(*f->literals));
	last = &f->literals[f->literal_count++];
	*last = (struct literal){ .text = value->text, .len = value->len };
	return last;
}

static void crowd_add(struct crowd *c, uint32_t route)
{
	if (c->count > 0 && c->list[c->count - 1] == route)
		return;
	c->list = mem_resize(c->list, c->count + 1, sizeof(*c->list));
	c->list[c->count++] = route;
}

/* A second value that a route wants of one field is a test: only one can be told by bits. */
static void add_literal(struct router *r, struct field *f, const struct use *use)
{
	bool wants = matcher_op(use->m) == OP_EQ;
	struct literal *l = take_literal(f, use);
	struct crowd *c = wants ? &l->is : &l->is_not;
	bool is_again = c->count > 0 && c->list[c->count - 1] == use->route;

	if (wants && !is_again && has_bit(f->bound, use->route)) {
		add_test(r, use);
		return;
	}
	crowd_add(c, use->route);
	if (wants)
		set_bit(f->bound, use->route);
}

static void crowd_pack(const struct router *r, struct crowd *c)
{
	if (c->count * sizeof(*c->list) <= r->word_count * sizeof(*c->bits))
		return;
	c->bits = mem_array(r->word_count, sizeof(*c->bits));
	for (size_t i = 0; i < c->count; i++)
		set_bit(c->bits, c->list[i]);
	mem_free(&c->list);
}

static bool is_pattern(const struct matcher *m)
{
	return matcher_op(m) == OP_MATCH || matcher_op(m) == OP_NO_MATCH;
}

/* Patterns behind the rest, whose order stays. */
static void sort_todo(const struct router *r, struct todo *todo)
{
	uint32_t *sorted = mem_array(todo->count, sizeof(*sorted));
	size_t n = 0;

	for (int pattern = 0; pattern <= 1; pattern++)
		for (size_t i = 0; i < todo->count; i++)
			if (is_pattern(r->tests[todo->tests[i]].m) == (pattern == 1))
				sorted[n++] = todo->tests[i];
	mem_free(&todo->tests);
	todo->tests = sorted;
}

static void pack(struct router *r)
{
	for (size_t i = 0; i < r->field_count; i++)
		for (size_t k = 0; k < r->fields[i].literal_count; k++) {
			crowd_pack(r, &r->fields[i].literals[k].is);
			crowd_pack(r, &r->fields[i].literals[k].is_not);
		}
	for (size_t i = 0; i < r->count; i++)
		sort_todo(r, &r->todo[i]);
}

struct router *router_new(const struct route *routes, size_t count)
{
	struct router *r = mem_new(sizeof(*r));
	size_t use_count;

	r->routes = routes;
	r->count = count;
	r->word_count = (count + WORD_BITS - 1) / WORD_BITS;
	r->todo = mem_array(count, sizeof(*r->todo));
	r->possible = mem_array(r->word_count, sizeof(*r->possible));
	r->scratch = mem_array(r->word_count, sizeof(*r->scratch));
	struct use *uses = gather_uses(r, &use_count);

	for (size_t i = 0; i < use_count; i++) {
		struct field *f = take_field(r, &uses[i]);

		if (matcher_is_of_bytes(uses[i].m))
			add_literal(r, f, &uses[i]);
		else
			add_test(r, &uses[i]);
	}
	mem_free(&uses);
	r->answers = mem_array(r->test_count, sizeof(*r->answers));
	pack(r);
	return r;
}

static void crowd_release(struct crowd *c)
{
	mem_free(&c->list);
	mem_free(&c->bits);
}

static void field_release(struct field *f)
{
	for (size_t i = 0; i < f->literal_count; i++) {
		crowd_release(&f->literals[i].is);
		crowd_release(&f->literals[i].is_not);
	}
	mem_free(&f->literals);
	mem_free(&f->bound);
}

void router_free(struct router **router)
{
	struct router *r = *router;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->field_count; i++)
		field_release(&r->fields[i]);
	for (size_t i = 0; i < r->count; i++)
		mem_free(&r->todo[i].tests);
	mem_free(&r->fields);
	mem_free(&r->tests);
	mem_free(&r->answers);
	mem_free(&r->todo);
	mem_free(&r->possible);
	mem_free(&r->scratch);
	mem_free(router);
}

/* ---- asking it ---- */

static struct sight *see(struct field *f, const struct facts *facts)
{
	if (!f->is_seen)
		matcher_see(f->name, facts, &f->sight);
	f->is_seen = true;
	return &f->sight;
}

static const struct literal *find_literal(const struct field *f, const struct operand *value)
{
	size_t from = 0, to = f->literal_count;

	while (from < to) {
		const struct literal *l = &f->literals[from + (to - from) / 2];
		const struct operand text = { .text = l->text, .len = l->len };
		int order = order_of_text(value, &text);

		if (order == 0)
			return l;
		if (order < 0)
			to = (size_t)(l - f->literals);
		else
			from = (size_t)(l - f->literals) + 1;
	}
	return NULL;
}

/* possible &= not bound, or wanting this value. */
static void keep_wanting(struct router *r, const struct field *f, const struct crowd *wanting)
{
	static const struct crowd nobody = { .count = 0 };
	const struct crowd *c = wanting != NULL ? wanting : &nobody;

	for (size_t i = 0; i < r->word_count; i++)
		r->scratch[i] =
			r->possible[i] & (~f->bound[i] | (c->bits != NULL ? c->bits[i] : 0));
	for (size_t i = 0; c->bits == NULL && i < c->count; i++)
		if (has_bit(r->possible, c->list[i]))
			set_bit(r->scratch, c->list[i]);
	uint64_t *kept = r->scratch;

	r->scratch = r->possible;
	r->possible = kept;
}

static void drop_refusing(struct router *r, const struct crowd *refusing)
{
	for (size_t i = 0; refusing->bits != NULL && i < r->word_count; i++)
		r->possible[i] &= ~refusing->bits[i];
	for (size_t i = 0; refusing->bits == NULL && i < refusing->count; i++)
		r->possible[refusing->list[i] / WORD_BITS] &=
			~(UINT64_C(1) << refusing->list[i] % WORD_BITS);
}

static void rule_out(struct router *r, const struct facts *facts)
{
	for (size_t i = 0; i < r->count; i++)
		set_bit(r->possible, i);
	for (size_t i = 0; i < r->field_count; i++) {
		struct field *f = &r->fields[i];

		f->is_seen = false;
		if (f->literal_count == 0)
			continue;
		const struct literal *l = find_literal(f, &see(f, facts)->operand);

		keep_wanting(r, f, l != NULL ? &l->is : NULL);
		if (l != NULL)
			drop_refusing(r, &l->is_not);
	}
}

static bool ask(struct router *r, uint32_t number, const struct facts *facts)
{
	struct test *t = &r->tests[number];

	if (r->answers[number] == UNASKED) {
		bool holds = matcher_holds(t->m, see(&r->fields[t->field], facts));

		r->answers[number] = holds ? HELD : FAILED;
		if (!t->is_told && matcher_was_cut(t->m)) {
			t->is_told = true;
			r->cut = t->m;
		}
	}
	return r->answers[number] == HELD;
}

static bool passes(struct router *r, size_t route, const struct facts *facts)
{
	const struct todo *todo = &r->todo[route];

	for (size_t i = 0; i < todo->count; i++)
		if (!ask(r, todo->tests[i], facts))
			return false;
	return true;
}

size_t router_choose(struct router *r, const struct facts *facts, struct route_target *targets,
		     size_t sink_count)
{
	size_t count = 0;

	rule_out(r, facts);
	memset(r->answers, UNASKED, r->test_count);
	for (size_t w = 0; w < r->word_count; w++)
		for (uint64_t left = r->possible[w]; left != 0; left &= left - 1) {
			size_t i = w * WORD_BITS + (size_t)__builtin_ctzll(left);

			if (!passes(r, i, facts))
				continue;
			count = route_add_targets(r->routes, i, facts->event, targets, count,
						  sink_count);
			if (!r->routes[i].goes_on)
				return count;
		}
	return count;
}

const struct matcher *router_cut(struct router *r)
{
	const struct matcher *m = r->cut;

	r->cut = NULL;
	return m;
}
