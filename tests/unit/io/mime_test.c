/* A mail's bytes, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "io/mime.h"

static void text_becomes_short_seven_bit_lines(void **state)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain\r\n" },
		{ "two\r\nlines\r\n", "two\r\nlines\r\n" },
		{ "bare\nLF", "bare\r\nLF\r\n" },
		{ "bare\rCR", "bare=0DCR\r\n" },
		{ "a = b", "a =3D b\r\n" },
		{ "tail \r\ntab\t", "tail=20\r\ntab=09\r\n" },
		{ "in ner\tblank", "in ner\tblank\r\n" },
		{ "\xc3\xa4", "=C3=A4\r\n" },
		{ "\x01\x7f", "=01=7F\r\n" },
		{ "\r\n\r\n", "\r\n\r\n" },
		{ ".", ".\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_init(&out, 1024);
		assert_true(mime_quoted(&out, cases[i].text, strlen(cases[i].text)));
		assert_string_equal(out.data, cases[i].quoted);
		buf_release(&out);
	}
}

/* Undoes what mime_quoted did; fails on a line that is too long or holds a byte it must not. */
static void unquote(struct buf *text, const char *quoted)
{
	size_t column = 0;

	for (const char *c = quoted; *c != '\0'; c++) {
		column++;
		if (*c == '\r' && c[1] == '\n') {
			buf_adds(text, "\r\n");
			c++;
			column = 0;
			continue;
		}
		assert_true(column <= 76);
		assert_true((*c >= ' ' && *c < 0x7f) || *c == '\t');
		unsigned value;

		if (*c != '=') {
			buf_addc(text, *c);
		} else if (c[1] == '\r') {
			c += 2;
			column = 0;
		} else {
			assert_int_equal(sscanf(c + 1, "%2X", &value), 1);
			buf_addc(text, (char)value);
			c += 2;
			column += 2;
		}
	}
}

static void lines_of_any_length_and_bytes_come_back_as_they_were(void **state)
{
	(void)state;
	for (size_t len = 0; len < 400; len++) {
		struct buf text, quoted, back;

		buf_init(&text, 4096);
		buf_init(&quoted, 4096);
		buf_init(&back, 4096);
		for (size_t i = 0; i < len; i++)
			buf_addc(&text,
				 (char)(len % 3 == 0 ? ' ' : 'A' + (int)(i * len % 151)));
		if (memchr(text.data, '\n', text.len) == NULL) {
			mime_quoted(&quoted, text.data, text.len);
			unquote(&back, quoted.data);
			if (len > 0)
				buf_adds(&text, "\r\n");
			assert_int_equal(back.len, text.len);
			assert_memory_equal(back.data, text.data, text.len);
		}
		buf_release(&text);
		buf_release(&quoted);
		buf_release(&back);
	}
}

static void dots_are_stuffed_and_the_end_is_a_lone_dot(void **state)
{
	static const struct {
		const char *mail, *sent;
	} cases[] = {
		{ "", ".\r\n" },
		{ "a\r\n", "a\r\n.\r\n" },
		{ "a", "a\r\n.\r\n" },
		{ ".\r\n", "..\r\n.\r\n" },
		{ "a\r\n..b\r\n.", "a\r\n...b\r\n..\r\n.\r\n" },
		{ "a.\r\nb", "a.\r\nb\r\n.\r\n" },
		{ "bare\n.\nLF", "bare\r\n..\r\nLF\r\n.\r\n" },
		{ "\r\n.\r\n", "\r\n..\r\n.\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_init(&out, 1024);
		assert_true(mime_stuff(&out, cases[i].mail, strlen(cases[i].mail)));
		assert_string_equal(out.data, cases[i].sent);
		buf_release(&out);
	}
}

static void make(struct request *r, const char *text, const char *html)
{
	struct err err;

	request_init(r, REQUEST_MAIL);
	assert_true(request_header(r, "Subject", "Hi", &err));
	assert_true(request_header(r, "Content-Type", "application/nonsense", &err));
	r->text = mem_strdup(text);
	r->html = mem_strdup(html);
}

static void a_text_alone_is_one_part(void **state)
{
	struct request r;
	struct buf out;

	(void)state;
	make(&r,
	     "Gr\xc3\xbc\xc3\x9f"
	     "e\r\n",
	     NULL);
	buf_init(&out, 4096);
	assert_true(mime_write(&out, &r));
	assert_string_equal(out.data, "Subject: Hi\r\n"
				      "MIME-Version: 1.0\r\n"
				      "Content-Type: text/plain; charset=utf-8\r\n"
				      "Content-Transfer-Encoding: quoted-printable\r\n"
				      "\r\n"
				      "Gr=C3=BC=C3=9Fe\r\n");
	buf_release(&out);
	request_release(&r);
}

static void text_and_html_are_alternatives_the_plainest_first(void **state)
{
	struct request r;
	struct buf out;

	(void)state;
	make(&r, "text\r\n", "<b>html</b>");
	buf_init(&out, 4096);
	assert_true(mime_write(&out, &r));
	assert_string_equal(
		out.data,
		"Subject: Hi\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/alternative; boundary=\"=_tocsin_alternative\"\r\n"
		"\r\n"
		"--=_tocsin_alternative\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n"
		"text\r\n"
		"\r\n--=_tocsin_alternative\r\n"
		"Content-Type: text/html; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n"
		"<b>html</b>\r\n"
		"\r\n--=_tocsin_alternative--\r\n");
	buf_release(&out);
	request_release(&r);
}

/* What a line says when its folds are undone; the next line's start is returned. */
static const char *unfold(struct buf *out, const char *mail)
{
	for (const char *c = mail; *c != '\0'; c++) {
		if (strncmp(c, "\r\n", 2) != 0)
			buf_addc(out, *c);
		else if (c[2] == ' ')
			c++;
		else
			return c + 2;
	}
	return mail;
}

static void long_headers_are_folded_at_blanks_and_read_the_same(void **state)
{
	static const char *const values[] = {
		"short",
		"aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa",
		"=?UTF-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6Q=?= =?UTF-8?B?w6TDpMOkw6TDpMOkw6Q=?= x",
		"<a@x.org>, <bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb@x.org>, <c@x.org>",
		"oneveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongword",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct request r;
		struct buf out, line;
		struct err err;

		request_init(&r, REQUEST_MAIL);
		assert_true(request_header(&r, "Subject", values[i], &err));
		buf_init(&out, 4096);
		buf_init(&line, 4096);
		assert_true(mime_write(&out, &r));
		assert_int_equal(strncmp(unfold(&line, out.data), "MIME-Version", 12), 0);
		assert_string_equal(line.data + strlen("Subject: "), values[i]);
		assert_int_equal(strstr(out.data, "\r\n ") != NULL &&
					 strstr(out.data, "\r\n ") <
						 strstr(out.data, "MIME-Version"),
				 i >= 1 && i <= 3);
		assert_true(strncmp(out.data, "Subject:\r\n", 10) != 0);
		buf_release(&out);
		buf_release(&line);
		request_release(&r);
	}
}

static void what_does_not_fit_is_said(void **state)
{
	struct request r;
	struct buf out;

	(void)state;
	make(&r, "text", NULL);
	buf_init(&out, 20);
	assert_false(mime_write(&out, &r));
	buf_release(&out);
	request_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_short_seven_bit_lines),
		cmocka_unit_test(lines_of_any_length_and_bytes_come_back_as_they_were),
		cmocka_unit_test(dots_are_stuffed_and_the_end_is_a_lone_dot),
		cmocka_unit_test(a_text_alone_is_one_part),
		cmocka_unit_test(text_and_html_are_alternatives_the_plainest_first),
		cmocka_unit_test(long_headers_are_folded_at_blanks_and_read_the_same),
		cmocka_unit_test(what_does_not_fit_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
