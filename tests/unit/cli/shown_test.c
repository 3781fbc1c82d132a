/* shown: everything that went out can be read, but for what is secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/shown.h"
#include "model/facts.h"

static struct sink_settings sink;

/* Builds a request, shows it, and hands out the text. */
static char *shown_text(struct request *r, const char *group)
{
	struct conf_problems problems = { .list = NULL };
	struct conf *conf = conf_parse(group, strlen(group), "t.conf", &problems);
	char *data = NULL;
	struct shown shown;
	size_t len;

	assert_non_null(conf);
	shown_init(&shown, &sink, conf_root(conf), r);
	FILE *out = open_memstream(&data, &len);

	shown_print(&shown, out);
	fclose(out);
	shown_release(&shown);
	request_release(r);
	conf_free(&conf);
	conf_problems_release(&problems);
	return data;
}

static struct request request_to(const char *url)
{
	struct request r;

	request_init(&r, REQUEST_HTTP);
	r.method = mem_strdup("POST");
	r.url = mem_strdup(url);
	return r;
}

static void only_the_host_of_a_url_is_shown(void **state)
{
	static const char *const cases[][2] = {
		{ "https://hooks.slack.com/services/T0/B0/XX",
		  "POST https://hooks.slack.com/***\n" },
		{ "https://h.example:8443/?key=1", "POST https://h.example:8443/***\n" },
		{ "https://h.example?key=1", "POST https://h.example/***\n" },
		{ "https://h.example/", "POST https://h.example/\n" },
		{ "https://h.example", "POST https://h.example\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct request r = request_to(cases[i][0]);
		char *text = shown_text(&r, "");

		assert_string_equal(text, cases[i][1]);
		free(text);
	}
}

static void logins_and_headers_of_the_operator_are_hidden(void **state)
{
	struct request r = request_to("https://h.example");
	struct err err;

	(void)state;
	assert_true(request_header(&r, "Content-Type", "application/json", &err));
	assert_true(request_header(&r, "webhook-signature", "v1,c2ln", &err));
	assert_true(request_header(&r, "X-Auth-Key", "letmein", &err));
	r.bearer = mem_strdup("t0ken");
	buf_adds(&r.body, "{\"said\":\"t0ken and more\"}");
	char *text = shown_text(&r, "");

	assert_string_equal(text, "POST https://h.example\n"
				  "Content-Type: application/json\n"
				  "webhook-signature: v1,c2ln\n"
				  "X-Auth-Key: ***\n"
				  "Authorization: Bearer ***\n"
				  "\n"
				  "{\"said\":\"*** and more\"}\n");
	free(text);
}

static void a_basic_login_is_told_without_its_words(void **state)
{
	struct request r = request_to("https://h.example");

	(void)state;
	r.username = mem_strdup("me-myself");
	r.password = mem_strdup("passw0rd");
	char *text = shown_text(&r, "");

	assert_string_equal(text, "POST https://h.example\nAuthorization: Basic ***\n");
	free(text);
}

static void what_the_configuration_takes_from_elsewhere_is_hidden_anywhere(void **state)
{
	static char name[] = "routing_key", value[] = "literal-key", team[] = "team",
		    red[] = "red!";
	struct pair vars[] = { { .name = name, .value = value },
			       { .name = team, .value = red } };
	struct request r = request_to("https://h.example");

	(void)state;
	setenv("SHOWN_TEST_VALUE", "from-elsewhere", 1);
	sink.vars = (struct conf_pairs){ vars, 2 };
	buf_adds(&r.body, "from-elsewhere/literal-key/red!");
	char *text = shown_text(&r, "vars = { deep = ( \"x\", \"env:SHOWN_TEST_VALUE\" ); };");

	assert_string_equal(text, "POST https://h.example\n\n***/***/red!\n");
	free(text);
	sink.vars = (struct conf_pairs){ NULL, 0 };
	unsetenv("SHOWN_TEST_VALUE");
}

static void a_mail_shows_its_envelope_and_texts(void **state)
{
	struct request r;
	struct err err;

	(void)state;
	request_init(&r, REQUEST_MAIL);
	r.url = mem_strdup("smtp://mail.example:587/me.example");
	r.from = mem_strdup("t@a.example");
	r.text = mem_strdup("Hi\r\nhunter22\r\n");
	r.username = mem_strdup("me");
	r.password = mem_strdup("hunter22");
	assert_true(request_recipient(&r, "b@a.example", &err));
	assert_true(request_header(&r, "Subject", "Hi", &err));
	char *text = shown_text(&r, "");

	assert_string_equal(text, "MAIL smtp://mail.example:587/me.example\n"
				  "from <t@a.example>\n"
				  "to <b@a.example>\n"
				  "Subject: Hi\n"
				  "\n"
				  "Hi\n***\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_host_of_a_url_is_shown),
		cmocka_unit_test(logins_and_headers_of_the_operator_are_hidden),
		cmocka_unit_test(a_basic_login_is_told_without_its_words),
		cmocka_unit_test(
			what_the_configuration_takes_from_elsewhere_is_hidden_anywhere),
		cmocka_unit_test(a_mail_shows_its_envelope_and_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
