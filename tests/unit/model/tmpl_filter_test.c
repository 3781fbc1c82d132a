/* Each filter against what it is for and against what it cannot use. */
#include "tmpl_case.h"

struct row {
	const char *tag, *data, *expected;
};

static void expect_all(const char *name, const struct row *row)
{
	for (; row->tag != NULL; row++)
		case_expect(name, row->tag, row->data, NULL, row->expected);
}

static void truncate_counts_characters_and_never_splits_one(void **state)
{
	(void)state;
	expect_all("t.txt",
		   (struct row[]){
			   { "{{x | truncate 5}}", "{\"x\":\"abcde\"}", "abcde" },
			   { "{{x | truncate 5}}", "{\"x\":\"abcdef\"}", "abcd…" },
			   { "{{x|truncate 1}}", "{\"x\":\"ab\"}", "…" },
			   { "{{x | truncate 3}}", "{\"x\":\"äöü\"}", "äöü" },
			   { "{{x | truncate 3}}", "{\"x\":\"äöüß\"}", "äö…" },
			   { "{{x | truncate 2}}",
			     "{\"x\":\"\xf0\x9f\x94\x94\xf0\x9f\x94\x94\xf0\x9f\x94\x94\"}",
			     "\xf0\x9f\x94\x94…" },
			   { "{{x | truncate 3}}", "{\"x\":12345}", "12…" },
			   { "{{x | truncate 5}}", "{\"x\":[1, 2, 3]}", "[1, …" },
			   { "[{{x | truncate 5}}]", "{}", "[]" },
			   { 0 },
		   });
	/* what is seen as one sign stays whole */
	expect_all("t.txt",
		   (struct row[]){
			   { "{{x | truncate 3}}", "{\"x\":\"abe\u0301cd\"}", "ab…" },
			   { "{{x | truncate 4}}", "{\"x\":\"abe\u0301cd\"}", "ab…" },
			   { "{{x | truncate 5}}", "{\"x\":\"abe\u0301cd\"}", "abe\u0301…" },
			   { "{{x | truncate 2}}", "{\"x\":\"👍🏽!\"}", "…" },
			   { "{{x | truncate 3}}", "{\"x\":\"👍🏽!!\"}", "👍🏽…" },
			   { "{{x | truncate 4}}", "{\"x\":\"👩‍👩‍👧 ab\"}", "…" },
			   { "{{x | truncate 6}}", "{\"x\":\"👩‍👩‍👧 ab\"}",
			     "👩‍👩‍👧…" },
			   { "{{x | truncate 4}}", "{\"x\":\"🇩🇪🇫🇷🇨🇭\"}", "🇩🇪…" },
			   { "{{x | truncate 5}}", "{\"x\":\"🇩🇪🇫🇷🇨🇭\"}", "🇩🇪🇫🇷…" },
			   { "{{x | truncate 3}}", "{\"x\":\"a\\r\\nb\"}", "a…" },
			   { "{{x | truncate 3}}", "{\"x\":\"\u0928\u093f\u0928\u093f\"}",
			     "\u0928\u093f…" },
			   { 0 },
		   });
	/* nor is an escape that the text brings split */
	expect_all("t.txt",
		   (struct row[]){
			   { "{{x | truncate 5}}", "{\"x\":\"ab&amp;cd\"}", "ab…" },
			   { "{{x | truncate 8}}", "{\"x\":\"ab&amp;cd\"}", "ab&amp;…" },
			   { "{{x | truncate 6}}", "{\"x\":\"ab&#39;cde\"}", "ab…" },
			   { "{{x | truncate 5}}", "{\"x\":\"ab & cd\"}", "ab &…" },
			   { "{{x | truncate 5}}", "{\"x\":\"ab <b>cd</b>\"}", "ab …" },
			   { "{{x | truncate 7}}", "{\"x\":\"ab <b>cd</b>\"}", "ab <b>…" },
			   { "{{x | truncate 8}}", "{\"x\":\"<@U123|Ada> is in\"}", "…" },
			   { "{{x | truncate 6}}", "{\"x\":\"a <b c d e\"}", "a <b …" },
			   { "{{x | truncate 6}}", "{\"x\":\"1 < 2 > 0\"}", "1 < 2…" },
			   { "{{x | urlencode | truncate 5}}", "{\"x\":\"ab cd\"}", "ab…" },
			   { "{{x | urlencode | truncate 6}}", "{\"x\":\"ab cde\"}", "ab%20…" },
			   { "{{x | truncate 5}}", "{\"x\":\"100%  !\"}", "100%…" },
			   { 0 },
		   });
	/* before the escape: no entity is ever split */
	expect_all("t.html",
		   (struct row[]){
			   { "{{x | truncate 3}}", "{\"x\":\"<&>\\\"\"}", "&lt;&amp;…" },
			   { 0 },
		   });
}

/* "… +N characters", as soon as that leaves eight of the text. */
static void truncate_says_how_much_is_gone(void **state)
{
	char data[2000], wanted[200], tag[40];
	static const struct {
		size_t len, max;
		int kept, gone; /* gone 0: not told */
	} rows[] = {
		{ 25, 24, 8, 17 },     { 30, 24, 8, 22 },       { 30, 23, 22, 0 },
		{ 500, 100, 83, 417 }, { 1000, 600, 583, 417 }, { 105, 100, 84, 21 },
		{ 101, 24, 8, 93 },    { 108, 25, 9, 99 },      { 109, 25, 8, 101 },
		{ 1000, 25, 8, 992 },  { 1000, 24, 23, 0 },     { 100, 100, 100, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int dots = rows[i].len > rows[i].max;
		char *x = mem_new(rows[i].len + 1);

		memset(x, 'x', rows[i].len);
		snprintf(data, sizeof(data), "{\"x\":\"%s\"}", x);
		snprintf(tag, sizeof(tag), "{{x | truncate %zu}}", rows[i].max);
		char *expected = mem_printf("%.*s%s", rows[i].kept, x, dots ? "…" : "");

		snprintf(wanted, sizeof(wanted), " +%d characters", rows[i].gone);
		char *whole = mem_printf("%s%s", expected, rows[i].gone > 0 ? wanted : "");

		case_expect("t.txt", tag, data, NULL, whole);
		mem_free(&whole);
		mem_free(&expected);
		mem_free(&x);
	}
	case_expect("t.txt", "{{x | truncate 30}}",
		    "{\"x\":\"Zürich, Genève, Zürich, Genève, Zürich\"}", NULL,
		    "Zürich, Genève… +24 characters");
}

static void upper_and_lower_know_latin_greek_and_cyrillic(void **state)
{
	(void)state;
	expect_all("t.txt", (struct row[]){
				    { "{{x | upper}}", "{\"x\":\"high é ß ÿ ž ω я ё\"}",
				      "HIGH É ß ÿ Ž Ω Я Ё" },
				    { "{{x | lower}}", "{\"x\":\"HIGH É × Ž Ω Я Ё İ\"}",
				      "high é × ž ω я ё İ" },
				    { "{{x | upper}}", "{\"x\":\"日本 a\"}", "日本 A" },
				    { "{{x | upper | lower}}", "{\"x\":true}", "true" },
				    { 0 },
			    });
}

static void escape_and_swap_leave_nothing_that_means_more(void **state)
{
	(void)state;
	expect_all(
		"t.txt",
		(struct row[]){
			{ "{{x | escape \"*_\"}}", "{\"x\":\"a*b_c`d\"}", "a\\*b\\_c`d" },
			{ "{{x | escape \"*\"}}", "{\"x\":\"\\\\* \\\\\"}", "\\\\\\* \\\\" },
			{ "{{x | escape \"é\"}}", "{\"x\":\"éè\"}", "\\éè" },
			{ "{{x | escape *}}", "{\"x\":[\"*\"]}", "[\"\\*\"]" },
			{ "{{x | swap \"@＠*∗\"}}", "{\"x\":\"@a * \\\\\"}", "＠a ∗ \\" },
			{ "{{x | swap \"abba\"}}", "{\"x\":\"aabb\"}", "bbaa" },
			{ "{{x | swap \"\\n \"}}", "{\"x\":\"a\\nb\\tc\"}", "a b\tc" },
			{ "{{x | swap ab}}", "{\"x\":\"\\u0000\\r\\u007f\\n.\"}", "   \n." },
			{ "{{x | escape a}}", "{\"x\":\"\\u0000\\r\\u001b\\n.\"}", "   \n." },
			{ "{{x | truncate 2 | escape *}}", "{\"x\":\"***\"}", "\\*…" },
			{ "[{{x | swap ab}}]", "{}", "[]" },
			{ 0 },
		});
}

static void default_stands_in_for_nothing(void **state)
{
	(void)state;
	expect_all("t.txt",
		   (struct row[]){
			   { "{{x | default none}}", "{}", "none" },
			   { "{{x | default \"not | known\"}}", "{\"x\":null}", "not | known" },
			   { "{{x | default -}}", "{\"x\":\"\"}", "-" },
			   { "{{x | default -}}", "{\"x\":\"y\"}", "y" },
			   { "{{x | default -}}{{y | default -}}", "{\"x\":0,\"y\":false}",
			     "0false" },
			   { "{{x.y | default - | upper}}", "{\"x\":{\"y\":[1]}}", "[1]" },
			   { "{{x | default \"a\\n\\t\\\"\\\\\"}}", "{}", "a\n\t\"\\" },
			   { "{{x | default none | upper}}", "{}", "NONE" },
			   { 0 },
		   });
}

static void json_is_json_of_any_value_and_not_escaped_again(void **state)
{
	(void)state;
	expect_all(
		"t.json",
		(struct row[]){
			{ "{{x | json}}", "{\"x\":\"a\\\"\\u0001é<\"}", "\"a\\\"\\u0001é<\"" },
			{ "[{{x | json}},{{y | json}},{{z | json}}]", "{\"x\":1.50,\"y\":true}",
			  "[1.50,true,null]" },
			{ "{{x | json}}", "{\"x\":{\"a\" : [ \"\\u00e9\" ]}}",
			  "{\"a\" : [ \"\\u00e9\" ]}" },
			{ "{{. | json}}", "{\"x\":1}", "{\"x\":1}" },
			{ "{{x | json | json}}", "{\"x\":{\"a\":1}}", "\"{\\\"a\\\":1}\"" },
			{ "\"{{x | json | truncate 5}}\"", "{\"x\":{\"a\":1}}",
			  "\"{\\\"a\\\"…\"" },
			{ "{{x | truncate 2 | json}}", "{\"x\":\"\\\"\\\"\\\"\"}",
			  "\"\\\"…\"" },
			{ "\"{{x}}\"", "{\"x\":{\"a\":\"b\"}}", "\"{\\\"a\\\":\\\"b\\\"}\"" },
			{ 0 },
		});
	/* what the template's markup needs still holds */
	expect_all("t.slack.json", (struct row[]){
					   { "{{x | json}}", "{\"x\":\"<!here> & \\\"\"}",
					     "\"&lt;!here&gt; &amp; \\\"\"" },
					   { "{{{x | json}}}", "{\"x\":\"<\"}", "\"<\"" },
					   { 0 },
				   });
	expect_all("t.html",
		   (struct row[]){
			   { "{{x | json}}", "{\"x\":\"</p>\"}", "&quot;&lt;/p&gt;&quot;" },
			   { 0 },
		   });
	expect_all("t.txt",
		   (struct row[]){ { "{{x | json}}", "{\"x\":\"</p>\"}", "\"</p>\"" }, { 0 } });
}

static void date_is_for_people_unless_asked(void **state)
{
	(void)state;
	expect_all(
		"t.txt",
		(struct row[]){
			{ "{{x | date}}", "{\"x\":\"2026-11-24T03:45:56Z\"}",
			  "2026-11-24 03:45 UTC" },
			{ "{{x | date human}}", "{\"x\":\"2026-11-24T03:45:56.9+02:00\"}",
			  "2026-11-24 01:45 UTC" },
			{ "{{x | date iso}}", "{\"x\":\"2026-11-24T03:45:56.9+02:00\"}",
			  "2026-11-24T01:45:56Z" },
			{ "{{x | date unix}}", "{\"x\":\"2026-11-24T03:45:56.9Z\"}",
			  "1795491956" },
			{ "{{x | date unix}}", "{\"x\":\"1969-12-31T23:59:59.5Z\"}", "-1" },
			{ "{{x | date iso}}", "{\"x\":1795491956}", "2026-11-24T03:45:56Z" },
			{ "{{x | date iso}}", "{\"x\":1795491956789}", "2026-11-24T03:45:56Z" },
			{ "{{x | date \"%d %b %H:%M\" \"Europe/Berlin\"}}",
			  "{\"x\":\"2026-07-24T03:45:56Z\"}", "24 Jul 05:45" },
			{ "{{x | date %H:%M Europe/Berlin | truncate 9}}",
			  "{\"x\":\"2026-11-24T03:45:56Z\"}", "04:45" },
			{ "{{x | date \"%R\"}}", "{\"x\":\"2026-11-24T03:45:56Z\"}", "03:45" },
			{ "{{x | date human America/New_York}}",
			  "{\"x\":\"2026-11-24T03:45:56Z\"}", "2026-11-23 22:45 EST" },
			{ "{{x | date \"%R\" UTC}}", "{\"x\":\"soon\"}", "soon" },
			{ "{{x | date}}", "{\"x\":\"tomorrow\"}", "tomorrow" },
			{ "{{x | date}}{{y | date}}", "{\"x\":1e300,\"y\":\"\"}", "1e300" },
			{ 0 },
		});
}

static void duration_is_of_a_number_or_between_two_times(void **state)
{
	(void)state;
	expect_all(
		"t.txt",
		(struct row[]){
			{ "{{x | duration}}", "{\"x\":41}", "41 ms" },
			{ "{{x | duration ms}}", "{\"x\":5000}", "5 s" },
			{ "{{x | duration s}}", "{\"x\":600}", "10 min" },
			{ "{{b | duration a}}",
			  "{\"a\":\"2026-11-24T03:00:00Z\",\"b\":\"2026-11-24T03:10:00Z\"}",
			  "10 min" },
			{ "{{a | duration o.b}}",
			  "{\"a\":\"2026-11-24T03:00:00Z\",\"o\":{\"b\":\"2026-11-24T03:10:00Z\"}}",
			  "10 min" },
			{ "{{a | duration none}}", "{\"a\":\"2026-11-24T03:00:00Z\"}",
			  "2026-11-24T03:00:00Z" },
			{ "{{x | duration}}", "{\"x\":1e300}", "1e300" },
			{ "[{{x | duration}}]", "{\"x\":null}", "[]" },
			{ 0 },
		});
}

static void urlencode_and_join(void **state)
{
	(void)state;
	expect_all("t.txt",
		   (struct row[]){
			   { "{{x | urlencode}}", "{\"x\":\"a b/ü?&-_.~\"}",
			     "a%20b%2F%C3%BC%3F%26-_.~" },
			   { "{{x | join}}", "{\"x\":[1,\"b\",true,null,[2],{\"c\":3}]}",
			     "1, b, true, , [2], {\"c\":3}" },
			   { "{{x | join \"\\n\"}}", "{\"x\":[\"a\",\"b\"]}", "a\nb" },
			   { "{{x | join \"\"}}", "{\"x\":[\"a\",\"b\"]}", "ab" },
			   { "[{{x | join ;}}]", "{\"x\":[]}", "[]" },
			   { "{{x | join}}", "{\"x\":\"one\"}", "one" },
			   { "{{x | join}}", "{\"x\":{\"a\":1}}", "{\"a\":1}" },
			   { "{{x | join | upper | truncate 4}}", "{\"x\":[\"ab\",\"cd\"]}",
			     "AB,…" },
			   { 0 },
		   });
}

static void a_filter_works_on_the_context_and_within_lists(void **state)
{
	(void)state;
	expect_all(
		"t.txt",
		(struct row[]){
			{ "{{#l}}{{. | upper}}{{.}}{{/l}}", "{\"l\":[\"a\",\"b\"]}", "AaBb" },
			{ "{{{ x | upper }}}{{& x | upper}}", "{\"x\":\"a\"}", "AA" },
			{ 0 },
		});
}

static void expect_error(const char *text, const char *error)
{
	struct err err = { "" };
	char *expected = mem_printf("t.txt:1:1: %s", error);

	assert_null(case_compile("t.txt", text, NULL, &err));
	assert_string_equal(err.text, expected);
	mem_free(&expected);
}

static void a_wrong_filter_is_an_error_of_the_template(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "{{x | trunc 5}}",
		  "no filter \"trunc\"; there are truncate upper lower default "
		  "json date duration urlencode join escape swap money steps" },
		{ "{{x | uper}}", "no filter \"uper\"; did you mean \"upper\"?" },
		{ "{{x |}}", "a | without a filter behind it" },
		{ "{{x | upper |}}", "a | without a filter behind it" },
		{ "{{x || upper}}", "a | without a filter behind it" },
		{ "{{x | upper lower}}", "upper takes no argument" },
		{ "{{x | truncate}}", "truncate takes a count of characters: truncate 80" },
		{ "{{x | truncate 0}}", "truncate takes a count of characters: truncate 80" },
		{ "{{x | truncate -1}}", "truncate takes a count of characters: truncate 80" },
		{ "{{x | truncate 99999999999999999999999}}",
		  "truncate takes a count of characters: truncate 80" },
		{ "{{x | default}}", "default takes one word: default \"none\"" },
		{ "{{x | default a b}}", "default takes one word: default \"none\"" },
		{ "{{x | default \"a}}", "a quote that is not closed" },
		{ "{{x | escape}}",
		  "escape takes the characters that get a \\ before them: escape \"*_`\"" },
		{ "{{x | swap abc}}",
		  "swap takes pairs of characters, each first of which becomes the second: "
		  "swap \"@＠\"" },
		{ "{{x | date us}}", "date takes human, iso, unix or a pattern, then a zone: "
				     "date \"%d %b %H:%M\" \"Europe/Berlin\"" },
		{ "{{x | date \"\"}}", "date takes human, iso, unix or a pattern, then a zone: "
				       "date \"%d %b %H:%M\" \"Europe/Berlin\"" },
		{ "{{x | date %R UTC UTC}}",
		  "date takes human, iso, unix or a pattern, then a zone: "
		  "date \"%d %b %H:%M\" \"Europe/Berlin\"" },
		{ "{{x | date %R Europe/Berln}}",
		  "no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?" },
		{ "{{x | date iso Europe/Berlin}}", "date iso is UTC and takes no zone" },
		{ "{{x | date \"%Q\"}}",
		  "no date has %Q; there are %Y %y %m %d %e %B %b %A %a %H %I %p %M %S %z %Z %s "
		  "%F %T %R %%" },
		{ "{{x | json 3}}", "json takes no argument" },
		{ "{{x | urlencode x}}", "urlencode takes no argument" },
		{ "{{x | lower x}}", "lower takes no argument" },
		{ "{{x | join a b}}", "join takes one word: join \", \"" },
		{ "{{x | money}}",
		  "money takes a currency, or the name of one: money EUR, money budget.currency" },
		{ "{{x | money \"\"}}",
		  "money takes a currency, or the name of one: money EUR, money budget.currency" },
		{ "{{x | money EUR USD}}",
		  "money takes a currency, or the name of one: money EUR, money budget.currency" },
		{ "{{x | duration a b}}",
		  "duration takes ms, s, or the name of a time: duration created_at" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_error(rows[i].text, rows[i].error);
}

static void steps_that_do_not_rise_are_an_error(void **state)
{
	static const char *const texts[] = {
		"{{x | steps}}",
		"{{x | steps \"\"}}",
		"{{x | steps low}}",
		"{{x | steps \"low 75\"}}",
		"{{x | steps \"low 75 high over\"}}",
		"{{x | steps \"low 90 high 75 over\"}}",
		"{{x | steps \"low 75 high 75 over\"}}",
		"{{x | steps \"low 75% high\"}}",
		"{{x | steps low high}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		expect_error(texts[i],
			     "steps takes words, and between them the numbers at which the "
			     "next begins: steps \"low 75 high 90 over\"");
}

static void expect_money(const char *amount, const char *currency, const char *want)
{
	char *template = mem_printf("{{x | money %s}}", currency);
	char *data = mem_printf("{\"x\":%s}", amount);

	case_expect("x.txt.mustache", template, data, NULL, want);
	mem_free(&template);
	mem_free(&data);
}

static void money_is_written_as_its_currency_is(void **state)
{
	static const struct {
		const char *amount, *currency, *want;
	} rows[] = {
		{ "0", "USD", "$0.00" },
		{ "1", "USD", "$1.00" },
		{ "1234.5", "USD", "$1,234.50" },
		{ "123456.789", "EUR", "€123,456.79" },
		{ "999", "GBP", "£999.00" },
		{ "1000000", "JPY", "¥1,000,000" },
		{ "1234.5", "JPY", "¥1,235" },
		{ "1234.4999", "JPY", "¥1,234" },
		{ "18400.10", "CHF", "CHF 18,400.10" },
		{ "1.2345", "KWD", "KWD 1.235" },
		{ "1.23456", "CLF", "CLF 1.2346" },
		{ "5", "XYZ", "XYZ 5.00" },
		/* cents that a double has not: 0.615 is 0.61499… there */
		{ "0.615", "USD", "$0.62" },
		{ "1.005", "USD", "$1.01" },
		{ "9007199254740993.07", "USD", "$9,007,199,254,740,993.07" },
		{ "123456789012345678901234567890.12", "USD",
		  "$123,456,789,012,345,678,901,234,567,890.12" },
		{ "0.004", "USD", "$0.00" },
		{ "0.005", "USD", "$0.01" },
		{ "0.0049999999", "USD", "$0.00" },
		{ "0.05", "USD", "$0.05" },
		{ "0.994", "USD", "$0.99" },
		{ "0.995", "USD", "$1.00" },
		{ "9.999", "USD", "$10.00" },
		{ "99999.995", "USD", "$100,000.00" },
		{ "0.5", "JPY", "¥1" },
		{ "0.4", "JPY", "¥0" },
		{ "-5", "USD", "-$5.00" },
		{ "-0.001", "USD", "$0.00" },
		{ "-0.0", "USD", "$0.00" },
		{ "-1234567.891", "CHF", "-CHF 1,234,567.89" },
		{ "1e3", "USD", "$1,000.00" },
		{ "1.5e+1", "USD", "$15.00" },
		{ "125E-2", "USD", "$1.25" },
		{ "1e-9", "USD", "$0.00" },
		{ "1e-99999", "USD", "$0.00" },
		{ "0e99999", "USD", "$0.00" },
		{ "1e30", "USD", "$1,000,000,000,000,000,000,000,000,000,000.00" },
		{ "\"12.50\"", "USD", "$12.50" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_money(rows[i].amount, rows[i].currency, rows[i].want);
}

static void money_of_a_currency_that_an_alert_names(void **state)
{
	static const struct {
		const char *data, *want;
	} rows[] = {
		{ "{\"b\":{\"spent\":9.5,\"currency\":\"EUR\"}}", "€9.50" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":\"eur\"}}", "€9.50" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":\"jpy\"}}", "¥10" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":\"XTS\"}}", "XTS 9.50" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":null}}", "9.50" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":\"\"}}", "9.50" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":\"credits\"}}", "9.50 credits" },
		{ "{\"b\":{\"spent\":9.5,\"currency\":[\"EUR\"]}}", "9.50" },
		{ "{\"b\":{\"spent\":9.5}}", "9.50" },
		{ "{\"b\":{\"spent\":null,\"currency\":\"EUR\"}}", "" },
		{ "{}", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		case_expect("x.txt.mustache", "{{b.spent | money b.currency}}", rows[i].data,
			    NULL, rows[i].want);
}

static void what_is_no_amount_stays_as_it_is(void **state)
{
	static const char *const texts[] = { "much", "1,5", "1.",   ".5",  "1e",     "1e+",
					     "--1",  "+1",  "0x10", "NaN", "12 EUR", "1e41" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *amount = mem_printf("\"%s\"", texts[i]);

		expect_money(amount, "USD", texts[i]);
		mem_free(&amount);
	}
}

static void steps_choose_a_word_by_a_number(void **state)
{
	static const char three[] = "{{x | steps \"green 75 orange 90.1 red\"}}";
	static const struct {
		const char *template, *data, *want;
	} rows[] = {
		{ three, "{\"x\":0}", "green" },
		{ three, "{\"x\":-5}", "green" },
		{ three, "{\"x\":74.9}", "green" },
		{ three, "{\"x\":75}", "orange" },
		{ three, "{\"x\":7.5e1}", "orange" },
		{ three, "{\"x\":90.0}", "orange" },
		{ three, "{\"x\":90.1}", "red" },
		{ three, "{\"x\":1e300}", "red" },
		{ three, "{\"x\":\"80.5\"}", "orange" },
		{ "{{x | steps \"  a   -1  b  \"}}", "{\"x\":0}", "b" },
		{ "{{x | steps \"a 0.5 b\" | upper}}", "{\"x\":0.25}", "A" },
		{ "{{x | steps \"🟢 75 🟠 90 🔴\"}}", "{\"x\":99}", "🔴" },
		{ "[{{x | steps \"--- 33 #-- 66 ##- 100 ###\"}}]", "{\"x\":99.9}", "[##-]" },
		/* what is no number chooses none, whatever it says */
		{ three, "{\"x\":\"much\"}", "" },
		{ three, "{\"x\":\"\"}", "" },
		{ three, "{\"x\":null}", "" },
		{ three, "{\"x\":true}", "" },
		{ three, "{\"x\":[80]}", "" },
		{ three, "{\"x\":1e999}", "" },
		{ three, "{}", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		case_expect("x.txt.mustache", rows[i].template, rows[i].data, NULL,
			    rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncate_counts_characters_and_never_splits_one),
		cmocka_unit_test(truncate_says_how_much_is_gone),
		cmocka_unit_test(upper_and_lower_know_latin_greek_and_cyrillic),
		cmocka_unit_test(escape_and_swap_leave_nothing_that_means_more),
		cmocka_unit_test(default_stands_in_for_nothing),
		cmocka_unit_test(json_is_json_of_any_value_and_not_escaped_again),
		cmocka_unit_test(date_is_for_people_unless_asked),
		cmocka_unit_test(duration_is_of_a_number_or_between_two_times),
		cmocka_unit_test(money_is_written_as_its_currency_is),
		cmocka_unit_test(money_of_a_currency_that_an_alert_names),
		cmocka_unit_test(what_is_no_amount_stays_as_it_is),
		cmocka_unit_test(steps_choose_a_word_by_a_number),
		cmocka_unit_test(steps_that_do_not_rise_are_an_error),
		cmocka_unit_test(urlencode_and_join),
		cmocka_unit_test(a_filter_works_on_the_context_and_within_lists),
		cmocka_unit_test(a_wrong_filter_is_an_error_of_the_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
