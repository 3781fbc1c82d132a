/* An item may be set aside before it is read, or afterwards. */
#include "model/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(s) (s), sizeof(s) - 1

/* Refuses items that hold this text; notes how many it saw. */
struct doorman {
	const char *unwanted;
	size_t seen;
};

static const char *look(void *arg, const char *bytes, size_t len)
{
	struct doorman *d = arg;

	d->seen++;
	return memmem(bytes, len, d->unwanted, strlen(d->unwanted)) != NULL ? "unwanted" : NULL;
}

static void a_guard_sees_each_item_before_it_is_read(void **state)
{
	struct doorman doorman = { "bad", 0 };
	const struct page_guard guard = { look, &doorman };
	struct page p;

	(void)state;
	assert_true(page_read_guarded(&p,
				      TEXT("{\"items\":[{\"id\":\"a\"},{bad},{\"id\":\"b\"},"
					   "{\"id\":\"bad\"},{}]}"),
				      &guard, NULL));
	assert_int_equal(doorman.seen, 5);
	assert_int_equal(p.item_count, 2);
	assert_string_equal(p.items[1].id, "b");
	assert_int_equal(p.reject_count, 3);
	assert_string_equal(p.rejects[0].reason, "unwanted");
	assert_string_equal(p.rejects[0].body, "{bad}");
	assert_int_equal(p.rejects[0].hash, alert_hash("{bad}", 5));
	assert_string_equal(p.rejects[1].reason, "unwanted");
	assert_string_not_equal(p.rejects[2].reason, "unwanted");
	page_release(&p);
}

static void an_item_that_was_read_can_be_set_aside(void **state)
{
	struct page p;

	(void)state;
	assert_true(page_read(
		&p, TEXT("{\"items\":[{\"id\":\"a\"},{\"id\":\"b\"},{},{\"id\":\"c\"}]}"),
		NULL));
	page_set_aside(&p, 0, "why");
	page_set_aside(&p, 1, "why not");
	assert_int_equal(p.item_count, 1);
	assert_string_equal(p.items[0].id, "b");
	assert_int_equal(p.reject_count, 3);
	assert_string_equal(p.rejects[1].body, "{\"id\":\"a\"}");
	assert_string_equal(p.rejects[1].reason, "why");
	assert_string_equal(p.rejects[2].body, "{\"id\":\"c\"}");
	page_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guard_sees_each_item_before_it_is_read),
		cmocka_unit_test(an_item_that_was_read_can_be_set_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
