/* The loop's rules: the hook after every turn, wakes, timers, signals. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "io/turn.h"

/* A diary of what ran: one letter an event, "|" for the end hook. */
struct diary {
	struct turn *turn;
	struct timer *a, *b;
	char text[256];
	int hooks, hooks_max, wakes;
};

static void note(struct diary *d, const char *what)
{
	strncat(d->text, what, sizeof(d->text) - strlen(d->text) - 1);
}

static void at_end(void *arg)
{
	struct diary *d = arg;

	note(d, "|");
	if (d->wakes > 0) {
		d->wakes--;
		turn_wake(d->turn);
		turn_wake(d->turn);
	}
	if (++d->hooks == d->hooks_max)
		turn_stop(d->turn);
}

static void on_a(void *arg)
{
	note(arg, "a");
}

static void on_b_stop(void *arg)
{
	struct diary *d = arg;

	note(d, "b");
	turn_stop(d->turn);
}

static int open_diary(void **state)
{
	static struct diary d;

	d = (struct diary){ .turn = turn_new() };
	d.a = timer_new(d.turn, on_a, &d);
	d.b = timer_new(d.turn, on_b_stop, &d);
	turn_on_end(d.turn, at_end, &d);
	*state = &d;
	return 0;
}

static int close_diary(void **state)
{
	struct diary *d = *state;

	timer_free(&d->a);
	timer_free(&d->b);
	turn_free(&d->turn);
	return 0;
}

static void the_hook_runs_once_after_each_turn_and_after_the_last(void **state)
{
	struct diary *d = *state;

	timer_set(d->a, 5);
	timer_set(d->b, 30);
	turn_run(d->turn);
	assert_string_equal(d->text, "|a|b|");
}

static void a_stop_from_the_hook_ends_at_once(void **state)
{
	struct diary *d = *state;

	d->hooks_max = 1;
	turn_run(d->turn);
	assert_string_equal(d->text, "|");
}

static void a_loop_that_was_stopped_runs_again(void **state)
{
	struct diary *d = *state;

	timer_set(d->b, 0);
	turn_run(d->turn);
	timer_set(d->b, 0);
	turn_run(d->turn);
	assert_string_equal(d->text, "|b||b|");
}

static void a_wake_gives_one_more_turn_and_then_the_loop_sleeps(void **state)
{
	struct diary *d = *state;
	int64_t began = clock_steady();

	d->wakes = 3;
	timer_set(d->b, 60);
	turn_run(d->turn);
	assert_string_equal(d->text, "||||b|");
	assert_true(clock_steady() - began >= 59);
}

static void a_timer_set_to_nothing_fires_in_the_next_turn(void **state)
{
	struct diary *d = *state;

	timer_set(d->a, 0);
	timer_set(d->b, 0);
	turn_run(d->turn);
	assert_string_equal(d->text[1] == 'a' ? "|ab|" : "|ba|", d->text);
}

static void a_timer_set_again_moves_and_one_stopped_is_silent(void **state)
{
	struct diary *d = *state;
	int64_t began = clock_steady();

	timer_set(d->a, 1);
	timer_stop(d->a);
	timer_set(d->b, 1);
	timer_set(d->b, 40);
	turn_run(d->turn);
	assert_string_equal(d->text, "|b|");
	assert_true(clock_steady() - began >= 39);
}

/* A turn that takes long must not shorten a wait that is set at its end. */
static void work_long_then_wait(void *arg)
{
	struct diary *d = arg;
	int64_t until = clock_steady() + 50;

	while (clock_steady() < until)
		;
	timer_set(d->b, 40);
	note(d, "w");
}

static void a_wait_counts_from_when_it_is_set(void **state)
{
	struct diary *d = *state;
	struct timer *work = timer_new(d->turn, work_long_then_wait, d);
	int64_t began = clock_steady();

	timer_set(work, 0);
	turn_run(d->turn);
	timer_free(&work);
	assert_string_equal(d->text, "|w|b|");
	assert_true(clock_steady() - began >= 89);
}

static void free_itself(void *arg)
{
	timer_free(arg);
}

static void a_timer_may_free_itself(void **state)
{
	struct diary *d = *state;
	static struct timer *own;

	own = timer_new(d->turn, free_itself, &own);
	timer_set(own, 0);
	timer_set(d->b, 5);
	turn_run(d->turn);
	assert_null(own);
}

static void on_signal(void *arg, int number)
{
	struct diary *d = arg;

	note(d, number == SIGHUP ? "H" : number == SIGTERM ? "T" : "?");
	if (number == SIGTERM)
		turn_stop(d->turn);
}

static void raise_hup(void *arg)
{
	(void)arg;
	raise(SIGHUP);
}

static void raise_term(void *arg)
{
	(void)arg;
	raise(SIGTERM);
}

static void signals_are_told_from_the_loop(void **state)
{
	struct diary *d = *state;
	struct timer *hup = timer_new(d->turn, raise_hup, NULL);
	struct timer *term = timer_new(d->turn, raise_term, NULL);

	turn_on_signal(d->turn, SIGHUP, on_signal, d);
	turn_on_signal(d->turn, SIGTERM, on_signal, d);
	timer_set(hup, 1);
	timer_set(term, 30);
	turn_run(d->turn);
	timer_free(&hup);
	timer_free(&term);
	assert_non_null(strstr(d->text, "H"));
	assert_string_equal(d->text + strlen(d->text) - 2, "T|");
}

static void two_loops_follow_each_other_on_one_signal(void **state)
{
	struct diary *d = *state;

	turn_on_signal(d->turn, SIGTERM, on_signal, d);
	timer_free(&d->a);
	timer_free(&d->b);
	turn_free(&d->turn);
	open_diary(state);
	turn_on_signal(d->turn, SIGTERM, on_signal, d);
	raise(SIGTERM);
	turn_run(d->turn);
	assert_non_null(strstr(d->text, "T|"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, open_diary, close_diary)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_hook_runs_once_after_each_turn_and_after_the_last),
		STORY(a_stop_from_the_hook_ends_at_once),
		STORY(a_loop_that_was_stopped_runs_again),
		STORY(a_wake_gives_one_more_turn_and_then_the_loop_sleeps),
		STORY(a_timer_set_to_nothing_fires_in_the_next_turn),
		STORY(a_timer_set_again_moves_and_one_stopped_is_silent),
		STORY(a_wait_counts_from_when_it_is_set),
		STORY(a_timer_may_free_itself),
		STORY(signals_are_told_from_the_loop),
		STORY(two_loops_follow_each_other_on_one_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
