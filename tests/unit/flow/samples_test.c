/* samples: every one is an alert that the API could have listed, at that event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "flow/samples.h"
#include "model/alert.h"

static void read_sample(struct alert *a, const char *type, const struct sample_as *as)
{
	struct buf bytes;
	struct err err;

	buf_init(&bytes, 16 << 10);
	assert_true(samples_add(&bytes, type, as));
	if (!alert_read(a, bytes.data, bytes.len, &err))
		fail_msg("%s: %s", type, err.text);
	buf_release(&bytes);
}

static void every_sample_is_an_alert_of_its_type_and_event(void **state)
{
	int64_t now = samples_moment();

	(void)state;
	for (size_t i = 0; samples_types[i] != NULL; i++) {
		for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
			struct alert a;

			read_sample(&a, samples_types[i],
				    &(struct sample_as){ .kind = (enum event_kind)kind,
							 .at = now });
			assert_string_equal(a.type, samples_types[i]);
			assert_true(a.severity_known && a.status_known && !a.repaired);
			assert_true(a.created_at > 0 && a.created_at < now);
			assert_int_equal(a.resolved_at, kind == EVENT_RESOLVED ? now : 0);
			assert_true(a.status == (kind == EVENT_RESOLVED ? ALERT_RESOLVED
						 : kind == EVENT_ACKNOWLEDGED
							 ? ALERT_ACKNOWLEDGED
							 : ALERT_OPEN));
			/* What templates trip over is in each. */
			assert_non_null(strchr(a.message, '\n'));
			assert_non_null(strpbrk(a.message, "\"<&"));
			alert_release(&a);
		}
	}
}

static void an_id_can_be_given(void **state)
{
	struct alert a;

	(void)state;
	read_sample(&a, samples_types[0],
		    &(struct sample_as){ .at = samples_moment(), .id = "test-1" });
	assert_string_equal(a.id, "test-1");
	alert_release(&a);
}

static void an_unknown_type_has_no_sample(void **state)
{
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 100);
	assert_false(samples_add(&bytes, "nothing", &(struct sample_as){ .at = 1 }));
	assert_int_equal(bytes.len, 0);
	buf_release(&bytes);
}

static void the_moment_of_renderings_is_the_documented_one(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_iso(samples_moment(), false, text);
	assert_string_equal(text, "2026-11-24T03:45:56Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_is_an_alert_of_its_type_and_event),
		cmocka_unit_test(an_id_can_be_given),
		cmocka_unit_test(an_unknown_type_has_no_sample),
		cmocka_unit_test(the_moment_of_renderings_is_the_documented_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
