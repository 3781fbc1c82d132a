/*
 * life: a heap of steps by due time, and the moment at which the next alert opens.
 *
 *            60 %: after 3-30 s               5-60 s
 *   open ──────────────────▶ acknowledged ──────────▶ resolved ──10 %, once──▶ open again
 *    └── 25 %: after 5-60 s; 15 %: after 5-30 min ──────▶┘ ◀──── 10-60 s ────────┘
 *
 * The steps are soon enough to be watched, and no alert stays open for ever, so what is open
 * settles at some hundred times the rate. A step whose alert was changed or removed meanwhile is
 * dropped: who plays with the alerts by hand has the last word.
 *
 * After a pause of the process the alerts that would have opened are not made up for: nobody
 * wants an hour's worth at once.
 */
#include "sim/life.h"

#include <stddef.h>

#include "base/mem.h"
#include "sim/dice.h"

enum { CATCH_UP_MS = 1000 };

struct step {
	int64_t due; /* on the steady clock */
	uint32_t number;
	uint8_t from; /* the status that it must still have */
	uint8_t to;
	bool again; /* it was reopened before */
};

struct life {
	struct world *world;
	struct dice chance;
	double every_ms; /* 0: nothing opens */
	double next_open;
	struct step *heap; /* heap[0] is due first */
	size_t count;
	size_t room;
};

struct life *life_new(struct world *world, uint64_t seed, struct rate rate, int64_t steady)
{
	struct life *life = mem_new(sizeof(*life));

	life->world = world;
	life->chance.state = dice_mix(seed ^ 3);
	if (rate.count > 0)
		life->every_ms = (double)rate.per_ms / (double)rate.count;
	life->next_open = (double)steady + dice_wait(&life->chance, life->every_ms);
	return life;
}

void life_free(struct life **life)
{
	if (*life == NULL)
		return;
	mem_free(&(*life)->heap);
	mem_free(life);
}

/* ---- the heap ---------------------------------------------------------------------------- */

static void push(struct life *life, const struct step *step)
{
	size_t at = life->count;

	if (life->count == life->room) {
		life->room = life->room == 0 ? 64 : life->room * 2;
		life->heap = mem_resize(life->heap, life->room, sizeof(*life->heap));
	}
	life->count++;
	while (at > 0 && life->heap[(at - 1) / 2].due > step->due) {
		life->heap[at] = life->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	life->heap[at] = *step;
}

static struct step pop(struct life *life)
{
	struct step first = life->heap[0];
	struct step last = life->heap[--life->count];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < life->count; at = child) {
		if (child + 1 < life->count &&
		    life->heap[child + 1].due < life->heap[child].due)
			child++;
		if (life->heap[child].due >= last.due)
			break;
		life->heap[at] = life->heap[child];
	}
	life->heap[at] = last;
	return first;
}

/* ---- steps ------------------------------------------------------------------------------- */

static void plan(struct life *life, struct step step, int64_t from_ms, int64_t to_ms)
{
	step.due += dice_between(&life->chance, from_ms, to_ms);
	push(life, &step);
}

static void plan_after_open(struct life *life, uint32_t number, int64_t steady)
{
	int64_t percent = dice_between(&life->chance, 0, 100);
	struct step step = { .due = steady, .number = number, .from = STATUS_OPEN };

	step.to = percent < 60 ? STATUS_ACKNOWLEDGED : STATUS_RESOLVED;
	if (percent < 60)
		plan(life, step, 3000, 30000);
	else if (percent < 85)
		plan(life, step, 5000, 60000);
	else
		plan(life, step, 300000, 1800000);
}

static void plan_after(struct life *life, struct step done)
{
	struct step next = {
		.due = done.due, .number = done.number, .from = done.to, .again = done.again
	};

	if (done.to == STATUS_ACKNOWLEDGED) {
		next.to = STATUS_RESOLVED;
		plan(life, next, 5000, 60000);
	} else if (done.to == STATUS_OPEN) {
		next.to = STATUS_RESOLVED;
		plan(life, next, 10000, 60000);
	} else if (!done.again && dice_between(&life->chance, 0, 10) == 0) {
		next.to = STATUS_OPEN;
		next.again = true;
		plan(life, next, 10000, 60000);
	}
}

static void take_step(struct life *life, int64_t now)
{
	struct step step = pop(life);

	if (!world_exists(life->world, step.number) ||
	    world_status(life->world, step.number) != (enum alert_status)step.from)
		return;
	world_set_status(life->world, step.number, (enum alert_status)step.to, now);
	plan_after(life, step);
}

static void open_one(struct life *life, int64_t steady, int64_t now)
{
	struct birth birth = { .created_at = now,
			       .type = TYPE_OTHER,
			       .severity = SEVERITY_OTHER,
			       .status = STATUS_OPEN };
	uint32_t number;

	if (world_open(life->world, &birth, &number))
		plan_after_open(life, number, steady);
	else
		life->every_ms = 0; /* the world is full */
}

int64_t life_run(struct life *life, int64_t steady, int64_t now)
{
	double due;

	if (life->next_open < (double)(steady - CATCH_UP_MS))
		life->next_open = (double)(steady - CATCH_UP_MS);
	while (life->every_ms > 0 && life->next_open <= (double)steady) {
		open_one(life, steady, now);
		life->next_open += dice_wait(&life->chance, life->every_ms);
	}
	while (life->count > 0 && life->heap[0].due <= steady)
		take_step(life, now);
	if (life->every_ms <= 0 && life->count == 0)
		return -1;
	due = life->every_ms > 0 ? life->next_open : (double)life->heap[0].due;
	if (life->count > 0 && (double)life->heap[0].due < due)
		due = (double)life->heap[0].due;
	return due <= (double)steady ? 0 : (int64_t)(due - (double)steady) + 1;
}
