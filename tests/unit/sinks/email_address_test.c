/* One mailbox: what is read, how it is written, what is refused. */
#include "sample.h"

#include "sinks/email_address.h"

static void a_mailbox_is_read_and_written_as_a_header_has_it(void **state)
{
	static const struct {
		const char *text, *name, *address, *header;
	} rows[] = {
		{ "a@b.c", "", "a@b.c", "a@b.c" },
		{ "  a@b.c ", "", "a@b.c", "a@b.c" },
		{ "<a@b.c>", "", "a@b.c", "a@b.c" },
		{ "On Call <a+x@b.c>", "On Call", "a+x@b.c", "On Call <a+x@b.c>" },
		{ "\"On, Call\" <a@b.c>", "On, Call", "a@b.c", "\"On, Call\" <a@b.c>" },
		{ "A. B. (ops) <a@b.c>", "A. B. (ops)", "a@b.c", "\"A. B. (ops)\" <a@b.c>" },
		{ "\"say \\\"hi\\\"\" <a@b.c>", "say \"hi\"", "a@b.c",
		  "\"say \\\"hi\\\"\" <a@b.c>" },
		{ "x@y <a@b.c>", "x@y", "a@b.c", "\"x@y\" <a@b.c>" },
		{ "\xc3\x9c <a@b.c>", "\xc3\x9c", "a@b.c", "=?UTF-8?B?w5w=?= <a@b.c>" },
		{ "o'neil@[10.0.0.1]", "", "o'neil@[10.0.0.1]", "o'neil@[10.0.0.1]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct email_address a;
		struct buf header;
		struct err err;

		if (!email_address_read(&a, rows[i].text, &err))
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(a.name, rows[i].name);
		assert_string_equal(a.address, rows[i].address);
		buf_init(&header, 1000);
		assert_true(email_address_add(&header, &a));
		assert_string_equal(header.data, rows[i].header);
		buf_release(&header);
	}
}

static void a_long_name_is_one_line_of_words(void **state)
{
	struct email_address a;
	struct buf header;
	struct err err;

	(void)state;
	assert_true(email_address_read(
		&a,
		"\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c"
		"\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c"
		"\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c\xc3\x9c"
		" <a@b.c>",
		&err));
	buf_init(&header, 1000);
	assert_true(email_address_add(&header, &a));
	assert_null(strpbrk(header.data, "\r\n"));
	assert_non_null(strstr(header.data, "?= =?UTF-8?B?"));
	buf_release(&header);
}

static void what_could_break_a_header_or_an_envelope_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"a",
		"@b.c",
		"a@",
		"a@b.c\r\nBcc: x@y.z",
		"a\n@b.c",
		"A\nB <a@b.c>",
		"a@b.c>",
		"<a@b.c",
		"a<b@c.d",
		"A <a@b.c> x",
		"a@b@c",
		"a b@c.d",
		"a@b c",
		"a,b@c.d",
		"a@b..",
		"a@.b",
		"\xff <a@b.c>",
		"\x01 <a@b.c>",
		"a\x7f@b.c",
		"\"a b\"@c.d",
		"a@b.c, d@e.f",
		"\xc3\xbc@b.c",
	};
	struct email_address a;
	struct err err;
	char longer[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (email_address_read(&a, rows[i], &err))
			fail_msg("\"%s\" was read as %s", rows[i], a.address);
	memset(longer, 'x', sizeof(longer));
	snprintf(longer + 300, 100, "@b.c");
	assert_false(email_address_read(&a, longer, &err));
	memset(longer, 'x', sizeof(longer));
	snprintf(longer + 300, 100, " <a@b.c>");
	assert_false(email_address_read(&a, longer, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mailbox_is_read_and_written_as_a_header_has_it),
		cmocka_unit_test(a_long_name_is_one_line_of_words),
		cmocka_unit_test(what_could_break_a_header_or_an_envelope_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
