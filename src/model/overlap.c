/*
 * overlap: by trying values.
 *
 * Matchers of one field divide its values into a few regions, bounded by what they compare with.
 * So it is enough to try each of those values, what lies just beside it, the same written in
 * another way, and some that no matcher names. Patterns divide differently: they are left out
 * of what a value must fit, unless one value is all that is left (`type = a` and `type !~ a`).
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

/* Some fields have no other values than these. True when t->field is one, and they are tried. */
static bool try_all_there_are(struct trials *t)
{
	static const char *const truths[] = { "true", "false", NULL };

	if (strcmp(t->field, "event") == 0)
		try_events(t);
	else if (strcmp(t->field, "first") == 0)
		try_list(t, truths);
	else if (strcmp(t->field, "source") == 0)
		try_list(t, t->sources);
	else
		return false;
	return true;
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

	if (try_all_there_are(t))
		return;
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

/* `field = text`: one value is all there is, and patterns can be asked of it. */
static bool pins(struct matchers m, const char *field)
{
	for (size_t i = 0; i < m.count; i++)
		if (is_of(m.list[i], field) && matcher_op(m.list[i]) == OP_EQ &&
		    matcher_is_of_bytes(m.list[i]))
			return true;
	return false;
}

static bool fits(struct matchers m, const char *field, struct sight *s, bool with_patterns)
{
	for (size_t i = 0; i < m.count; i++)
		if (is_of(m.list[i], field) && (with_patterns || !is_pattern(m.list[i])) &&
		    !matcher_holds(m.list[i], s))
			return false;
	return true;
}

/* Is there a value of the field that fits both? */
static bool field_meets(struct matchers a, struct matchers b, struct trials *t)
{
	bool with_patterns = pins(a, t->field) || pins(b, t->field);
	bool meets = false;

	try_all(t, a, b);
	for (size_t i = 0; i < t->count && !meets; i++)
		meets = fits(a, t->field, &t->list[i], with_patterns) &&
			fits(b, t->field, &t->list[i], with_patterns);
	trials_release(t);
	return meets;
}

/* The first field of a's matchers of which no value fits both. */
static const char *find_impossible(struct matchers a, struct matchers b,
				   const char *const *sources)
{
	for (size_t i = 0; i < a.count; i++) {
		struct trials t = { .field = matcher_field(a.list[i]), .sources = sources };

		if (!field_meets(a, b, &t))
			return matcher_field(a.list[i]);
	}
	return NULL;
}

const char *overlap_impossible(struct matchers m, const char *const *sources)
{
	return find_impossible(m, (struct matchers){ .count = 0 }, sources);
}

bool overlap_meet(struct matchers a, struct matchers b, const char *const *sources)
{
	return find_impossible(a, b, sources) == NULL && find_impossible(b, a, sources) == NULL;
}

/* ---- does one follow from others? ---- */

enum guess { NO, MAYBE, YES };

/* What can be said without trying: most pairs of routes differ in a literal. */
static enum guess guess_follows(const struct matcher *m, struct matchers from)
{
	bool is_literal = matcher_op(m) == OP_EQ && matcher_is_of_bytes(m);
	bool is_named = false, is_pinned = false;

	for (size_t i = 0; i < from.count; i++) {
		const struct matcher *f = from.list[i];

		if (!is_of(f, matcher_field(m)))
			continue;
		if (matcher_is_same(f, m))
			return YES;
		is_named = true;
		is_pinned |= matcher_op(f) == OP_EQ && matcher_is_of_bytes(f);
	}
	if (is_literal && is_pinned)
		return NO;
	if (is_pattern(m))
		return is_pinned ? MAYBE : NO;
	return is_named || !is_literal ? MAYBE : NO;
}

static bool follows(struct matchers one, struct matchers from, const char *const *sources)
{
	struct trials t = { .field = matcher_field(one.list[0]), .sources = sources };
	bool with_patterns = pins(from, t.field), ok = true;

	try_all(&t, from, one);
	for (size_t i = 0; i < t.count && ok; i++)
		ok = !fits(from, t.field, &t.list[i], with_patterns) ||
		     matcher_holds(one.list[0], &t.list[i]);
	trials_release(&t);
	return ok;
}

bool overlap_covers(struct matchers a, struct matchers b, const char *const *sources)
{
	for (size_t i = 0; i < a.count; i++)
		if (guess_follows(a.list[i], b) == NO)
			return false;
	for (size_t i = 0; i < a.count; i++)
		if (guess_follows(a.list[i], b) == MAYBE &&
		    !follows((struct matchers){ &a.list[i], 1 }, b, sources))
			return false;
	return true;
}
