/*
 * shelf: one sorted array for each pair of status and severity; a page is their merge.
 *
 * A filter then never walks over what it does not want: the few open ones among a million
 * resolved are found as fast as any, and counting is adding up lengths. The price is that a
 * change of status moves a place from one array to another, a memmove of what lies behind it;
 * alerts that change are mostly young, and young ones lie at the end.
 */
#include "sim/shelf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SHELVES = (STATUS_COUNT + 1) * (SEVERITY_COUNT + 1) };

void shelves_release(struct shelves *s)
{
	for (int status = 0; status <= STATUS_COUNT; status++)
		for (int severity = 0; severity <= SEVERITY_COUNT; severity++)
			mem_free(&s->shelf[status][severity].places);
	*s = (struct shelves){ .descending = s->descending };
}

static int compare(const struct place *a, const struct place *b)
{
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

static int compare_any(const void *a, const void *b)
{
	return compare(a, b);
}

/* How many places of the shelf are less than place. */
static size_t rank(const struct shelf *shelf, const struct place *place)
{
	size_t low = 0;
	size_t high = shelf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&shelf->places[middle], place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void grow(struct shelf *shelf)
{
	if (shelf->count < shelf->room)
		return;
	shelf->room = shelf->room == 0 ? 64 : shelf->room * 2;
	shelf->places = mem_resize(shelf->places, shelf->room, sizeof(*shelf->places));
}

void shelves_append(struct shelves *s, enum alert_status status, enum alert_severity severity,
		    struct place place)
{
	struct shelf *shelf = &s->shelf[status][severity];

	grow(shelf);
	shelf->places[shelf->count++] = place;
}

static bool is_sorted(const struct shelf *shelf)
{
	for (size_t i = 1; i < shelf->count; i++)
		if (compare(&shelf->places[i - 1], &shelf->places[i]) > 0)
			return false;
	return true;
}

void shelves_sort(struct shelves *s)
{
	for (int status = 0; status <= STATUS_COUNT; status++) {
		for (int severity = 0; severity <= SEVERITY_COUNT; severity++) {
			struct shelf *shelf = &s->shelf[status][severity];

			if (!is_sorted(shelf))
				qsort(shelf->places, shelf->count, sizeof(*shelf->places),
				      compare_any);
		}
	}
}

void shelves_add(struct shelves *s, enum alert_status status, enum alert_severity severity,
		 struct place place)
{
	struct shelf *shelf = &s->shelf[status][severity];
	size_t at = rank(shelf, &place);

	grow(shelf);
	memmove(shelf->places + at + 1, shelf->places + at,
		(shelf->count - at) * sizeof(*shelf->places));
	shelf->places[at] = place;
	shelf->count++;
}

void shelves_remove(struct shelves *s, enum alert_status status, enum alert_severity severity,
		    struct place place)
{
	struct shelf *shelf = &s->shelf[status][severity];
	size_t at = rank(shelf, &place);

	assert(at < shelf->count && compare(&shelf->places[at], &place) == 0);
	shelf->count--;
	memmove(shelf->places + at, shelf->places + at + 1,
		(shelf->count - at) * sizeof(*shelf->places));
}

static bool passes(struct filter filter, int status, int severity)
{
	return (filter.status == ANY || filter.status == status) &&
	       (filter.severity == ANY || filter.severity == severity);
}

/* The shelves that pass, of those that hold anything; how many. */
static size_t choose(const struct shelves *s, struct filter filter,
		     const struct shelf *chosen[SHELVES])
{
	size_t count = 0;

	for (int status = 0; status <= STATUS_COUNT; status++)
		for (int severity = 0; severity <= SEVERITY_COUNT; severity++)
			if (passes(filter, status, severity) &&
			    s->shelf[status][severity].count > 0)
				chosen[count++] = &s->shelf[status][severity];
	return count;
}

size_t shelves_count(const struct shelves *s, struct filter filter)
{
	const struct shelf *chosen[SHELVES];
	size_t shelf_count = choose(s, filter, chosen);
	size_t sum = 0;

	for (size_t i = 0; i < shelf_count; i++)
		sum += chosen[i]->count;
	return sum;
}

/*
 * How far each shelf is read: ascending, the index of the next place; descending, one more than
 * that, so that 0 is the end.
 */
static size_t first(const struct shelves *s, const struct shelf *shelf,
		    const struct place *after)
{
	struct place next;

	if (after == NULL)
		return s->descending ? shelf->count : 0;
	if (s->descending)
		return rank(shelf, after);
	next = *after;
	if (next.number < UINT32_MAX)
		next.number++;
	else
		next = (struct place){ .key = next.key + 1 };
	return rank(shelf, &next);
}

static const struct place *peek(const struct shelves *s, const struct shelf *shelf, size_t at)
{
	if (s->descending)
		return at == 0 ? NULL : &shelf->places[at - 1];
	return at == shelf->count ? NULL : &shelf->places[at];
}

/* Which shelf the next place of the page is on, or -1. */
static int next_shelf(const struct shelves *s, const struct shelf *const *chosen,
		      const size_t *at, size_t count)
{
	const struct place *best = NULL;
	int found = -1;

	for (size_t i = 0; i < count; i++) {
		const struct place *place = peek(s, chosen[i], at[i]);
		int order;

		if (place == NULL)
			continue;
		order = best == NULL ? 0 : compare(place, best);
		if (best != NULL && (s->descending ? order < 0 : order > 0))
			continue;
		best = place;
		found = (int)i;
	}
	return found;
}

size_t shelves_page(const struct shelves *s, struct filter filter, const struct place *after,
		    struct place *places, size_t max)
{
	const struct shelf *chosen[SHELVES];
	size_t at[SHELVES];
	size_t shelf_count = choose(s, filter, chosen);
	size_t count = 0;

	for (size_t i = 0; i < shelf_count; i++)
		at[i] = first(s, chosen[i], after);
	while (count < max) {
		int from = next_shelf(s, chosen, at, shelf_count);

		if (from < 0)
			break;
		places[count++] = *peek(s, chosen[from], at[from]);
		if (s->descending)
			at[from]--;
		else
			at[from]++;
	}
	return count;
}
