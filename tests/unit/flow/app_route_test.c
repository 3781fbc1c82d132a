/* What routing leaves, what it took for granted, and what it ends: counted, and said once. */
#include "flow/intake.h"
#include "world.h"

#include "store/inner.h"

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

/* What waits to be told again is as if it had been told so often before. */
static void told_so_often_before(int times)
{
	char path[128], sql[200];
	struct err err;

	snprintf(path, sizeof(path), "%s/t.db", world.folder);
	struct store *store = store_open(path, STORE_COMMAND, &err);

	assert_non_null(store);
	snprintf(sql, sizeof(sql), "UPDATE deliveries SET id = id + %d WHERE reason = 'repeat'",
		 times);
	db_script(store->db, sql);
	store_close(&store);
}

static void the_last_repeat_that_its_number_can_tell_is_a_warning(void **state)
{
	(void)state;
	write_conf(BUS, "{ name = \"all\"; to = \"bus\"; repeat = \"1m\"; }");
	list_alerts(1, "open", "high");
	begin();
	hear_log();
	run_until(START + 30 * SECOND);
	told_so_often_before(DELIVERY_ORDINAL_MAX - 2);
	run_until(START + 90 * SECOND);
	assert_int_equal(world.hit_count, 2);
	assert_int_equal(said("that was repeat 4095"), 0);
	run_until(START + HOUR);
	assert_int_equal(world.hit_count, 3);
	assert_int_equal(said("level=warning msg=delivered sink=bus alert=a1"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(an_unknown_severity_is_said_once_a_word),
		STORY(a_pattern_that_gives_up_is_said_once_and_tells_rather_than_not),
		STORY(what_no_route_wants_counts_once_however_often_it_is_stored),
		STORY(the_last_repeat_that_its_number_can_tell_is_a_warning),
	};

	log_setup(LOG_WARN, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
