/* What routing leaves, and what it took for granted: counted, and said once. */
#include "flow/intake.h"
#include "world.h"

#define ENDLESS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"

/* One alert a letter: u and w have severities that nobody knows, p a title without end, h is plain. */
static void list_letters(const char *letters)
{
	size_t len = (size_t)snprintf(world.page, sizeof(world.page), "{\"items\":[");

	for (size_t i = 0; letters[i] != '\0'; i++)
		len += (size_t)snprintf(
			world.page + len, sizeof(world.page) - len,
			"%s{\"id\":\"%c%zu\",\"org_id\":\"o\",\"type\":\"t\",\"status\":\"open\","
			"\"severity\":\"%s\",\"title\":\"%s\","
			"\"created_at\":\"2025-11-24T16:30:00Z\"}",
			i > 0 ? "," : "", letters[i], i,
			letters[i] == 'u'   ? "urgent"
			: letters[i] == 'w' ? "weird"
					    : "high",
			letters[i] == 'p' ? ENDLESS : "t");
	snprintf(world.page + len, sizeof(world.page) - len,
		 "],\"next_cursor\":null,\"has_more\":false}");
}

static void an_unknown_severity_is_said_once_a_word(void **state)
{
	(void)state;
	write_conf(BUS, ALL_TO("\"bus\""));
	list_letters("huuwuw");
	hear_log();
	begin();
	run_until(START + 5 * SECOND);
	assert_int_equal(said("msg=doubt"), 2);
	list_letters("huuwuwuuuu");
	run_until(START + MINUTE);
	assert_int_equal(said("msg=doubt"), 0);
	assert_int_equal(world.hit_count, 10);
}

static void a_pattern_that_gives_up_is_said_once_and_tells_rather_than_not(void **state)
{
	(void)state;
	write_conf(BUS, "{ name = \"x\"; match = [ \"title =~ (?:a|a?)+b|(a+)+c\" ]; "
			"to = [ \"bus\" ]; }");
	list_letters("hpp");
	hear_log();
	begin();
	run_until(START + 5 * SECOND);
	assert_int_equal(said("msg=doubt source=acme alert=p1 matcher="), 1);
	assert_int_equal(world.hit_count, 2);
}

static void take(struct page_batch *batch, const struct alert *a)
{
	struct decision d;

	batch->takes(batch->decide_arg, a);
	batch->decide(batch->decide_arg, NULL, a, &d);
	assert_int_equal(d.step_count, 1);
	batch->takes(batch->decide_arg, NULL);
}

/* A batch that the store could not take goes through intake again. */
static void what_no_route_wants_counts_once_however_often_it_is_stored(void **state)
{
	static char name[] = "acme";
	const struct settings settings = { .router = router_new(NULL, 0) };
	const struct roster roster = { .settings = &settings };
	const struct holding holding = { .roster = &roster };
	const struct source_settings source = { .name = name };
	const struct page page = { .item_count = 0 };
	struct router *router = settings.router;
	struct intake in;
	struct alert a;
	char text[300];

	(void)state;
	alert_text(text, sizeof(text), "a1", "open", "high");
	assert_true(alert_read(&a, text, strlen(text), NULL));
	intake_init(&in, &holding, &source, 1);
	struct page_batch batch = intake_batch(&in, &page, NULL, START);

	take(&batch, &a);
	take(&batch, &a);
	assert_int_equal(in.unrouted, 0);
	intake_stored(&in);
	assert_int_equal(in.unrouted, 1);
	take(&batch, &a);
	intake_stored(&in);
	assert_int_equal(in.unrouted, 2);
	intake_release(&in);
	alert_release(&a);
	router_free(&router);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(an_unknown_severity_is_said_once_a_word),
		STORY(a_pattern_that_gives_up_is_said_once_and_tells_rather_than_not),
		STORY(what_no_route_wants_counts_once_however_often_it_is_stored),
	};

	log_setup(LOG_WARN, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
