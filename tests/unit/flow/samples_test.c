/* samples: every one is an alert that the API could have listed, at that event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/samples.h"
#include "model/alert.h"
#include "model/facts.h"
#include "model/json.h"

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

/* What templates ask for is there, each in one sample at least; and what is there fits the alert. */
static void what_is_behind_a_sample_fits_it(void **state)
{
	static const char *const paths[] = { "user.name",      "user.department", "policy.name",
					     "budget.name",    "budget.percent",  "usage.date",
					     "usage.own.model" };
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; samples_types[i] != NULL; i++) {
		struct facts facts = { .alert = NULL };
		struct buf bytes;
		struct alert a;
		struct value v;
		struct err err;

		read_sample(&a, samples_types[i],
			    &(struct sample_as){ .at = samples_moment() });
		buf_init(&bytes, 16 << 10);
		assert_true(samples_add_context(&bytes, samples_types[i], samples_moment()));
		struct json *context = json_parse(bytes.data, bytes.len, &err);

		if (context == NULL)
			fail_msg("%s: %s", samples_types[i], err.text);
		facts.context = context;
		for (size_t k = 0; k < ARRAY_LEN(paths); k++) {
			value_of_facts(&facts, &v);
			if (value_path(&v, paths[k], strlen(paths[k]), &v))
				seen |= 1U << k;
		}
		value_of_facts(&facts, &v);
		if (value_path(&v, "user.id", 7, &v))
			assert_string_equal(v.text, a.user_id);
		value_of_facts(&facts, &v);
		if (value_path(&v, "policy.id", 9, &v))
			assert_string_equal(v.text, a.policy_id);
		json_free(&context);
		buf_release(&bytes);
		alert_release(&a);
	}
	assert_int_equal(seen, (1U << ARRAY_LEN(paths)) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_is_an_alert_of_its_type_and_event),
		cmocka_unit_test(an_id_can_be_given),
		cmocka_unit_test(an_unknown_type_has_no_sample),
		cmocka_unit_test(what_is_behind_a_sample_fits_it),
		cmocka_unit_test(the_moment_of_renderings_is_the_documented_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
