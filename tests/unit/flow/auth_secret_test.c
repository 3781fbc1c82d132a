/* What is refused: which token goes, which secret is read again, and that no text tells one. */
#include "auth_desk.h"

/* ---- 401 to a page ---- */

static void a_401_throws_the_token_away(void **state)
{
	(void)state;
	static const char *const bearers[] = { "t", NULL };

	for (size_t i = 0; i < ARRAY_LEN(bearers); i++) {
		struct desk d;

		open_desk(&d);
		have_token(&d, "t", 3600, 0);
		assert_true(auth_rejected(&d.a, bearers[i]));
		assert_true(auth_wants_token(&d.a, 1));
		assert_null(auth_bearer(&d.a, 1));
		/* The others that were under way with it. */
		assert_true(auth_rejected(&d.a, bearers[i]));
		close_desk(&d);
	}
}

static void a_401_to_an_older_token_leaves_the_newer_one(void **state)
{
	(void)state;
	struct desk d;

	open_desk(&d);
	have_token(&d, "older", 3600, 0);
	assert_true(auth_rejected(&d.a, "older"));
	have_token(&d, "newer", 3600, 1);
	assert_true(auth_rejected(&d.a, "older"));
	assert_string_equal(auth_bearer(&d.a, 2), "newer");
	assert_false(auth_wants_token(&d.a, 2));
	/* What auth itself lent may be handed back. */
	assert_true(auth_rejected(&d.a, auth_bearer(&d.a, 2)));
	assert_null(auth_bearer(&d.a, 2));
	close_desk(&d);
}

/* ---- rotation ---- */

static void a_key_that_is_refused_is_tried_again_only_when_another_is_there(void **state)
{
	(void)state;
	static const struct {
		const char *file;   /* NULL: gone */
		const char *bearer; /* that was refused; NULL: not known */
		bool is_new;
		const char *then; /* in force */
	} steps[] = {
		{ "key-1\n", "key-1", false, "key-1" },
		{ NULL, "key-1", false, "key-1" },
		{ "", "key-1", false, "key-1" },
		{ "key-1\nkey-2", "key-1", false, "key-1" },
		{ "key-2\n", "key-1", true, "key-2" },
		/* Another request that was sent with the older one. */
		{ "key-3", "key-1", true, "key-2" },
		{ "key-3", "key-2", true, "key-3" },
		{ "key-3", "key-3", false, "key-3" },
		{ "key-3", NULL, false, "key-3" },
		{ NULL, NULL, false, "key-3" },
		{ "key-4", NULL, true, "key-4" },
	};
	struct desk d;

	open_desk_with_key(&d);
	put_in_file(&d, &d.s.api_key);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].file == NULL)
			unlink(d.path);
		else
			write_file(&d, steps[i].file);
		assert_int_equal(auth_rejected(&d.a, steps[i].bearer), steps[i].is_new);
		assert_string_equal(auth_bearer(&d.a, 0), steps[i].then);
		assert_false(auth_wants_token(&d.a, 0));
	}
	/* Auth's own text, which the re-read replaces. */
	write_file(&d, "key-5");
	assert_true(auth_rejected(&d.a, auth_bearer(&d.a, 0)));
	assert_string_equal(auth_bearer(&d.a, 0), "key-5");
	close_desk(&d);
}

static void a_key_in_the_configuration_itself_has_no_other(void **state)
{
	(void)state;
	struct desk d;

	open_desk_with_key(&d);
	d.s.api_key.reference = mem_strdup("key-1");
	assert_false(auth_rejected(&d.a, "key-1"));
	assert_string_equal(auth_bearer(&d.a, 0), "key-1");
	close_desk(&d);
}

#define FORM_WITH(secret) "grant_type=client_credentials&client_id=my+id&client_secret=" secret

static void a_rotated_client_secret_is_read_again_when_refused(void **state)
{
	(void)state;
	static const struct {
		const char *file; /* NULL: gone */
		int status;
		bool refused, has_other;
		const char *form; /* of the next request */
	} steps[] = {
		{ "one", 503, false, false, FORM_WITH("s%26cret%3D1") },
		{ "one", 401, false, true, FORM_WITH("one") },
		{ "one", 401, true, false, FORM_WITH("one") },
		{ NULL, 401, true, false, FORM_WITH("one") },
		{ "", 400, true, false, FORM_WITH("one") },
		{ "o\nne", 400, true, false, FORM_WITH("one") },
		{ "two", 400, false, true, FORM_WITH("two") },
		/* Never twice in a row, whatever writes that file. */
		{ "three", 403, true, false, FORM_WITH("three") },
		{ "four", 403, false, true, FORM_WITH("four") },
		{ "four", 500, false, false, FORM_WITH("four") },
	};
	struct desk d;

	open_desk(&d);
	put_in_file(&d, &d.s.client_secret);
	ask(&d, FORM_WITH("s%26cret%3D1"));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		bool refused;

		if (steps[i].file == NULL)
			unlink(d.path);
		else
			write_file(&d, steps[i].file);
		assert_false(take(&d, steps[i].status, "", 0, &refused));
		assert_int_equal(refused, steps[i].refused);
		assert_int_equal(auth_has_other_secret(&d.a), steps[i].has_other);
		ask(&d, steps[i].form);
	}
	close_desk(&d);
}

static void a_secret_that_a_page_brought_meanwhile_is_another_too(void **state)
{
	(void)state;
	struct desk d;
	bool refused;

	open_desk(&d);
	put_in_file(&d, &d.s.client_secret);
	write_file(&d, "two");
	have_token(&d, "t", 3600, 0);
	ask(&d, FORM_WITH("s%26cret%3D1"));
	assert_true(auth_rejected(&d.a, "t"));
	assert_false(take(&d, 401, "", 1, &refused));
	assert_false(refused);
	assert_true(auth_has_other_secret(&d.a));
	ask(&d, FORM_WITH("two"));
	assert_true(take(&d, 200, AN_HOUR_OF_T, 2, &refused));
	assert_false(auth_has_other_secret(&d.a));
	close_desk(&d);
}

/* ---- texts ---- */

static const char long_token[] =
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwI"
	"iwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSM";

static void no_text_tells_a_secret(void **state)
{
	(void)state;
	static const struct {
		const char *body, *text; /* NULL: not shown */
	} answers[] = {
		{ "{\"error\":\"unauthorized\"}", "unauthorized" },
		{ "{\"error\":\"no such secret: s&cret=1\"}", NULL },
		{ "{\"error\":\"no such secret: s%26cret%3D1\"}", NULL },
		{ "{\"error\":\"no such secret: s\\u0026cret=1\"}", NULL },
		{ "{\"error\":\"no such secret: \\u0073&cr\\u0065t=1\"}", NULL },
		{ "{\"error\":\"now t-0000002\"}", NULL },
		{ "{\"error\":\"was t-0000001\"}", NULL },
		{ "{\"error\":\"began with t-000000\"}", NULL },
		{ "{\"error\":\"t-000\"}", "t-000" },
	};
	struct desk d;

	open_desk(&d);
	have_token(&d, "t-0000001", 3600, 0);
	have_token(&d, "t-0000002", 3600, 1);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct reply r = answer(401, answers[i].body);
		const char *expected = answers[i].text;
		char text[200];

		auth_error_text(&d.a, &r, text, sizeof(text));
		assert_string_equal(text,
				    expected != NULL
					    ? expected
					    : "a text that quotes a secret and is not shown");
	}
	close_desk(&d);
}

static void no_text_tells_a_secret_that_was_cut_or_replaced(void **state)
{
	(void)state;
	struct desk d;
	char text[60];

	open_desk(&d);
	put_in_file(&d, &d.s.client_secret);
	have_token(&d, long_token, 3600, 0);
	/* Escaped, so that the body does not hold it, and too long for the text. */
	char *body = mem_printf("{\"error\":\"what is \\u0065%s?\"}", long_token + 1);
	struct reply r = answer(401, body);

	auth_error_text(&d.a, &r, text, sizeof(text));
	assert_null(strstr(text, "eyJ"));
	write_file(&d, "another");
	assert_true(auth_rejected(&d.a, long_token));
	auth_error_text(&d.a, &r, text, sizeof(text));
	assert_null(strstr(text, "eyJ"));
	/* A few of its characters, where the text ends. */
	mem_free(&body);
	body = mem_printf("{\"error\":\"what is %s?\"}", long_token);
	r = answer(401, body);
	auth_error_text(&d.a, &r, text, sizeof("what is eyJhbG"));
	assert_null(strstr(text, "eyJ"));
	r = answer(401, "{\"error\":\"s&cret=1 is old\"}");
	auth_error_text(&d.a, &r, text, sizeof(text));
	assert_null(strstr(text, "s&cret"));
	mem_free(&body);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_401_throws_the_token_away),
		cmocka_unit_test(a_401_to_an_older_token_leaves_the_newer_one),
		cmocka_unit_test(
			a_key_that_is_refused_is_tried_again_only_when_another_is_there),
		cmocka_unit_test(a_key_in_the_configuration_itself_has_no_other),
		cmocka_unit_test(a_rotated_client_secret_is_read_again_when_refused),
		cmocka_unit_test(a_secret_that_a_page_brought_meanwhile_is_another_too),
		cmocka_unit_test(no_text_tells_a_secret),
		cmocka_unit_test(no_text_tells_a_secret_that_was_cut_or_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
