/*
 * overlap: by trying values.
 *
 * Matchers of one field divide its values into a few regions, bounded by what they compare with.
 * So it is enough to try each of those values, what lies just beside it, the same written in
 * another way, and some that no matcher names. Patterns divide differently: they are left out
 * of what a value must fit, unless one value is all that is left (`type = a` and `type !~ a`).
 *
 * Trying takes some microseconds, and a thousand routes are half a million pairs; so what is plain
 * (most differ in a literal) is seen before.
 */
#include "model/overlap.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/event.h"

/* Values to try: of one field, for some matchers. */
struct trials {
	const char *field;
	const char *const *sources;
	struct sight *list;
	char **made; /* owned texts */
	size_t count, made_count;
};

/* ---- values ---- */

static void try_value(struct trials *t, enum value_kind kind, const char *text)
{
	t->list = mem_resize(t->list, t->count + 1, sizeof(*t->list));
	matcher_see_text(kind, text, strlen(text), &t->list[t->count++]);
}

static void try_made(struct trials *t, enum value_kind kind, char *text)
{
	t->made = mem_resize(t->made, t->made_count + 1, sizeof(*t->made));
	t->made[t->made_count++] = text;
	try_value(t, kind, text);
}

static void try_number(struct trials *t, double number)
{
	try_made(t, VALUE_NUMBER, mem_printf("%.17g", number));
	try_made(t, VALUE_TEXT, mem_printf("%.17g", number));
}

static void try_time(struct trials *t, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	clock_iso(at, true, text);
	try_made(t, VALUE_TEXT, mem_strdup(text));
}

/* As near as a double can tell apart. */
static double step_of(double number)
{
	return (number < 0 ? -number : number) * 4e-16 + 1e-300;
}

/* The value itself, its neighbours, and itself in other words. */
static void try_around(struct trials *t, const struct operand *o)
{
	try_value(t, VALUE_TEXT, o->text);
	if (o->is_number) {
		try_value(t, VALUE_NUMBER, o->text);
		try_number(t, o->number);
		try_number(t, o->number - step_of(o->number));
		try_number(t, o->number + step_of(o->number));
		if (strpbrk(o->text, ".eE") == NULL)
			try_made(t, VALUE_TEXT, mem_printf("%s.0", o->text));
	}
	for (int step = -1; o->is_time && step <= 1; step++)
		try_time(t, o->time + step);
}

static void try_list(struct trials *t, const char *const *values)
{
	for (; *values != NULL; values++)
		try_value(t, VALUE_TEXT, *values);
}

static void try_events(struct trials *t)
{
	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		try_value(t, VALUE_TEXT, event_kind_name((enum event_kind)i));
}

static bool is_limited(const char *field)
{
	return strcmp(field, "event") == 0 || strcmp(field, "first") == 0 ||
	       strcmp(field, "source") == 0;
}

/* Of a field that has no other values. */
static void try_limited(struct trials *t)
{
	static const char *const truths[] = { "true", "false", NULL };

	if (strcmp(t->field, "event") == 0)
		try_events(t);
	else
		try_list(t, strcmp(t->field, "first") == 0 ? truths : t->sources);
}

static bool is_of(const struct matcher *m, const char *field)
{
	return strcmp(matcher_field(m), field) == 0;
}

static void try_all(struct trials *t, struct matchers a, struct matchers b)
{
	/* Missing, each severity, one that is unknown, and a text that nobody names. */
	static const char *const common[] = { "",         "low",        "medium", "high",
					      "critical", "\x1unknown", NULL };

	if (is_limited(t->field)) {
		try_limited(t);
		return;
	}
	try_list(t, common);
	for (size_t i = 0; i < a.count; i++)
		if (is_of(a.list[i], t->field))
			try_around(t, matcher_operand(a.list[i]));
	for (size_t i = 0; i < b.count; i++)
		if (is_of(b.list[i], t->field))
			try_around(t, matcher_operand(b.list[i]));
}

static void trials_release(struct trials *t)
{
	for (size_t i = 0; i < t->made_count; i++)
		mem_free(&t->made[i]);
	mem_free(&t->made);
	mem_free(&t->list);
}

/* ---- does a value fit? ---- */

static bool is_pattern(const struct matcher *m)
{
	return matcher_op(m) == OP_MATCH || matcher_op(m) == OP_NO_MATCH;
}

static bool is_literal(const struct matcher *m)
{
	return matcher_op(m) == OP_EQ && matcher_is_of_bytes(m);
}

/* The matcher `field = text`: one value is all there is, and patterns can be asked of it. */
static const struct matcher *pin_of(struct matchers m, const char *field)
{
	for (size_t i = 0; i < m.count; i++)
		if (is_of(m.list[i], field) && is_literal(m.list[i]))
			return m.list[i];
	return NULL;
}

static bool fits(struct matchers m, const char *field, struct sight *s, bool with_patterns)
{
	for (size_t i = 0; i < m.count; i++)
		if (is_of(m.list[i], field) && (with_patterns || !is_pattern(m.list[i])) &&
		    !matcher_holds(m.list[i], s))
			return false;
	return true;
}

enum guess { NO, MAYBE, YES };

static size_t count_of(struct matchers m, const char *field)
{
	size_t count = 0;

	for (size_t i = 0; i < m.count; i++)
		count += is_of(m.list[i], field);
	return count;
}

/* Is there a value of the field that fits both? */
static enum guess guess_meets(struct matchers a, struct matchers b, const char *field)
{
	const struct matcher *in_a = pin_of(a, field), *in_b = pin_of(b, field);

	if (in_a != NULL && in_b != NULL && !matcher_is_same(in_a, in_b))
		return NO;
	bool alone = count_of(a, field) + count_of(b, field) == 1;

	return alone && in_a != NULL && !is_limited(field) ? YES : MAYBE;
}

static bool find_value(struct overlap *o, struct matchers a, struct matchers b,
		       const char *field)
{
	struct trials t = { .field = field, .sources = o->sources };
	bool with_patterns = pin_of(a, field) != NULL || pin_of(b, field) != NULL;
	bool meets = false;

	o->tries--;
	try_all(&t, a, b);
	for (size_t i = 0; i < t.count && !meets; i++)
		meets = fits(a, field, &t.list[i], with_patterns) &&
			fits(b, field, &t.list[i], with_patterns);
	trials_release(&t);
	return meets;
}

const char *overlap_impossible(struct overlap *o, struct matchers m)
{
	const struct matchers none = { .count = 0 };

	for (size_t i = 0; i < m.count && o->tries > 0; i++) {
		const char *field = matcher_field(m.list[i]);

		if (guess_meets(m, none, field) != YES && !find_value(o, m, none, field))
			return field;
	}
	return NULL;
}

bool overlap_meet(struct overlap *o, struct matchers a, struct matchers b)
{
	for (size_t i = 0; i < a.count; i++)
		if (guess_meets(a, b, matcher_field(a.list[i])) == NO)
			return false;
	for (size_t i = 0; i < a.count; i++) {
		const char *field = matcher_field(a.list[i]);

		if (count_of(b, field) > 0 && (o->tries == 0 || !find_value(o, a, b, field)))
			return false;
	}
	return o->tries > 0;
}

/* ---- does one follow from others? ---- */

static enum guess guess_follows(const struct matcher *m, struct matchers from)
{
	const char *field = matcher_field(m);
	bool is_pinned = pin_of(from, field) != NULL;

	for (size_t i = 0; i < from.count; i++)
		if (matcher_is_same(from.list[i], m))
			return YES;
	if (is_pattern(m))
		return is_pinned ? MAYBE : NO;
	if (is_literal(m) && (is_pinned || count_of(from, field) == 0))
		return is_limited(field) ? MAYBE : NO;
	return MAYBE;
}

static bool follows(struct overlap *o, struct matchers one, struct matchers from)
{
	struct trials t = { .field = matcher_field(one.list[0]), .sources = o->sources };
	bool with_patterns = pin_of(from, t.field) != NULL, ok = true;

	o->tries--;
	try_all(&t, from, one);
	for (size_t i = 0; i < t.count && ok; i++)
		ok = !fits(from, t.field, &t.list[i], with_patterns) ||
		     matcher_holds(one.list[0], &t.list[i]);
	trials_release(&t);
	return ok;
}

bool overlap_covers(struct overlap *o, struct matchers a, struct matchers b)
{
	for (size_t i = 0; i < a.count; i++)
		if (guess_follows(a.list[i], b) == NO)
			return false;
	for (size_t i = 0; i < a.count; i++)
		if (guess_follows(a.list[i], b) == MAYBE &&
		    (o->tries == 0 || !follows(o, (struct matchers){ &a.list[i], 1 }, b)))
			return false;
	return true;
}
