/* What the shipped templates make of who and what is behind an alert. */
#include "shipped.h"

/* ---- webhook ---- */

#define BEHIND(separator)                                                   \
	"\"user\":{\"name\":\"Jane\\u0020Smith\", \"id\":1.50}" separator   \
	"\"policy\":{}" separator "\"budget\":{\"percent\":84.2}" separator \
	"\"usage\":{\"own\":{}}"

static void who_and_what_is_behind_it_stands_beside_the_alert(void **state)
{
	static const char *const contexts[] = {
		"{" BEHIND(",") "}",
		"{\"budget\":{\"percent\":84.2},\"user\":null,\"other\":1}",
		"{}",
	};
	static const char *const wanted[] = { "," BEHIND(","), ",\"budget\":{\"percent\":84.2}",
					      "" };
	struct sample *s = sample_new(FRIENDLY, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
		struct json *j = parse(contexts[i]);
		char *body = mem_printf(
			"{\"type\":\"alert.opened\",\"timestamp\":\"2026-11-24T03:45:56Z\","
			"\"data\":{\"alert\":" FRIENDLY
			",\"source\":\"acme\",\"route\":\"rest\",\"sink\":\"s\"%s}}\n",
			wanted[i]);

		s->facts[0].context = j;
		expect_webhook(s, body);
		mem_free(&body);
		json_free(&j);
	}
	sample_free(&s);
}

#define ITEM_HEAD                                                                      \
	"{\"type\":\"alert.opened\",\"timestamp\":\"2026-11-24T03:45:56Z\",\"data\":{" \
	"\"alert\":" FRIENDLY ",\"source\":\"acme\",\"route\":\"rest\",\"sink\":\"s\""
#define ITEM ITEM_HEAD "}}"

static void each_item_of_a_digest_has_its_own(void **state)
{
	struct sample *s = sample_new(FRIENDLY, 2);
	struct json *j = parse("{\"user\":{\"name\":\"Jane\"}}");

	(void)state;
	s->facts[1].context = j; /* each has its own */
	expect_webhook(s, "{\"type\":\"alert.digest\",\"timestamp\":\"2026-11-24T03:45:56Z\","
			  "\"data\":{ \"count\":2,\"items\":[\n" ITEM ",\n" ITEM_HEAD
			  ",\"user\":{\"name\":\"Jane\"}}}\n]}}\n");
	json_free(&j);
	sample_free(&s);
}

static void expect_in_template(const char *name, const struct sample *s, const char *wanted)
{
	char *text = render_shipped(name, &s->message);

	if (strstr(text, wanted) == NULL)
		fail_msg("no %s in %s", wanted, text);
	mem_free(&text);
}

/* ---- budgets ---- */

/* Green below 75 %, orange to 90 %, red above; the bar is full at 100 % and not before. */
static void a_budget_has_the_colour_of_what_is_spent(void **state)
{
	static const struct {
		const char *percent, *html, *width, *text, *slack;
	} rows[] = {
		{ "0", "\"calm\"", "\"1%\"", "[----------] 0 %",
		  "🟢 ░░░░░░░░░░ 0 %" },
		{ "74.9", "\"calm\"", "\"70%\"", "[#######---] 74.9 %",
		  "🟢 ███████░░░ 74.9 %" },
		{ "75.0", "\"near\"", "\"75%\"", "[#######---] 75.0 %",
		  "🟠 ███████░░░ 75.0 %" },
		{ "90.0", "\"near\"", "\"90%\"", "[#########-] 90.0 %",
		  "🟠 █████████░ 90.0 %" },
		{ "90.1", "\"over\"", "\"90%\"", "[#########-] 90.1 %", "🔴 █████████░ 90.1 %" },
		{ "99.9", "\"over\"", "\"95%\"", "[#########-] 99.9 %", "🔴 █████████░ 99.9 %" },
		{ "1e3", "\"over\"", "\"100%\"", "[##########] 1e3 %", "🔴 ██████████ 1e3 %" },
	};
	struct sample *s = sample_new(FRIENDLY, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *context = mem_printf("{\"budget\":{\"percent\":%s}}", rows[i].percent);
		struct json *j = parse(context);

		s->facts[0].context = j;
		expect_in_template("email.html.mustache", s, rows[i].html);
		expect_in_template("email.html.mustache", s, rows[i].width);
		expect_in_template("email.txt.mustache", s, rows[i].text);
		expect_in_template("slack.slack.json.mustache", s, rows[i].slack);
		json_free(&j);
		mem_free(&context);
	}
	sample_free(&s);
}

static void of_a_budget_without_a_percentage_nothing_is_said(void **state)
{
	static const char *const names[] = { "email.html.mustache", "email.txt.mustache",
					     "slack.slack.json.mustache" };
	struct sample *s = sample_new(FRIENDLY, 1);
	struct json *j =
		parse("{\"user\":{},\"policy\":{},\"budget\":{\"amount\":0},\"usage\":{}}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *without = render_shipped(names[i], &s->message), *with;

		s->facts[0].context = j;
		with = render_shipped(names[i], &s->message);
		assert_string_equal(with, without);
		s->facts[0].context = NULL;
		mem_free(&with);
		mem_free(&without);
	}
	json_free(&j);
	sample_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_and_what_is_behind_it_stands_beside_the_alert),
		cmocka_unit_test(each_item_of_a_digest_has_its_own),
		cmocka_unit_test(a_budget_has_the_colour_of_what_is_spent),
		cmocka_unit_test(of_a_budget_without_a_percentage_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
