/* Addresses that an alert names: what they become, who is left out and why. */
#include "sample.h"

#include <stdlib.h>
#include <unistd.h>

#include "model/alert.h"
#include "model/json.h"
#include "sinks/email_people.h"

#define BASE \
	"type = \"email\"; server = \"smtps://smtp.acme.com\"; from = \"tocsin@acme.com\"; "
#define DOMAINS "to_domains = [ \"acme.com\", \"Acme.DE\" ]; "

/* To, Cc and who is left out, in one line. */
static char *people_text(const struct settings *s, const char *json, struct people *people)
{
	const struct sink_settings *sink = &s->sinks[0];
	struct alert alert;
	struct buf text;
	struct err err = { "" };

	if (!alert_read(&alert, json, strlen(json), &err))
		fail_msg("%s: %s", json, err.text);
	const struct facts facts = {
		.alert = &alert, .event = EVENT_OPENED, .source = "acme", .sink = "s"
	};

	sink->type->people(sink, &facts, people);
	buf_init(&text, 4096);
	for (size_t i = 0; i < people->to_count; i++)
		buf_addf(&text, "to %s; ", people->to[i]);
	for (size_t i = 0; i < people->cc_count; i++)
		buf_addf(&text, "cc %s; ", people->cc[i]);
	for (size_t i = 0; i < people->left_out_count; i++)
		buf_addf(&text, "%s %zu %s%s; ", people->left_out[i].key,
			 people->left_out[i].place, people->left_out[i].why,
			 people->left_out[i].is_empty ? " (nobody)" : "");
	alert_release(&alert);
	return buf_take(&text, NULL);
}

static void expect_people(const char *keys, const char *owner, const char *wanted)
{
	char *conf = mem_printf(BASE "%s", keys);
	char *json = mem_printf("{\"id\":\"a\",\"org_id\":\"o\",\"title\":\"t\",\"metadata\":"
				"{\"owner\":%s,\"team\":\"team@acme.com\"}}",
				owner);
	struct settings *s = sample_settings(conf);
	struct people people;
	char *text = people_text(s, json, &people);

	if (strcmp(text, wanted) != 0)
		print_message("keys %s, owner %s\n", keys, owner);
	assert_string_equal(text, wanted);
	people_release(&people);
	mem_free(&text);
	settings_free(&s);
	mem_free(&json);
	mem_free(&conf);
}

static void an_address_that_an_alert_names(void **state)
{
	static const struct {
		const char *owner, *wanted;
	} rows[] = {
		{ "\"jane@acme.com\"", "to jane@acme.com; " },
		{ "\"  jane@acme.com \"", "to jane@acme.com; " },
		{ "\"Jane Doe <jane@acme.com>\"", "to Jane Doe <jane@acme.com>; " },
		{ "\"jane@ACME.com\"", "to jane@ACME.com; " },
		{ "\"jane@acme.de\"", "to jane@acme.de; " },
		{ "\"\"", "to 1 is empty (nobody); " },
		{ "\"  \"", "to 1 is empty (nobody); " },
		{ "null", "to 1 is empty (nobody); " },
		{ "[]", "to 1 is no address: name@domain, or Name <name@domain>; " },
		{ "7", "to 1 is no address: name@domain, or Name <name@domain>; " },
		{ "\"jane\"", "to 1 is no address: name@domain, or Name <name@domain>; " },
		{ "\"jane@evil.com\"", "to 1 its domain is not one of to_domains; " },
		{ "\"jane@sub.acme.com\"", "to 1 its domain is not one of to_domains; " },
		{ "\"jane@acme.com.evil.com\"", "to 1 its domain is not one of to_domains; " },
		{ "\"Jane <x@acme.com> <eve@evil.com>\"",
		  "to 1 its domain is not one of to_domains; " },
		{ "\"jane@acme.com\\r\\nBcc: eve@evil.com\"", "to 1 holds a line break; " },
		{ "\"jane@acme.com\\n\"", "to 1 holds a line break; " },
		{ "\"jane@acme.com>\\r\\nRCPT TO:<eve@evil.com\"",
		  "to 1 holds a line break; " },
		{ "\"jane@acme.com\\u0000@evil.com\"", "to 1 holds a control character; " },
		{ "\"ja\\u0007ne@acme.com\"",
		  "to 1 has a character before the @ that no address has; " },
		{ "\"jane@acme.com, eve@acme.com\"",
		  "to 1 holds several addresses: write [ \"a@x\", \"b@y\" ]; " },
		{ "\"jane@acme.com;eve@acme.com\"",
		  "to 1 holds several addresses: write [ \"a@x\", \"b@y\" ]; " },
		{ "\"jane@acme.com eve@acme.com\"", "to 1 has no valid domain behind the @; " },
		{ "\"\\\"jane doe\\\"@acme.com\"",
		  "to 1 has a character before the @ that no address has; " },
		{ "\"jane@@acme.com\"", "to 1 has no valid domain behind the @; " },
		{ "\"j\xc3\xbcrgen@acme.com\"",
		  "to 1 must be ASCII: write the domain in its xn-- form; " },
		{ "\"jane@\xc3\xa4"
		  "cme.com\"",
		  "to 1 must be ASCII: write the domain in its xn-- form; " },
		{ "\"jane@[10.0.0.1]\"", "to 1 names a machine in place of a domain; " },
		{ "\"eve%evil.com@acme.com\"", "to 1 names a way on before the @; " },
		{ "\"evil.com!eve@acme.com\"", "to 1 names a way on before the @; " },
		{ "\"<jane@acme.com\"",
		  "to 1 has a character before the @ that no address has; " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_people(DOMAINS "to = \"{{metadata.owner}}\";", rows[i].owner,
			      rows[i].wanted);
}

static void what_is_too_long_is_left_out(void **state)
{
	char owner[3000];

	(void)state;
	memset(owner, 'x', sizeof(owner));
	memcpy(owner + 300, "@acme.com\"", 11);
	owner[0] = '"';
	expect_people(DOMAINS "to = \"{{metadata.owner}}\";", owner,
		      "to 1 is too long for an address; ");
	memset(owner, 'x', sizeof(owner));
	owner[0] = '"';
	memcpy(owner + 2000, "@acme.com\"", 11);
	expect_people(DOMAINS "to = \"{{metadata.owner}}\";", owner,
		      "to 1 is too long for an address; ");
}

static void several_entries_each_once(void **state)
{
	(void)state;
	expect_people("to = [ \"{{metadata.owner}}\", \"secops@other.com\" ]; " DOMAINS,
		      "\"jane@acme.com\"", "to jane@acme.com; to secops@other.com; ");
	expect_people("to = [ \"{{metadata.owner}}\", \"secops@other.com\" ]; " DOMAINS, "null",
		      "to secops@other.com; to 1 is empty (nobody); ");
	expect_people("to = [ \"{{metadata.owner}}\", \"jane@acme.com\" ]; cc = [ "
		      "\"JANE@acme.com\", \"{{metadata.team}}\", \"boss@acme.com\" ]; " DOMAINS,
		      "\"Jane@acme.com\"",
		      "to Jane@acme.com; cc team@acme.com; cc boss@acme.com; ");
	expect_people("to = \"{{metadata.owner}}\"; cc = \"{{metadata.owner}}\"; " DOMAINS,
		      "\"jane\"",
		      "to 1 is no address: name@domain, or Name <name@domain>; "
		      "cc 1 is no address: name@domain, or Name <name@domain>; ");
	expect_people("to = \"{{metadata.owner}}@acme.com\"; to_domains = \"*\";", "\"jane\"",
		      "to jane@acme.com; ");
	expect_people("to = \"{{metadata.owner | lower}}@acme.com\"; to_domains = \"*\";",
		      "\"JANE\"", "to jane@acme.com; ");
	expect_people("to = \"{{metadata.owner}}\";", "\"jane@anywhere.org\"",
		      "to jane@anywhere.org; ");
}

static int64_t key_of(const char *keys, const char *owner)
{
	char *conf = mem_printf(BASE "%s", keys);
	char *json = mem_printf("{\"id\":\"a\",\"metadata\":{\"owner\":\"%s\"}}", owner);
	struct settings *s = sample_settings(conf);
	struct people people;
	char *text = people_text(s, json, &people);
	int64_t key = people.key;

	people_release(&people);
	mem_free(&text);
	settings_free(&s);
	mem_free(&json);
	mem_free(&conf);
	return key;
}

static void the_same_people_have_one_key(void **state)
{
	const char *const keys = "to_domains = \"*\"; to = [ \"{{metadata.owner}}\" ]; ";

	(void)state;
	assert_true(key_of(keys, "jane@acme.com") == key_of(keys, "JANE@Acme.com"));
	assert_true(key_of(keys, "jane@acme.com") == key_of(keys, "Jane <jane@acme.com>"));
	assert_true(key_of(keys, "jane@acme.com") != key_of(keys, "joe@acme.com"));
	assert_true(key_of(keys, "nobody") == PEOPLE_NOBODY);
	assert_true(key_of(keys, "jane@acme.com") != PEOPLE_NOBODY);
}

static void a_mail_goes_to_whom_flow_says_else_to_whom_its_alert_names(void **state)
{
	struct settings *s =
		sample_settings(BASE "to_domains = \"*\"; to = \"{{metadata.owner}}\"; "
				     "cc = \"boss@acme.com\";");
	const char *const json = "{\"id\":\"a\",\"org_id\":\"o\",\"title\":\"t\",\"metadata\":"
				 "{\"owner\":\"Jane \\\"J\\\" Doe <jane@acme.com>\"}}";
	char *others[] = { (char *)(uintptr_t) "joe@acme.com" };
	const struct people people = { .to = others, .to_count = 1, .key = 5 };
	struct message m = sample_message("[high] t");
	struct alert alert;
	struct facts facts = { .alert = &alert };
	struct request r;
	struct err err;

	(void)state;
	assert_true(alert_read(&alert, json, strlen(json), &err));
	m.parts[1] = (struct message_part){ "text", 4 };
	m.alerts = &facts;
	sample_build(s, &m, &r);
	assert_string_equal(request_get_header(&r, "To"),
			    "\"Jane \\\"J\\\" Doe\" <jane@acme.com>");
	assert_string_equal(request_get_header(&r, "Cc"), "boss@acme.com");
	assert_int_equal(r.recipient_count, 2);
	assert_string_equal(r.recipients[0], "jane@acme.com");
	request_release(&r);
	m.people = &people;
	sample_build(s, &m, &r);
	assert_string_equal(request_get_header(&r, "To"), "joe@acme.com");
	assert_null(request_get_header(&r, "Cc"));
	assert_int_equal(r.recipient_count, 1);
	assert_string_equal(r.recipients[0], "joe@acme.com");
	request_release(&r);
	alert_release(&alert);
	settings_free(&s);
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* References are read again when a login is refused; addresses may be some. */
static void an_address_that_is_read_again_is_the_new_one(void **state)
{
	char path[] = "/tmp/tocsin-people-XXXXXX";
	const struct settings_context ctx = { .file = "t.conf",
					      .types = sink_types,
					      .resolve = secret_resolve };
	struct people people;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_text(path, "old@acme.com");
	char *keys =
		mem_printf(BASE DOMAINS "to = [ \"file:%s\", \"{{metadata.owner}}\" ];", path);
	struct settings *s = sample_settings(keys);

	write_text(path, "new@acme.com");
	assert_true(settings_refresh_sink(&s->sinks[0], &ctx));
	char *text = people_text(s, "{\"id\":\"a\",\"metadata\":{\"owner\":\"joe@acme.de\"}}",
				 &people);

	assert_string_equal(text, "to new@acme.com; to joe@acme.de; ");
	people_release(&people);
	mem_free(&text);
	settings_free(&s);
	mem_free(&keys);
	unlink(path);
}

/* Each name of the table is one that an alert has before there is a message, or is refused. */
static void what_has_a_value_only_in_a_message_names_nobody(void **state)
{
	static const char *const useful[] = {
		"event",       "first",    "id",      "org_id",  "type",      "severity",
		"status",      "title",    "message", "user_id", "policy_id", "created_at",
		"resolved_at", "metadata", "source",  "sink",    "at",        "vars",
		"user",        "policy",   "budget",  "usage",   NULL
	};

	(void)state;
	for (const char *const *name = facts_names(); *name != NULL; name++) {
		char *entry = mem_printf("{{%s}}", *name);
		bool is_useful = false;
		struct err err;

		for (size_t i = 0; useful[i] != NULL; i++)
			is_useful = is_useful || strcmp(useful[i], *name) == 0;
		if (email_people_check(entry, &err) != is_useful)
			fail_msg("%s", entry);
		mem_free(&entry);
	}
}

static void mistakes_are_told_at_check(void **state)
{
	static const struct {
		const char *keys;
		enum conf_level level;
		const char *message;
	} rows[] = {
		{ DOMAINS "to = \"{{user.email\";", CONF_ERROR,
		  "sink \"s\": to: the template:1:1: a tag that is not closed: no }} follows" },
		{ DOMAINS "to = \"a@acme.com\"; cc = \"{{#user}}x\";", CONF_ERROR,
		  "sink \"s\": cc: the template:1:1: {{#user}} is not closed" },
		{ DOMAINS "to = \"{{link}}\";", CONF_ERROR,
		  "sink \"s\": to: {{link}} can't name anybody: use a field of the alert, as "
		  "{{user.email}} or {{metadata.owner}}" },
		{ DOMAINS "to = \"{{> who}}\";", CONF_ERROR,
		  "sink \"s\": to: {{> who}}: an address has no partials" },
		{ "to = \"{{user.email}}\"; to_domains = \"@acme.com\";", CONF_ERROR,
		  "sink \"s\": to_domains: each is a domain as it stands behind an @, "
		  "\"acme.com\": one below it is another one, and \"*\" is any" },
		{ "to = \"{{user.email}}\";", CONF_WARNING,
		  "sink \"s\": to_domains: is not set, so that an alert may send itself to any "
		  "address: set it to your own domains, as [ \"acme.com\" ] ([ \"*\" ] if any is "
		  "meant)" },
		{ "to = \"a@acme.com\"; to_domains = \"acme.com\";", CONF_WARNING,
		  "sink \"s\": to_domains: does nothing, since no address of to and cc is the "
		  "alert's to name" },
		{ DOMAINS "to = \"{{user.email}}\"; redact = [ \"user.email\" ];", CONF_ERROR,
		  "sink \"s\": redact: \"user.email\" is what names its recipients "
		  "({{user.email}}): who gets the mail is to see it" },
		{ DOMAINS "to = \"a@b.c\"; cc = \"{{metadata.owner}}\"; "
			  "redact = [ \"metadata.*\" ];",
		  CONF_ERROR,
		  "sink \"s\": redact: \"metadata.*\" is what names its recipients "
		  "({{metadata.owner}}): who gets the mail is to see it" },
		{ DOMAINS "to = \"{{user.email}}\"; redact = [ \"metadata.*\" ];", CONF_WARNING,
		  "" },
		{ "to = \"{{user.email}}\"; to_domains = [ \"*\" ];", CONF_WARNING, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *keys = mem_printf(BASE "%s", rows[i].keys);

		sample_expect_problem(keys, rows[i].level, rows[i].message);
		mem_free(&keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_an_alert_names),
		cmocka_unit_test(what_is_too_long_is_left_out),
		cmocka_unit_test(several_entries_each_once),
		cmocka_unit_test(the_same_people_have_one_key),
		cmocka_unit_test(a_mail_goes_to_whom_flow_says_else_to_whom_its_alert_names),
		cmocka_unit_test(an_address_that_is_read_again_is_the_new_one),
		cmocka_unit_test(what_has_a_value_only_in_a_message_names_nobody),
		cmocka_unit_test(mistakes_are_told_at_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
