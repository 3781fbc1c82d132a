/* The generic webhook: its requests byte by byte, what it answers for, what check() finds. */
#include "sample.h"

#include "base/esc.h"

#define URL    "type = \"webhook\"; url = \"https://hooks.acme.com/in/T0ken42?key=s3cr3tkey\"; "
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER  "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"

static void expect_request(const char *keys, const struct message *m, const char *wanted)
{
	struct settings *s = sample_settings(keys);
	struct request r;
	char *text;

	sample_build(s, m, &r);
	text = sample_request_text(&r);
	assert_string_equal(text, wanted);
	mem_free(&text);
	request_release(&r);
	settings_free(&s);
}

static void an_unsigned_request_has_these_bytes(void **state)
{
	struct message m = sample_message("{\"a\":1}\n");

	(void)state;
	expect_request(URL, &m,
		       "POST https://hooks.acme.com/in/T0ken42?key=s3cr3tkey\n"
		       "User-Agent: tocsin/" TOCSIN_VERSION "\n"
		       "Content-Type: application/json\n"
		       "webhook-id: tcs_0123456789abcdef0123456789abcdef\n"
		       "webhook-timestamp: 1795491956\n"
		       "\n"
		       "{\"a\":1}");
}

/* The vector that every official library carries. */
static void the_pinned_vector_is_signed_as_published(void **state)
{
	struct message m = sample_message("{\"test\": 2432232314}");

	(void)state;
	m.delivery_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
	m.now = INT64_C(1614265330999);
	expect_request(URL "secret = \"" SECRET "\";", &m,
		       "POST https://hooks.acme.com/in/T0ken42?key=s3cr3tkey\n"
		       "User-Agent: tocsin/" TOCSIN_VERSION "\n"
		       "Content-Type: application/json\n"
		       "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
		       "webhook-timestamp: 1614265330\n"
		       "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n"
		       "\n"
		       "{\"test\": 2432232314}");
}

static const char *header_of(const char *keys, const struct message *m, const char *name,
			     char value[300])
{
	struct settings *s = sample_settings(keys);
	const char *found;
	struct request r;

	sample_build(s, m, &r);
	found = request_get_header(&r, name);
	snprintf(value, 300, "%s", found == NULL ? "(none)" : found);
	request_release(&r);
	settings_free(&s);
	return value;
}

static void two_secrets_sign_both_so_that_one_can_be_replaced(void **state)
{
	struct message m = sample_message("{\"test\": 2432232314}");
	char one[300], other[300], both[300], wanted[700];

	(void)state;
	header_of(URL "secret = \"" SECRET "\";", &m, "webhook-signature", one);
	header_of(URL "secret = \"" OTHER "\";", &m, "webhook-signature", other);
	header_of(URL "secret = [ \"" SECRET "\", \"" OTHER "\" ];", &m, "webhook-signature",
		  both);
	assert_string_not_equal(one, other);
	snprintf(wanted, sizeof(wanted), "%s %s", one, other);
	assert_string_equal(both, wanted);
}

/* GitHub's vector. */
static void sha256_signs_the_body_alone_with_the_secret_as_written(void **state)
{
	const char *keys =
		URL "signature = \"sha256\"; secret = \"It's a Secret to Everybody\";";
	struct message m = sample_message("Hello, World!");
	char value[300];

	(void)state;
	assert_string_equal(
		header_of(keys, &m, "X-Hub-Signature-256", value),
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
	assert_string_equal(header_of(keys, &m, "webhook-signature", value), "(none)");
}

static void keys_of_the_request_are_used(void **state)
{
	struct settings *s = sample_settings(
		URL
		"method = \"PUT\"; headers = { X-Team = \"sec\"; content-type = \"text/plain\"; "
		"}; basic = { username = \"u\"; password = \"p4ss:word\"; };");
	struct message m = sample_message("x");
	struct request r;

	(void)state;
	sample_build(s, &m, &r);
	assert_string_equal(r.method, "PUT");
	assert_string_equal(request_get_header(&r, "X-Team"), "sec");
	assert_string_equal(request_get_header(&r, "Content-Type"), "text/plain");
	assert_string_equal(r.username, "u");
	assert_string_equal(r.password, "p4ss:word");
	assert_null(r.bearer);
	request_release(&r);
	settings_free(&s);
}

static void an_empty_body_is_no_request(void **state)
{
	struct settings *s = sample_settings(URL);
	struct message m = sample_message("\n");
	struct request r;
	struct err err;

	(void)state;
	request_init(&r, REQUEST_HTTP);
	assert_false(s->sinks[0].type->build(&s->sinks[0], &m, &r, &err));
	assert_string_equal(err.text, "the template made an empty body");
	request_release(&r);
	settings_free(&s);
}

/* ---- judging ---- */

static void whatever_a_server_echoes_no_secret_is_in_the_outcome(void **state)
{
	struct settings *s = sample_settings(
		URL "bearer = \"b34rer-token\"; secret = [ \"" SECRET "\", \"" OTHER "\" ]; "
		    "headers = { X-Key = \"header-key-1\"; }; vars = { k = \"var-key-1\"; };");
	static const char *const told[] = { "T0ken42",  "s3cr3tkey", "b34rer-token",
					    "MfKQ9r8G", "AAECAwQF",  "header-key",
					    "var-key" };
	struct message m = sample_message("x");
	struct outcome out;
	struct reply r = sample_reply(
		404, "no https://hooks.acme.com/in/T0ken42?key=s3cr3tkey here; /in/T0ken42 of "
		     "\\/in\\/T0ken42?key=s3cr3tkey, b34rer-token " SECRET " " OTHER
		     " header-key-1 var-key-1");

	(void)state;
	sample_judge(s, &m, &r, &out);
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		assert_null(strstr(out.reason, told[i]));
		assert_null(strstr(out.hint, told[i]));
	}
	assert_non_null(strstr(out.reason, "HTTP 404, nothing there: no *** here; "));
	settings_free(&s);
}

/* Its first half is a piece of the URL; hidden alone, that would leave the rest readable. */
static void a_secret_that_holds_another_is_hidden_whole(void **state)
{
	struct settings *s = sample_settings(URL "bearer = \"T0ken42-and-more\";");
	struct message m = sample_message("x");
	struct reply r = sample_reply(500, "T0ken42-and-more T0ken42");
	struct outcome out;

	(void)state;
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.reason, "HTTP 500, the receiver failed: *** ***");
	settings_free(&s);
}

static void basic_authentication_is_not_told_in_base64_either(void **state)
{
	struct settings *s =
		sample_settings(URL "basic = { username = \"u\"; password = \"p4ssword\"; };");
	struct message m = sample_message("x");
	struct outcome out;
	struct reply r = sample_reply(401, "bad header: Basic dTpwNHNzd29yZA==, p4ssword");

	(void)state;
	sample_judge(s, &m, &r, &out);
	assert_string_equal(out.reason,
			    "HTTP 401, the login was refused: bad header: Basic ***, ***");
	assert_string_equal(out.hint, "sinks: s: basic: the receiver does not accept it");
	settings_free(&s);
}

static void the_hint_for_a_refused_login_names_the_key_in_use(void **state)
{
	static const struct {
		const char *keys, *hint;
	} rows[] = {
		{ URL "bearer = \"abcdefgh\";",
		  "sinks: s: bearer: the receiver does not accept it" },
		{ URL "secret = \"" SECRET "\";",
		  "sinks: s: secret: the receiver does not accept it" },
		{ URL, "sinks: s: bearer, basic or headers: the receiver does not accept it" },
	};
	struct message m = sample_message("x");
	struct reply r = sample_reply(403, "");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings *s = sample_settings(rows[i].keys);
		struct outcome out;

		sample_judge(s, &m, &r, &out);
		assert_string_equal(out.reason, "HTTP 403, forbidden");
		assert_string_equal(out.hint, rows[i].hint);
		settings_free(&s);
	}
}

/* ---- checking ---- */

static void every_mistake_is_said_with_its_remedy(void **state)
{
#define W "type = \"webhook\"; "
	static const struct {
		const char *keys, *message;
	} rows[] = {
		{ URL, "" },
		{ W "url = \"http://127.0.0.1:80/x\";", "" },
		{ W "url = \"http://example.com/x\";",
		  "sink \"s\": url: is plain http, which only loopback may be: use https, or set "
		  "plaintext = true inside a network of your own" },
		{ W "url = \"ftp://example.com/x\";",
		  "sink \"s\": url: must begin with https://" },
		{ W "url = \"https:///x\";", "sink \"s\": url: has no host" },
		{ W "url = \"https://u:p@example.com/\";",
		  "sink \"s\": url: holds a login: that belongs into basic = { username; password; }" },
		{ W "url = \"https://example.com/#x\";",
		  "sink \"s\": url: holds a fragment (#...), which is never sent: take it off" },
		{ W "url = \"https://example.com/a b\";",
		  "sink \"s\": url: holds a blank or a character that must be percent-encoded" },
		{ URL "headers = { Webhook-ID = \"1\"; };",
		  "sink \"s\": headers: Webhook-ID: is set by tocsin itself: take it off" },
		{ URL "headers = { X-A = \"1\"; x-a = \"2\"; };",
		  "sink \"s\": headers: x-a: is there twice (case does not count)" },
		{ URL "bearer = \"t0k\"; headers = { authorization = \"x\"; };",
		  "sink \"s\": headers: authorization: is what bearer, basic and oauth2 set: "
		  "keep one of them" },
		{ URL "bearer = \"t0k\"; basic = { username = \"u\"; password = \"p\"; };",
		  "sink \"s\": bearer: is the same header as basic: keep one of them" },
		{ URL "basic = { username = \"u:v\"; password = \"p\"; };",
		  "sink \"s\": basic: username: must not hold a colon (RFC 7617)" },
		{ URL "secret = \"whsec_c2hvcnQ=\";",
		  "sink \"s\": secret: must be base64 of 24 to 64 bytes after whsec_: is all of it "
		  "there?" },
		{ URL "secret = \"whsec_!!!!\";",
		  "sink \"s\": secret: must be base64 of 24 to 64 bytes after whsec_: is all of it "
		  "there?" },
		{ URL "secret = [ \"" SECRET "\", \"" SECRET "\", \"" SECRET "\" ];",
		  "sink \"s\": secret: at most two: the old one and the new one" },
		{ URL "signature = \"sha256\"; secret = [ \"a\", \"b\" ];",
		  "sink \"s\": secret: signature = \"sha256\" can sign with one only; with "
		  "\"standard\" both do" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sample_expect_problem(rows[i].keys, CONF_ERROR, rows[i].message);
	sample_expect_problem(URL "secret = \"short\";", CONF_WARNING,
			      "sink \"s\": secret: is shorter than 24 bytes; make a better one "
			      "with `openssl rand -base64 32` and whsec_ before it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unsigned_request_has_these_bytes),
		cmocka_unit_test(the_pinned_vector_is_signed_as_published),
		cmocka_unit_test(two_secrets_sign_both_so_that_one_can_be_replaced),
		cmocka_unit_test(sha256_signs_the_body_alone_with_the_secret_as_written),
		cmocka_unit_test(keys_of_the_request_are_used),
		cmocka_unit_test(an_empty_body_is_no_request),
		cmocka_unit_test(whatever_a_server_echoes_no_secret_is_in_the_outcome),
		cmocka_unit_test(a_secret_that_holds_another_is_hidden_whole),
		cmocka_unit_test(basic_authentication_is_not_told_in_base64_either),
		cmocka_unit_test(the_hint_for_a_refused_login_names_the_key_in_use),
		cmocka_unit_test(every_mistake_is_said_with_its_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
