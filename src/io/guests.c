/*
 * guests: a list in the order of `since`, the longest first, and one timer for its head.
 *
 * Who comes or was served goes to the end, so the order keeps itself. One that was shown the
 * door stays in the list until the library says that it has closed, but is not counted any more.
 */
#include "io/guests.h"

#include <stdbool.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

struct guest {
	struct guests *home;
	int fd;
	int64_t since; /* steady */
	bool shown_out;
	struct guest *next, *previous;
};

struct guests {
	struct guest *first, *last;
	size_t count, max; /* count: of those not shown out */
	int64_t stay_ms;
	struct timer *timer;
};

static void append(struct guest *guest)
{
	struct guests *g = guest->home;

	guest->since = clock_steady();
	guest->next = NULL;
	guest->previous = g->last;
	if (g->last != NULL)
		g->last->next = guest;
	else
		g->first = guest;
	g->last = guest;
}

static void take_out(struct guest *guest)
{
	struct guests *g = guest->home;

	if (guest->next != NULL)
		guest->next->previous = guest->previous;
	else
		g->last = guest->previous;
	if (guest->previous != NULL)
		guest->previous->next = guest->next;
	else
		g->first = guest->next;
}

static void show_out(struct guest *guest)
{
	guest->shown_out = true;
	guest->home->count--;
	shutdown(guest->fd, SHUT_RDWR);
}

static struct guest *longest(const struct guests *g)
{
	struct guest *guest = g->first;

	while (guest != NULL && guest->shown_out)
		guest = guest->next;
	return guest;
}

/* Whose time is over goes; the timer is for the next. */
static void look(void *arg)
{
	struct guests *g = arg;
	struct guest *guest;

	while ((guest = longest(g)) != NULL) {
		int64_t left = guest->since + g->stay_ms - clock_steady();

		if (left > 0) {
			timer_set(g->timer, left);
			return;
		}
		show_out(guest);
	}
}

struct guests *guests_new(struct turn *turn, size_t max, int64_t stay_ms)
{
	struct guests *g = mem_new(sizeof(*g));

	g->max = max;
	g->stay_ms = stay_ms;
	g->timer = timer_new(turn, look, g);
	return g;
}

void guests_free(struct guests **g)
{
	if (*g == NULL)
		return;
	if ((*g)->first != NULL)
		BUG("the house is closed with a guest in it");
	timer_free(&(*g)->timer);
	mem_free(g);
}

struct guest *guest_came(struct guests *g, int fd)
{
	struct guest *guest = mem_new(sizeof(*guest));

	*guest = (struct guest){ .home = g, .fd = fd };
	append(guest);
	g->count++;
	if (g->count == 1)
		timer_set(g->timer, g->stay_ms);
	if (g->count >= g->max)
		show_out(longest(g));
	return guest;
}

void guest_served(struct guest *guest)
{
	if (guest->shown_out)
		return;
	take_out(guest);
	append(guest);
}

void guest_left(struct guest **guest)
{
	struct guest *leaving = *guest;

	if (leaving == NULL)
		return;
	take_out(leaving);
	if (!leaving->shown_out)
		leaving->home->count--;
	if (leaving->home->count == 0)
		timer_stop(leaving->home->timer);
	mem_free(guest);
}
