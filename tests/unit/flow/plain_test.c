/* The short form of a message: what names an alert whole, the rest cut to a line. */
#include "flow/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

enum { ALERTS_MAX = 3 };

struct telling {
	struct alert alerts[ALERTS_MAX];
	struct facts facts[ALERTS_MAX];
	struct message message;
	struct plain plain;
	struct err err;
};

/* The short form of these alerts; false: it could not be made. */
static bool shorten(struct telling *t, enum plain_form form, size_t count,
		    const char *const *bytes)
{
	*t = (struct telling){ .err = { "" } };
	for (size_t i = 0; i < count; i++) {
		assert_true(alert_read(&t->alerts[i], bytes[i], strlen(bytes[i]), NULL));
		t->facts[i] = (struct facts){ .alert = &t->alerts[i],
					      .event = EVENT_RESOLVED,
					      .source = "acme",
					      .sink = "s",
					      .repeat = 7,
					      .at = 1795491956000 };
	}
	t->message = (struct message){ .alerts = t->facts,
				       .count = count,
				       .sink = "s",
				       .delivery_id = "tcs_1",
				       .handle = "h",
				       .progress = "p" };
	return plain_fill(&t->plain, form, &t->message, &t->err);
}

static void let_go(struct telling *t, size_t count)
{
	plain_release(&t->plain);
	for (size_t i = 0; i < count; i++)
		alert_release(&t->alerts[i]);
}

#define WHOLE                                                                                  \
	"{\"title\":\"T\",\"id\":\"a\",\"org_id\":\"o\",\"type\":\"t\",\"severity\":\"high\"," \
	"\"status\":\"open\",\"message\":\"M\\nN\",\"metadata\":{\"k\":1},\"user_id\":\"u\","  \
	"\"created_at\":\"2026-01-01T00:00:00Z\",\"resolved_at\":null,\"other\":[1]}"
#define SHORT(message)                                                         \
	"{\"id\":\"a\",\"org_id\":\"o\",\"type\":\"t\",\"severity\":\"high\"," \
	"\"status\":\"open\",\"title\":\"T\"," message                         \
	"\"created_at\":\"2026-01-01T00:00:00Z\"}"

static const struct {
	enum plain_form form;
	const char *alert, *plain;
} rows[] = {
	{ PLAIN_BARE, "{\"id\":\"a\"}", "{\"id\":\"a\"}" },
	{ PLAIN_BARE, WHOLE, SHORT("") },
	{ PLAIN_WITH_MESSAGE, WHOLE, SHORT("\"message\":\"M N\",") },
	{ PLAIN_BARE, "{\"id\":\"a\",\"title\":\"one\\r\\ntwo\\u0000\\u0007\\\"}],{{#x}}\"}",
	  "{\"id\":\"a\",\"title\":\"one  two  \\\"}],{{#x}}\"}" },
	{ PLAIN_BARE, "{\"id\":\"a\\nb\",\"title\":\"\"}", "{\"id\":\"a\\nb\"}" },
	{ PLAIN_WITH_MESSAGE, "{\"id\":\"a\",\"title\":null,\"severity\":\"\",\"status\":null}",
	  "{\"id\":\"a\"}" },
};

static void only_what_is_short_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct telling t;

		if (!shorten(&t, rows[i].form, 1, &rows[i].alert))
			fail_msg("row %zu: %s", i, t.err.text);
		const struct alert *a = t.plain.message.alerts[0].alert;

		assert_int_equal(a->bytes_len, strlen(rows[i].plain));
		assert_memory_equal(a->bytes, rows[i].plain, a->bytes_len);
		let_go(&t, 1);
	}
}

/* 300 characters of three bytes: 200 of them are left, whole; the id stays as long as it is. */
static void texts_are_cut_between_characters_and_names_are_not(void **state)
{
	struct buf text;
	struct telling t;

	(void)state;
	buf_init(&text, 10000);
	buf_adds(&text, "{\"id\":\"");
	for (size_t i = 0; i < 300; i++)
		buf_adds(&text, "i");
	buf_adds(&text, "\",\"title\":\"");
	for (size_t i = 0; i < 300; i++)
		buf_adds(&text, "€");
	buf_adds(&text, "\"}");
	const char *bytes = text.data;

	assert_true(shorten(&t, PLAIN_WITH_MESSAGE, 1, &bytes));
	const struct alert *a = t.plain.message.alerts[0].alert;

	assert_int_equal(strlen(a->id), 300);
	assert_int_equal(a->bytes_len, strlen("{\"id\":\"\",\"title\":\"…\"}") + 300 + 200 * 3);
	let_go(&t, 1);
	buf_release(&text);
}

static void all_but_the_alert_is_as_it_was(void **state)
{
	static const char *const alerts[] = { "{\"id\":\"a\",\"message\":\"M\"}",
					      "{\"id\":\"b\",\"message\":\"M\"}",
					      "{\"id\":\"c\",\"message\":\"M\"}" };
	struct telling t;

	(void)state;
	assert_true(shorten(&t, PLAIN_BARE, ALERTS_MAX, alerts));
	assert_int_equal(t.plain.message.count, ALERTS_MAX);
	assert_string_equal(t.plain.message.handle, "h");
	assert_string_equal(t.plain.message.progress, "p");
	assert_string_equal(t.plain.message.delivery_id, "tcs_1");
	for (size_t i = 0; i < ALERTS_MAX; i++) {
		const struct facts *f = &t.plain.message.alerts[i];

		assert_string_equal(f->alert->id, t.alerts[i].id);
		assert_int_equal(f->event, EVENT_RESOLVED);
		assert_int_equal(f->repeat, 7);
		assert_int_equal(f->at, t.facts[i].at);
		assert_string_equal(f->source, "acme");
	}
	/* the first message is not touched */
	assert_ptr_equal(t.facts[0].alert, &t.alerts[0]);
	let_go(&t, ALERTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_short_is_left),
		cmocka_unit_test(texts_are_cut_between_characters_and_names_are_not),
		cmocka_unit_test(all_but_the_alert_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
