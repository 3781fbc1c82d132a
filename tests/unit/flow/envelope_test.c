/* What a delivery knows: the alert, and who is behind it, without what its sink must not see. */
#include "flow/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/json.h"

static char sink_name[] = "bus";

/* The context is gone from where it came as soon as the envelope is filled. */
static void fill(struct envelope *e, const struct sink_settings *sink, const char *alert,
		 const char *context)
{
	char *passing = mem_strdup(context);
	const struct envelope_names names = { .source = "acme",
					      .kind = EVENT_OPENED,
					      .episode = 1,
					      .seq = 1,
					      .context = passing,
					      .context_len = strlen(passing) };
	struct err err;

	if (!envelope_fill(e, sink, &names, alert, strlen(alert), &err))
		fail_msg("%s", err.text);
	memset(passing, '#', strlen(passing));
	mem_free(&passing);
}

static void expect(const struct envelope *e, const char *path, const char *expected)
{
	struct value v;

	value_of_message(&e->message, &v);
	value_path(&v, path, strlen(path), &v);
	if (v.len != strlen(expected) || memcmp(v.text, expected, v.len) != 0)
		fail_msg("%s must be \"%s\", is \"%s\"", path, expected, v.text);
}

static void the_context_is_the_envelope_s(void **state)
{
	const struct sink_settings sink = { .name = sink_name };
	struct envelope e;

	(void)state;
	fill(&e, &sink, "{\"id\":\"a\"}",
	     "{\"user\":{\"name\":\"Jane\"},\"usage\":{\"n\": 1.50}}");
	expect(&e, "user.name", "Jane");
	expect(&e, "usage.n", "1.50");
	struct json_span bytes =
		json_bytes(e.context, json_get(json_root(e.facts.context), "usage"));

	assert_memory_equal(bytes.at, "{\"n\": 1.50}", bytes.len);
	envelope_release(&e);
	assert_null(e.context);
}

static void what_can_t_be_read_is_no_context(void **state)
{
	static const char *const contexts[] = { "", "{", "{\"user\":01}", "[1]", "\"user\"" };
	static char path[] = "user.name", *paths[] = { path };
	const struct sink_settings sinks[] = { { .name = sink_name },
					       { .name = sink_name,
						 .redact = { .list = paths, .count = 1 } } };
	struct envelope e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(contexts) * 2; i++) {
		fill(&e, &sinks[i % 2], "{\"id\":\"a\"}", contexts[i / 2]);
		expect(&e, "id", "a");
		expect(&e, "user.name", "");
		envelope_release(&e);
	}
}

static void what_the_sink_must_not_see_is_gone(void **state)
{
	static char email[] = "user.email", budget[] = "budget.*", *paths[] = { email, budget };
	const struct sink_settings sink = { .name = sink_name,
					    .redact = { .list = paths, .count = 2 } };
	struct envelope e;

	(void)state;
	fill(&e, &sink, "{\"id\":\"a\"}",
	     "{\"user\":{\"name\":\"Jane\",\"email\":\"canary\",\"em\\u0061il\":\"canary\"},"
	     "\"budget\":{\"percent\":84.2},\"usage\":{\"user_email\":\"canary\",\"n\":1}}");
	expect(&e, "user.name", "Jane");
	expect(&e, "user.email", "");
	expect(&e, "budget.percent", "");
	expect(&e, "usage.user_email", "");
	expect(&e, "usage.n", "1");
	expect(&e, "redacted", "true");
	assert_null(strstr(e.context_bytes, "canary"));
	envelope_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_context_is_the_envelope_s),
		cmocka_unit_test(what_can_t_be_read_is_no_context),
		cmocka_unit_test(what_the_sink_must_not_see_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
