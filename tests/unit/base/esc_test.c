/* esc.h, the escapes: for each place its hostile texts, and a bound that is never passed. */
#include "base/esc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

typedef bool escape_fn(struct buf *out, const char *s, size_t len);

struct row {
	const char *in;
	const char *out;
	size_t in_len; /* 0: up to the NUL */
};

/* Reads from a block of its own, so that a byte read too many is seen. */
static void assert_escapes(escape_fn *escape, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = rows[i].in_len > 0 ? rows[i].in_len : strlen(rows[i].in);
		char *in = malloc(len == 0 ? 1 : len);
		struct buf out;

		memcpy(in, rows[i].in, len);
		buf_init(&out, strlen(rows[i].out));
		assert_true(escape(&out, in, len));
		assert_string_equal(out.data, rows[i].out);
		assert_int_equal(out.len, strlen(rows[i].out));
		buf_release(&out);
		if (rows[i].out[0] != '\0') {
			buf_init(&out, strlen(rows[i].out) - 1);
			assert_false(escape(&out, in, len));
			assert_true(out.overflow);
			buf_release(&out);
		}
		free(in);
	}
}

static void json_strings_hold_anything(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "", "", 0 },
		{ "plain", "plain", 0 },
		{ "say \"hi\"", "say \\\"hi\\\"", 0 },
		{ "C:\\x", "C:\\\\x", 0 },
		{ "\"\"", "\\\"\\\"", 0 },
		{ "a/b </script>", "a/b </script>", 0 },
		{ "\b\t\n\f\r", "\\b\\t\\n\\f\\r", 0 },
		{ "\x01\x1f\x1b[31m", "\\u0001\\u001f\\u001b[31m", 0 },
		{ "a\0b", "a\\u0000b", 3 },
		{ "\x7f", "\x7f", 0 },
		{ "grüße 😀 €", "grüße 😀 €", 0 },
		{ "\xff", "\xef\xbf\xbd", 0 },
		{ "a\x80z", "a\xef\xbf\xbdz", 0 },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 0 },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 0 },
		{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd", 0 },
		{ "\xe2\"", "\xef\xbf\xbd\\\"", 0 },
	};

	assert_escapes(esc_json, rows, ARRAY_LEN(rows));
}

/* Each control character by itself: escaped, and by its own number. */
static void no_control_character_stays_in_json(void **state)
{
	(void)state;
	for (int c = 0; c < 0x20; c++) {
		struct buf out;
		char byte = (char)c;

		buf_init(&out, 10);
		assert_true(esc_json(&out, &byte, 1));
		assert_int_equal(out.data[0], '\\');
		if (out.data[1] == 'u')
			assert_int_equal(strtol(out.data + 2, NULL, 16), c);
		else
			assert_non_null(strchr("btnfr", out.data[1]));
		buf_release(&out);
	}
}

static void html_has_five_entities(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "<a href=\"x\">Q&A's</a>",
		  "&lt;a href=&quot;x&quot;&gt;Q&amp;A&#39;s&lt;/a&gt;", 0 },
		{ "&amp;", "&amp;amp;", 0 },
		{ "ü\n", "ü\n", 0 },
	};

	assert_escapes(esc_html, rows, ARRAY_LEN(rows));
}

static void slack_has_three_entities(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "<!channel> \"a\" & 'b'", "&lt;!channel&gt; \"a\" &amp; 'b'", 0 },
		{ "<https://evil|bank>", "&lt;https://evil|bank&gt;", 0 },
	};
	static const struct row json_rows[] = {
		{ "<!here>\n\"&\"\\", "&lt;!here&gt;\\n\\\"&amp;\\\"\\\\", 0 },
		{ "\xff<", "\xef\xbf\xbd&lt;", 0 },
	};

	assert_escapes(esc_slack, rows, ARRAY_LEN(rows));
	assert_escapes(esc_slack_json, json_rows, ARRAY_LEN(json_rows));
}

static void urls_keep_the_unreserved(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "azAZ09-._~", "azAZ09-._~", 0 },
		{ "a b+c/d?e=f&g#h%", "a%20b%2Bc%2Fd%3Fe%3Df%26g%23h%25", 0 },
		{ "ü", "%C3%BC", 0 },
		{ "\r\n\0", "%0D%0A%00", 3 },
	};
	static const struct row form_rows[] = {
		{ "a b+c", "a+b%2Bc", 0 },
		{ "~*'()", "~%2A%27%28%29", 0 },
	};

	assert_escapes(esc_url, rows, ARRAY_LEN(rows));
	assert_escapes(esc_form, form_rows, ARRAY_LEN(form_rows));
}

static void a_header_value_is_one_line(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "plain: é", "plain: é", 0 },
		{ "a\r\nBcc: x@y", "a  Bcc: x@y", 0 },
		{ "a\0b\x7f\x1b\t", "a b   ", 6 },
	};

	assert_escapes(esc_header, rows, ARRAY_LEN(rows));
	assert_escapes(esc_none, &(struct row){ "<\"\n", "<\"\n", 0 }, 1);
}

static bool base64_of(struct buf *out, const char *s, size_t len)
{
	return esc_base64(out, s, len);
}

static bool hex_of(struct buf *out, const char *s, size_t len)
{
	return esc_hex(out, s, len);
}

/* RFC 4648 section 10, and bytes that need both signs. */
static const struct row base64_rows[] = {
	{ "", "", 0 },
	{ "f", "Zg==", 0 },
	{ "fo", "Zm8=", 0 },
	{ "foo", "Zm9v", 0 },
	{ "foob", "Zm9vYg==", 0 },
	{ "fooba", "Zm9vYmE=", 0 },
	{ "foobar", "Zm9vYmFy", 0 },
	{ "\0\0\0", "AAAA", 3 },
	{ "\xff\xfe\xfb\xf0", "//778A==", 0 },
};

static void base64_is_written(void **state)
{
	(void)state;
	assert_escapes(base64_of, base64_rows, ARRAY_LEN(base64_rows));
}

static void base64_is_read_with_and_without_padding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		const struct row *r = &base64_rows[i];
		size_t want = r->in_len > 0 ? r->in_len : strlen(r->in);
		size_t padded = strlen(r->out);

		for (size_t len = padded; len == padded || r->out[len] == '='; len--) {
			bool bare_or_whole = len == padded || strcspn(r->out, "=") == len;
			struct buf out;

			buf_init(&out, want);
			assert_int_equal(esc_unbase64(&out, r->out, len), bare_or_whole);
			assert_int_equal(out.len, bare_or_whole ? want : 0);
			assert_memory_equal(out.data, r->in, out.len);
			buf_release(&out);
			if (len == 0)
				break;
		}
	}
}

static void other_texts_are_no_base64(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"A",    "Zg=",   "Zm8==",   "Zm9v=",    "Zm9v====", "=",
		"==",   "====",  "Zm 9v",   "Zm9v\n",   "Zm-_",     "Zg==Zg==",
		"Z=g=", "Zm9vA", "Zm9\xc3", "Zm9v!A==",
	};
	struct buf out;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_init(&out, 100);
		buf_adds(&out, "kept");
		if (esc_unbase64(&out, rows[i], strlen(rows[i])))
			fail_msg("read: %s", rows[i]);
		assert_string_equal(out.data, "kept");
		assert_false(out.overflow);
		buf_release(&out);
	}
	buf_init(&out, 5);
	assert_false(esc_unbase64(&out, "Zm9vYmFy", 8));
	assert_true(out.overflow);
	buf_release(&out);
}

static void hex_is_lower_case(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "", "", 0 },
		{ "\0\x01\x7f\x80\xff\xab", "00017f80ffab", 6 },
	};

	assert_escapes(hex_of, rows, ARRAY_LEN(rows));
}

/* What a mail reader shows, and what RFC 2047 asks of each line on the way. */
static void read_words(const char *words, struct buf *text)
{
	static const char intro[] = "=?UTF-8?B?";
	size_t room = 76 - strlen("Reply-To: ");

	for (;;) {
		size_t before = text->len;
		const char *end = strstr(words, "?=");

		assert_memory_equal(words, intro, sizeof(intro) - 1);
		assert_non_null(end);
		assert_true((size_t)(end + 2 - words) <= 75);
		assert_true((size_t)(end + 2 - words) <= room);
		words += sizeof(intro) - 1;
		assert_true(esc_unbase64(text, words, (size_t)(end - words)));
		assert_true(utf8_valid(text->data + before, text->len - before));
		words = end + 2;
		if (*words == '\0')
			return;
		assert_memory_equal(words, "\r\n ", 3);
		words += 3;
		room = 75;
	}
}

static void assert_mail_reader_shows(const char *in, size_t len, const char *shown)
{
	struct buf words, text;

	buf_init(&words, 100000);
	buf_init(&text, 100000);
	assert_true(esc_mail_word(&words, in, len));
	read_words(words.data, &text);
	assert_string_equal(text.data, shown);
	buf_release(&words);
	buf_release(&text);
}

static void words_of_mail_never_split_a_character(void **state)
{
	(void)state;
	static const char *const letters[] = { "ä", "€", "😀" };

	for (size_t l = 0; l < ARRAY_LEN(letters); l++) {
		for (int shift = 0; shift < 48; shift++) {
			struct buf in;

			buf_init(&in, 1000);
			for (int i = 0; i < shift; i++)
				buf_addc(&in, 'x');
			for (int i = 0; i < 60; i++)
				buf_adds(&in, letters[l]);
			assert_mail_reader_shows(in.data, in.len, in.data);
			buf_release(&in);
		}
	}
}

static void plain_text_stays_plain_in_mail(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "", "", 0 },
		{ "[critical] Budget exceeded", "[critical] Budget exceeded", 0 },
		{ "a\r\nBcc: x@y", "a  Bcc: x@y", 0 },
		{ "why = ? because", "why = ? because", 0 },
		{ "é", "=?UTF-8?B?w6k=?=", 0 },
	};

	assert_escapes(esc_mail_word, rows, ARRAY_LEN(rows));
}

static void what_could_mislead_a_mail_reader_is_encoded(void **state)
{
	(void)state;
	char endless[1201];

	memset(endless, 'x', 1200);
	endless[1200] = '\0';
	assert_mail_reader_shows(endless, 1200, endless);
	assert_mail_reader_shows("=?UTF-8?B?w6k=?=", 16, "=?UTF-8?B?w6k=?=");
	assert_mail_reader_shows("ü\r\nBcc: x", 10, "ü  Bcc: x");
	assert_mail_reader_shows("bad \xff\xc3", 6, "bad \xef\xbf\xbd\xef\xbf\xbd");
}

static void a_bound_too_small_for_the_words_is_told(void **state)
{
	(void)state;
	struct buf out;

	buf_init(&out, 20);
	assert_false(esc_mail_word(&out, "grüße grüße", strlen("grüße grüße")));
	assert_true(out.overflow);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_strings_hold_anything),
		cmocka_unit_test(no_control_character_stays_in_json),
		cmocka_unit_test(html_has_five_entities),
		cmocka_unit_test(slack_has_three_entities),
		cmocka_unit_test(urls_keep_the_unreserved),
		cmocka_unit_test(a_header_value_is_one_line),
		cmocka_unit_test(base64_is_written),
		cmocka_unit_test(base64_is_read_with_and_without_padding),
		cmocka_unit_test(other_texts_are_no_base64),
		cmocka_unit_test(hex_is_lower_case),
		cmocka_unit_test(words_of_mail_never_split_a_character),
		cmocka_unit_test(plain_text_stays_plain_in_mail),
		cmocka_unit_test(what_could_mislead_a_mail_reader_is_encoded),
		cmocka_unit_test(a_bound_too_small_for_the_words_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
