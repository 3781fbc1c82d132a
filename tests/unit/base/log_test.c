/* log.h: the lines as bytes, whatever the values hold. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/mem.h"

#define TIME      "time=2026-11-24T03:45:56.123Z "
#define JSON_TIME "{\"time\":\"2026-11-24T03:45:56.123Z\","

static int64_t at_test_time(void)
{
	return INT64_C(1795491956123);
}

/* stderr as a file, between catch_stderr() and caught(). */
static FILE *file;
static int saved_stderr;

static void catch_stderr(void)
{
	file = tmpfile();
	assert_non_null(file);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	clock_use(at_test_time, NULL);
}

static const char *caught(void)
{
	static char text[20000];
	ssize_t len = pread(fileno(file), text, sizeof(text) - 1, 0);

	assert_true(len >= 0);
	text[len] = '\0';
	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	close(saved_stderr);
	fclose(file);
	clock_use(NULL, NULL);
	log_setup(LOG_INFO, LOG_TEXT);
	return text;
}

static void an_attempt_is_one_line(void **state)
{
	(void)state;
	catch_stderr();
	log_setup(LOG_INFO, LOG_TEXT);
	log_line(LOG_INFO, LOG_DELIVERED, LOG_S("sink", "sec"), LOG_S("alert", "al1b2c3d"),
		 LOG_S("event", "opened"), LOG_N("delivery", 4711), LOG_N("attempt", 1),
		 LOG_N("status", 200), LOG_N("took_ms", 41));
	assert_string_equal(caught(), TIME "level=info msg=delivered sink=sec alert=al1b2c3d "
					   "event=opened delivery=4711 attempt=1 status=200 "
					   "took_ms=41\n");
}

static void the_same_line_as_json(void **state)
{
	(void)state;
	catch_stderr();
	log_setup(LOG_INFO, LOG_JSON);
	log_line(LOG_WARN, LOG_SINK_DOWN, LOG_S("sink", "sec"), LOG_N("held_ms", -5),
		 LOG_S("hint", "raise \"timeout\""));
	log_line(LOG_INFO, LOG_READY);
	assert_string_equal(caught(), JSON_TIME
			    "\"level\":\"warning\",\"msg\":\"sink-down\",\"sink\":"
			    "\"sec\",\"held_ms\":-5,\"hint\":\"raise \\\"timeout\\\"\"}"
			    "\n" JSON_TIME "\"level\":\"info\",\"msg\":\"ready\"}\n");
}

static void fields_without_a_text_are_left_out(void **state)
{
	(void)state;
	catch_stderr();
	log_setup(LOG_INFO, LOG_TEXT);
	log_line(LOG_INFO, LOG_READY, LOG_S("a", NULL), LOG_S("b", ""), LOG_N("c", 0),
		 LOG_N("d", INT64_MIN));
	assert_string_equal(caught(), TIME "level=info msg=ready c=0 d=-9223372036854775808\n");
}

static const struct {
	const char *value;
	const char *text; /* logfmt */
	const char *json; /* NULL: as in logfmt */
} values[] = {
	{ "bare-1.2_3/4:5@[x]", "bare-1.2_3/4:5@[x]", "\"bare-1.2_3/4:5@[x]\"" },
	{ "!#<>[]^~", "!#<>[]^~", "\"!#<>[]^~\"" },
	{ "two words", "\"two words\"", NULL },
	{ "a=b", "\"a=b\"", NULL },
	{ "say \"hi\"", "\"say \\\"hi\\\"\"", NULL },
	{ "\"", "\"\\\"\"", NULL },
	{ "C:\\x", "\"C:\\\\x\"", NULL },
	{ "ends with \\", "\"ends with \\\\\"", NULL },
	{ "x\nlevel=error msg=dead", "\"x\\nlevel=error msg=dead\"", NULL },
	{ "a\r\tb", "\"a\\r\\tb\"", NULL },
	{ "\x1b[2J\x07", "\"\\u001b[2J\\u0007\"", NULL },
	{ "\x7f", "\"\\u007f\"", NULL },
	{ "\xc2\x9b"
	  "31m",
	  "\"\\u009b31m\"", NULL },
	{ "\xc2\xa0", "\"\xc2\xa0\"", NULL },
	{ "grün 😀", "\"grün 😀\"", NULL },
	{ "bad \xff\xc3", "\"bad \xef\xbf\xbd\xef\xbf\xbd\"", NULL },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", NULL },
};

static void no_value_breaks_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char want[400];

		catch_stderr();
		log_setup(LOG_INFO, LOG_TEXT);
		log_line(LOG_INFO, LOG_READY, LOG_S("v", values[i].value), LOG_N("n", 1));
		snprintf(want, sizeof(want), TIME "level=info msg=ready v=%s n=1\n",
			 values[i].text);
		assert_string_equal(caught(), want);

		catch_stderr();
		log_setup(LOG_INFO, LOG_JSON);
		log_line(LOG_INFO, LOG_READY, LOG_S("v", values[i].value), LOG_N("n", 1));
		snprintf(want, sizeof(want),
			 JSON_TIME "\"level\":\"info\",\"msg\":\"ready\",\"v\":%s,\"n\":1}\n",
			 values[i].json == NULL ? values[i].text : values[i].json);
		assert_string_equal(caught(), want);
	}
}

static char *repeated(const char *unit, size_t count)
{
	struct buf b;

	buf_init(&b, strlen(unit) * count);
	for (size_t i = 0; i < count; i++)
		buf_adds(&b, unit);
	return buf_take(&b, NULL);
}

static void a_huge_value_leaves_room_for_the_hint(void **state)
{
	(void)state;
	static const char *const units[] = { "x", "x ", "\x01", "😀", "\xff", "\"" };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
			char *huge = repeated(units[i], 100000);

			catch_stderr();
			log_setup(LOG_INFO, (enum log_format)format);
			log_line(LOG_INFO, LOG_DEAD, LOG_S("title", huge),
				 LOG_S("hint", "raise give_up"));
			const char *line = caught();

			assert_in_range(strlen(line), 2000, 2300);
			assert_non_null(strstr(line, "…\""));
			assert_non_null(strstr(line, "\"raise give_up\""));
			assert_true(utf8_valid(line, strlen(line)));
			assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
			mem_free(&huge);
		}
	}
}

static void a_line_is_cut_whole(void **state)
{
	(void)state;
	static const char *const units[] = { "x ", "\x01", "€", "\xff", "x" };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		for (size_t count = 500; count < 700; count++) {
			char *value = repeated(units[i], count);
			struct log_field f = LOG_S("value", value);
			struct log_field fields[] = { f, f, f, f, f, f, f,    f,
						      f, f, f, f, f, f, { 0 } };

			catch_stderr();
			log_setup(LOG_INFO, LOG_JSON);
			log_fields(LOG_INFO, LOG_DEAD, fields);
			const char *line = caught();
			size_t len = strlen(line);

			assert_true(len <= 8192);
			assert_string_equal(line + len - 3, "\"}\n");
			assert_true(utf8_valid(line, len));
			mem_free(&value);
		}
	}
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	catch_stderr();
	log_setup(LOG_WARN, LOG_TEXT);
	assert_false(log_is_on(LOG_INFO));
	assert_true(log_is_on(LOG_WARN));
	log_line(LOG_DEBUG, LOG_POLLED, LOG_N("n", 1));
	log_line(LOG_INFO, LOG_POLLED, LOG_N("n", 2));
	log_line(LOG_ERROR, LOG_POLL_FAILED, LOG_N("n", 3));
	assert_string_equal(caught(), TIME "level=error msg=poll-failed n=3\n");
}

/* The list of contract.md, in its order. */
static void every_message_has_its_word(void **state)
{
	(void)state;
	static const char words[] =
		"started ready delivered retry dead dropped moved sink-down sink-up sink-held "
		"sink-released silences silence-failed polled poll-failed poll-recovered pass-progress token-renewed "
		"token-failed item-rejected doubt left-out vanished context context-failed context-off "
		"context-recovered nudged nudge-refused template-failed store-failed "
		"store-recovered adopted reloaded reload-failed audit-violation crashed stopping "
		"stopped";
	const char *word = words;

	for (int msg = 0; msg < LOG_MSG_COUNT; msg++) {
		size_t len = strcspn(word, " ");
		char want[100];

		catch_stderr();
		log_setup(LOG_DEBUG, LOG_TEXT);
		log_line(LOG_DEBUG, (enum log_msg)msg);
		snprintf(want, sizeof(want), TIME "level=debug msg=%.*s\n", (int)len, word);
		assert_string_equal(caught(), want);
		word += len + (word[len] == ' ');
	}
	assert_string_equal(word, "");
}

static void set_journal(ino_t inode_shift)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)(st.st_ino + inode_shift));
	setenv("JOURNAL_STREAM", stream, 1);
}

static void the_journal_gets_a_priority_and_no_time(void **state)
{
	(void)state;
	catch_stderr();
	set_journal(0);
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_line(LOG_DEBUG, LOG_POLLED, LOG_N("n", 1));
	log_line(LOG_INFO, LOG_POLLED, LOG_N("n", 2));
	log_setup(LOG_DEBUG, LOG_JSON);
	log_line(LOG_WARN, LOG_POLLED, LOG_N("n", 3));
	log_line(LOG_ERROR, LOG_POLLED, LOG_N("n", 4));
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(caught(), "<7>level=debug msg=polled n=1\n"
				      "<6>level=info msg=polled n=2\n"
				      "<4>{\"level\":\"warning\",\"msg\":\"polled\",\"n\":3}\n"
				      "<3>{\"level\":\"error\",\"msg\":\"polled\",\"n\":4}\n");
}

static void the_journal_of_somebody_else_is_none(void **state)
{
	(void)state;
	catch_stderr();
	set_journal(1);
	log_setup(LOG_INFO, LOG_TEXT);
	log_line(LOG_INFO, LOG_READY);
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(caught(), TIME "level=info msg=ready\n");
}

static size_t written_so_far(void)
{
	struct stat st;

	assert_int_equal(fstat(fileno(file), &st), 0);
	return (size_t)st.st_size;
}

/* Lines that are gathered wait for a flush or a warning, and stay in order. */
static void gathered_lines_wait_for_a_warning_or_a_flush(void **state)
{
	(void)state;
	catch_stderr();
	log_gather(true);
	log_line(LOG_INFO, LOG_READY);
	assert_int_equal(written_so_far(), 0);
	log_line(LOG_WARN, LOG_RETRY);
	size_t both = written_so_far();

	assert_true(both > 0);
	log_line(LOG_INFO, LOG_STARTED);
	assert_int_equal(written_so_far(), both);
	log_flush();
	assert_true(written_so_far() > both);
	log_line(LOG_INFO, LOG_STOPPED);
	log_gather(false);
	assert_string_equal(caught(),
			    TIME "level=info msg=ready\n" TIME "level=warning msg=retry\n" TIME
				 "level=info msg=started\n" TIME "level=info msg=stopped\n");
}

static void gathered_lines_never_wait_for_more_room(void **state)
{
	(void)state;
	char *value = repeated("x", 2000);
	size_t before = 0;

	catch_stderr();
	log_gather(true);
	for (int i = 0; i < 9 && written_so_far() == 0; i++, before += 2000)
		log_line(LOG_INFO, LOG_READY, LOG_S("v", value));
	assert_in_range(written_so_far(), before - 4000, 20000);
	log_gather(false);
	assert_true(written_so_far() >= before);
	(void)caught();
	mem_free(&value);
}

/* A pipe that is full takes part of a line or nothing; the log goes on, on a line of its own. */
static void a_full_pipe_neither_blocks_nor_mixes_lines(void **state)
{
	(void)state;
	static char filler[65536], rest[8192];
	char *value = repeated("x", 2000);
	int fds[2];

	memset(filler, '.', sizeof(filler));
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	int saved = dup(STDERR_FILENO);

	/* Room for one page: a line is longer, so part of it goes in. */
	assert_int_equal(write(fds[1], filler, sizeof(filler)), sizeof(filler));
	assert_int_equal(read(fds[0], filler, 4096), 4096);
	dup2(fds[1], STDERR_FILENO);
	log_setup(LOG_INFO, LOG_TEXT);
	errno = EDOM;
	log_line(LOG_INFO, LOG_READY, LOG_S("a", value), LOG_S("b", value), LOG_S("c", value));
	log_line(LOG_INFO, LOG_READY, LOG_S("lost", "pipe is full"));
	assert_int_equal(errno, EDOM);
	assert_int_equal(read(fds[0], filler, sizeof(filler)), sizeof(filler));
	log_line(LOG_INFO, LOG_STOPPED, LOG_N("n", 1));
	dup2(saved, STDERR_FILENO);
	ssize_t len = read(fds[0], rest, sizeof(rest) - 1);

	assert_true(len > 0);
	rest[len] = '\0';
	assert_memory_equal(rest, "\ntime=", 6);
	assert_non_null(strstr(rest, " level=info msg=stopped n=1\n"));
	close(fds[0]);
	close(fds[1]);
	close(saved);
	mem_free(&value);
}

static void words_of_the_configuration(void **state)
{
	(void)state;
	enum log_level level = LOG_ERROR;
	enum log_format format = LOG_JSON;

	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_parse("warning", &level));
	assert_int_equal(level, LOG_WARN);
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_true(log_level_parse("info", &level));
	assert_int_equal(level, LOG_INFO);
	assert_false(log_level_parse("loud", &level));
	assert_false(log_level_parse("INFO", &level));
	assert_int_equal(level, LOG_INFO);
	assert_true(log_format_parse("text", &format));
	assert_int_equal(format, LOG_TEXT);
	assert_true(log_format_parse("json", &format));
	assert_int_equal(format, LOG_JSON);
	assert_false(log_format_parse("xml", &format));
	assert_int_equal(format, LOG_JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_is_one_line),
		cmocka_unit_test(the_same_line_as_json),
		cmocka_unit_test(fields_without_a_text_are_left_out),
		cmocka_unit_test(no_value_breaks_its_line),
		cmocka_unit_test(a_huge_value_leaves_room_for_the_hint),
		cmocka_unit_test(a_line_is_cut_whole),
		cmocka_unit_test(what_is_below_the_level_is_not_written),
		cmocka_unit_test(every_message_has_its_word),
		cmocka_unit_test(the_journal_gets_a_priority_and_no_time),
		cmocka_unit_test(the_journal_of_somebody_else_is_none),
		cmocka_unit_test(gathered_lines_wait_for_a_warning_or_a_flush),
		cmocka_unit_test(gathered_lines_never_wait_for_more_room),
		cmocka_unit_test(a_full_pipe_neither_blocks_nor_mixes_lines),
		cmocka_unit_test(words_of_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
