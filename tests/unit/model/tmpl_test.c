/*
 * The rules of Mustache, each as a table of templates, data and what must come out. With
 * arguments it runs files of cases in the shape that the Mustache specification publishes
 * (JSON: { "tests": [ { name, data, template, partials, expected } ] }) and counts failures.
 */
#include <stdlib.h>

#include "tmpl_case.h"

struct row {
	const char *text, *data, *expected;
};

static void expect_all(const struct row *row)
{
	for (; row->text != NULL; row++)
		case_expect("page.html", row->text, row->data, NULL, row->expected);
}

struct partial_row {
	const char *text, *data, *expected;
	struct partial partials[3];
};

static void expect_partials(const struct partial_row *row)
{
	for (; row->text != NULL; row++)
		case_expect("page.html", row->text, row->data, row->partials, row->expected);
}

static void a_name_is_replaced_by_its_value(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "no tags\n", "{}", "no tags\n" },
		{ "", "{}", "" },
		{ "Dear {{who}}!", "{\"who\":\"Ada\"}", "Dear Ada!" },
		{ "{{  who\t}}|{{\nwho\n}}", "{\"who\":\"Ada\"}", "Ada|Ada" },
		{ " {{who}} \n", "{\"who\":\"Ada\"}", " Ada \n" },
		{ "{{n}} {{f}} {{e}}", "{\"n\":85,\"f\":1.50,\"e\":1E400}", "85 1.50 1E400" },
		{ "{{big}}", "{\"big\":12345678901234567890123}", "12345678901234567890123" },
		{ "{{yes}}{{no}}", "{\"yes\":true,\"no\":false}", "truefalse" },
		{ "[{{nil}}][{{none}}]", "{\"nil\":null}", "[][]" },
		{ "{{o}}", "{\"o\":{\"a\": [1, 2]}}", "{&quot;a&quot;: [1, 2]}" },
		{ "{{=[ ]=}}[a-b?]", "{\"a-b?\":1}", "1" },
		{ 0 },
	});
}

static void only_two_braces_escape(void **state)
{
	static const char data[] = "{\"x\":\"<a href=\\\"&\\\">'\"}";

	(void)state;
	expect_all((struct row[]){
		{ "{{x}}", data, "&lt;a href=&quot;&amp;&quot;&gt;&#39;" },
		{ "{{{x}}}", data, "<a href=\"&\">'" },
		{ "{{{ x }}}", data, "<a href=\"&\">'" },
		{ "{{&x}}{{& x }}", data, "<a href=\"&\">'<a href=\"&\">'" },
		{ "{{ & x }}", data, "<a href=\"&\">'" },
		{ "{{=<% %>=}}<%{x}%>", data, "<a href=\"&\">'" },
		{ "{a:{{{n}}}}", "{\"n\":1}", "{a:1}" },
		{ 0 },
	});
}

static void a_dotted_name_walks_from_what_its_first_part_finds(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "{{a.b.c}}", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "x" },
		{ "[{{a.b.c}}]", "{\"a\":{\"b\":{}},\"c\":\"x\"}", "[]" },
		{ "[{{a.b}}]", "{\"a\":{},\"b\":\"x\"}", "[]" },
		{ "[{{a.b}}]", "{\"a\":null}", "[]" },
		{ "[{{a.b.c}}]", "{\"a\":{\"b\":\"text\"}}", "[]" },
		{ "[{{a.b}}]", "{\"a.b\":\"x\"}", "[]" },
		{ "{{#o}}[{{a.b}}]{{/o}}", "{\"a\":{\"b\":\"far\"},\"o\":{\"a\":{}}}", "[]" },
		{ "{{#o}}[{{a.b}}]{{/o}}", "{\"a\":{\"b\":\"far\"},\"o\":{\"c\":1}}", "[far]" },
		{ "{{#a.b}}{{c}}{{/a.b}}", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "x" },
		{ "{{^a.b}}none{{/a.b}}", "{\"a\":{}}", "none" },
		{ 0 },
	});
}

static void a_dot_is_the_context_itself(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "{{.}}", "\"a & b\"", "a &amp; b" },
		{ "{{{.}}}{{&.}}", "\"&\"", "&&" },
		{ "{{#l}}({{.}}){{/l}}", "{\"l\":[1,\"b\",2.50,true,null]}",
		  "(1)(b)(2.50)(true)()" },
		{ "{{#l}}[{{#.}}{{.}}{{/.}}]{{/l}}", "{\"l\":[[1,2],[],[3]]}", "[12][][3]" },
		{ "{{#.}}{{x}}{{/.}}", "[{\"x\":1},{\"x\":2}]", "12" },
		{ "{{#s}}<{{.}}>{{/s}}", "{\"s\":\"text\"}", "<text>" },
		{ 0 },
	});
}

static void a_section_stands_for_each_member_or_for_truth(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "{{#x}}yes{{/x}}", "{\"x\":true}", "yes" },
		{ "{{# x }}yes{{/ x }}", "{\"x\":true}", "yes" },
		{ "[{{#x}}yes{{/x}}]", "{\"x\":false}", "[]" },
		{ "[{{#x}}yes{{/x}}]", "{\"x\":null}", "[]" },
		{ "[{{#x}}yes{{/x}}]", "{}", "[]" },
		{ "[{{#x}}yes{{/x}}]", "{\"x\":\"\"}", "[]" },
		{ "[{{#x}}yes{{/x}}]", "{\"x\":[]}", "[]" },
		{ "[{{#x}}yes{{/x}}]", "{\"x\":{}}", "[yes]" },
		{ "[{{#x}}yes{{/x}}]", "{\"x\":0}", "[yes]" },
		{ "{{#l}}{{n}},{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}", "1,2," },
		{ "{{#o}}{{a}}{{b}}{{/o}}{{a}}", "{\"o\":{\"a\":1},\"a\":0,\"b\":2}", "120" },
		{ "{{#o}}[{{a}}]{{/o}}", "{\"o\":{\"a\":null},\"a\":\"far\"}", "[]" },
		{ "{{#a}}{{#b}}{{x}}{{y}}{{/b}}{{/a}}",
		  "{\"a\":{\"x\":1,\"y\":1},\"b\":{\"x\":2}}", "21" },
		{ "{{#x}}a{{/x}}{{#x}}b{{/x}}", "{\"x\":true}", "ab" },
		{ "{{#x}}1{{#x}}2{{/x}}3{{/x}}", "{\"x\":true}", "123" },
		{ "{{^x}}no{{/x}}", "{\"x\":false}", "no" },
		{ "{{^x}}no{{/x}}{{^y}}none{{/y}}", "{\"x\":[]}", "nonone" },
		{ "[{{^x}}no{{/x}}]", "{\"x\":[0]}", "[]" },
		{ "[{{^x}}no{{/x}}]", "{\"x\":{\"a\":1}}", "[]" },
		{ "{{#l}}{{^n}}-{{/n}}{{n}}{{/l}}", "{\"l\":[{\"n\":1},{}]}", "1-" },
		{ 0 },
	});
}

static void an_equality_section_compares_with_a_word(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "{{#s = high}}H{{/s}}{{#s = low}}L{{/s}}", "{\"s\":\"high\"}", "H" },
		{ "{{^s = high}}not{{/s}}{{^s=low}}not low{{/s}}", "{\"s\":\"high\"}",
		  "not low" },
		{ "{{#s=high}}{{t}}{{.}}{{/s = high}}", "{\"s\":\"high\",\"t\":1}",
		  "1{&quot;s&quot;:&quot;high&quot;,&quot;t&quot;:1}" },
		{ "{{#a.b = 4.0}}four{{/a.b}}", "{\"a\":{\"b\":4.0}}", "four" },
		{ "{{#x = true}}T{{/x}}", "{\"x\":true}", "T" },
		{ "{{#s = two words}}2{{/s}}", "{\"s\":\"two words\"}", "2" },
		{ "{{#s = \" a \\\"b\\\" \"}}q{{/s}}", "{\"s\":\" a \\\"b\\\" \"}", "q" },
		{ "{{#s = \"\"}}empty{{/s}}{{#t =}}none{{/t}}", "{\"s\":null}", "emptynone" },
		{ "[{{#l = a}}x{{/l}}]", "{\"l\":[\"a\"]}", "[]" },
		{ "{{#s = a}}{{#s = b}}{{/s}}{{^s = b}}ok{{/s}}{{/s}}", "{\"s\":\"a\"}", "ok" },
		{ 0 },
	});
}

static void a_comment_leaves_nothing(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "12{{! a comment }}34", "{}", "1234" },
		{ "12{{!\n  lines\n}}34", "{}", "1234" },
		{ "a\n{{! alone }}\nb\n", "{}", "a\nb\n" },
		{ "a\n  {{! alone }}  \nb\n", "{}", "a\nb\n" },
		{ "a\r\n{{! alone }}\r\nb", "{}", "a\r\nb" },
		{ "a\n  {{!\n x\n y }}\nb", "{}", "a\nb" },
		{ "  {{! first }}\nb", "{}", "b" },
		{ "a\n  {{! last }}", "{}", "a\n" },
		{ "  a {{! not alone }}\n", "{}", "  a \n" },
		{ "{{! name }}{{name}}", "{\"! name\":1,\"name\":2}", "2" },
		{ 0 },
	});
}

static void a_tag_alone_takes_its_line_with_it(void **state)
{
	static const char yes[] = "{\"x\":true}";

	(void)state;
	expect_all((struct row[]){
		{ "a\n{{#x}}\nb\n{{/x}}\nc\n", yes, "a\nb\nc\n" },
		{ "a\n  {{#x}}  \nb\n\t{{/x}}\nc\n", yes, "a\nb\nc\n" },
		{ "a\r\n{{#x}}\r\nb\r\n{{/x}}\r\n", yes, "a\r\nb\r\n" },
		{ "{{#x}}\nb\n{{/x}}", yes, "b\n" },
		{ "a\n{{^n}}\nb\n{{/n}}\n", yes, "a\nb\n" },
		{ " {{#x}}b{{/x}}\n", yes, " b\n" },
		{ " {{#x}} b {{/x}} \n", yes, "  b  \n" },
		{ " {{#x}} {{/x}}\n", yes, "  \n" },
		{ " {{#x}}\n b\n {{/x}} c", yes, " b\n  c" },
		{ "a{{#x}}\nb\n{{/x}}\n", yes, "a\nb\n" },
		{ "{{#x}}{{! both }}\nb{{/x}}", yes, "\nb" },
		{ " {{x}}\n", yes, " true\n" },
		{ "\n\n{{#x}}\n\n{{/x}}\n\n", yes, "\n\n\n\n" },
		{ "a\r{{#x}}\rb{{/x}}", yes, "a\r\rb" },
		{ 0 },
	});
}

static void delimiters_change_until_they_change_again(void **state)
{
	(void)state;
	expect_all((struct row[]){
		{ "{{=<% %>=}}(<%x%>){{x}}", "{\"x\":1}", "(1){{x}}" },
		{ "{{=| |=}}(|x|)", "{\"x\":1}", "(1)" },
		{ "{{= @@   $ =}}@@x$@@={{ }}=${{x}}", "{\"x\":1}", "11" },
		{ "a\n{{=| |=}}\nb|x|", "{\"x\":1}", "a\nb1" },
		{ "a\n  {{=| |=}}  \r\nb", "{}", "a\nb" },
		{ " {{=| |=}} b", "{}", "  b" },
		{ "{{=| |=}}|#x|{{.}}|.||/x|", "{\"x\":[1,2]}", "{{.}}1{{.}}2" },
		{ 0 },
	});
}

static void a_partial_is_rendered_in_place(void **state)
{
	(void)state;
	expect_partials((struct partial_row[]){
		{ "[{{>p}}]", "{}", "[text]", { { "p", "text" } } },
		{ "[{{> none }}]", "{}", "[]", { { 0 } } },
		{ "{{>p}}", "{\"x\":\"&\"}", "*&amp;*", { { "p", "*{{x}}*" } } },
		{ "{{#l}}{{>dir/p-1.x}}{{/l}}",
		  "{\"l\":[1,2]}",
		  "<1><2>",
		  { { "dir/p-1.x", "<{{.}}>" } } },
		{ "{{>p}}",
		  "{\"n\":1,\"l\":[{\"n\":2,\"l\":[{\"n\":3,\"l\":[]}]}]}",
		  "1<2<3>>",
		  { { "p", "{{n}}{{#l}}<{{>p}}>{{/l}}" } } },
		{ "{{>a}}", "{}", "1 2 1", { { "a", "1 {{>b}} 1" }, { "b", "2" } } },
		{ "| {{>p}} |", "{}", "| \t|\t |", { { "p", "\t|\t" } } },
		{ "{{x}} {{>p}}\n", "{\"x\":0}", "0 1\n2\n", { { "p", "1\n2" } } },
		{ "{{=| |=}}|>p|.|x|", "{\"x\":1}", "1.1", { { "p", "{{x}}" } } },
		{ "{{>p}}{{x}}", "{\"x\":1}", "11", { { "p", "{{=| |=}}|x|" } } },
		{ 0 },
	});
}

static void a_partial_alone_is_indented_with_all_its_lines(void **state)
{
	static const char data[] = "{\"x\":\"1\\n2\",\"y\":[1,2],\"z\":true}";

	(void)state;
	expect_partials((struct partial_row[]){
		{ "a\n  {{>p}}\nb", data, "a\n  1\n  2\nb", { { "p", "1\n2\n" } } },
		{ "a\r\n{{>p}}\r\nb", data, "a\r\n1b", { { "p", "1" } } },
		{ "  {{>p}}\n>", data, "  >>", { { "p", ">" } } },
		{ ">\n  {{>p}}", data, ">\n  >\n  >", { { "p", ">\n>" } } },
		/* what values bring is not the partial's own */
		{ " {{>p}}\n", data, " |\n 1\n2\n |\n", { { "p", "|\n{{{x}}}\n|\n" } } },
		{ " {{>p}}\n",
		  data,
		  " 1 1\n 2 2\n",
		  { { "p", "{{#y}}\n{{.}} {{.}}\n{{/y}}\n" } } },
		{ " {{>p}}\n",
		  data,
		  " a\n b\n",
		  { { "p", "{{#z}}a{{/z}}\n{{#z}}b\n{{/z}}" } } },
		{ " {{>p}}\n",
		  data,
		  " a\n \n \tb\n",
		  { { "p", "a\n{{! x }}{{none}}\n\tb\n" } } },
		{ "\t{{>p}}\n",
		  data,
		  "\ta\n\t b\n\t c\n\td\n",
		  { { "p", "a\n {{>q}}\nd\n" }, { "q", "b\nc\n" } } },
		{ 0 },
	});
}

static void a_mistake_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "a {{b", "t.txt:1:3: a tag that is not closed: no }} follows" },
		{ "{{{b}}", "t.txt:1:1: a tag that is not closed: no }}} follows" },
		{ "\n\xc3\xa9{{#b}}x", "t.txt:2:2: {{#b}} is not closed" },
		{ "x{{/b}}", "t.txt:1:2: {{/b}} closes nothing" },
		{ "{{#a}}\n {{/b}}", "t.txt:2:2: {{/b}} closes {{#a}} of line 1" },
		{ "{{}}", "t.txt:1:1: a tag without a name" },
		{ "{{#}}{{/}}", "t.txt:1:1: a tag without a name" },
		{ "{{a b}}", "t.txt:1:1: white space in a name; a filter follows a |" },
		{ "{{a..b}}", "t.txt:1:1: a name with an empty part between dots" },
		{ "{{.a}}", "t.txt:1:1: a name with an empty part between dots" },
		{ "{{a.}}", "t.txt:1:1: a name with an empty part between dots" },
		{ "{{a = b}}", "t.txt:1:1: = needs a section: {{#name = word}}…{{/name}}" },
		{ "{{#a b}}{{/a}}", "t.txt:1:1: a section takes a name, or name = word" },
		{ "{{#a != b}}{{/a}}", "t.txt:1:1: a section takes a name, or name = word" },
		{ "{{#a = \"b}}{{/a}}", "t.txt:1:1: a quote that is not closed" },
		{ "{{#a = \"b\" c}}{{/a}}", "t.txt:1:1: something follows the quoted word" },
		{ "{{>a b}}", "t.txt:1:1: a partial needs one name of at most 200 bytes" },
		{ "{{>}}", "t.txt:1:1: a partial needs one name of at most 200 bytes" },
		{ "{{>*a}}", "t.txt:1:1: a partial's name cannot be dynamic" },
		{ "{{$a}}{{/a}}",
		  "t.txt:1:1: blocks and parents (template inheritance) are not "
		  "supported" },
		{ "{{=a=}}", "t.txt:1:1: delimiters are two words of 1 to 16 bytes without =: "
			     "{{=<% %>=}}" },
		{ "{{=a b c=}}",
		  "t.txt:1:1: delimiters are two words of 1 to 16 bytes without =: "
		  "{{=<% %>=}}" },
		{ "{{x | default \"\\n\\n\"}}\n  {{",
		  "t.txt:2:3: a tag that is not closed: no }} "
		  "follows" },
		{ "{{>p}}", "p:1:2: {{/x}} closes nothing" },
		{ "{{^b}}x", "t.txt:1:1: {{^b}} is not closed" },
		{ "{{^b = c}}{{/d}}", "t.txt:1:11: {{/d}} closes {{^b}} of line 1" },
		{ "\xff", "t.txt:1:1: not UTF-8" },
		{ "a\n\xc3\xa9\xc3", "t.txt:2:2: not UTF-8" },
	};
	static const struct partial partials[] = { { "p", " {{/x}}" }, { 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { "" };
		struct tmpl *t = case_compile("t.txt", rows[i].text, partials, &err);

		assert_null(t);
		assert_string_equal(err.text, rows[i].error);
	}
}

/* ---- files of cases ---------------------------------------------------------------------- */

static char *text_of(const struct json_value *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	return text != NULL ? mem_dup(text, len) : mem_strdup("");
}

static bool run_case(const struct json *doc, const struct json_value *test)
{
	struct json_span data = json_bytes(doc, json_get(test, "data"));
	struct partial partials[8] = { 0 };
	char *text = text_of(json_get(test, "template"));
	char *expected = text_of(json_get(test, "expected"));
	char *copy = mem_dup(data.at, data.len);
	size_t count = 0;
	char *got;
	bool ok;

	for (const struct json_value *p = json_first(json_get(test, "partials"));
	     p != NULL && count < ARRAY_LEN(partials) - 1; p = json_next(p))
		partials[count++] = (struct partial){ json_key(p), json_text(p, NULL) };
	got = case_render("spec", text, copy, partials);
	ok = strcmp(got, expected) == 0;
	if (!ok)
		printf("FAILED %s\n%s\nmust be\n%s\nis\n%s\n",
		       json_text(json_get(test, "name"), NULL), text, expected, got);
	mem_free(&got);
	mem_free(&copy);
	mem_free(&expected);
	mem_free(&text);
	return ok;
}

static int run_file(const char *path)
{
	static char bytes[1 << 20];
	struct err err = { "" };
	FILE *file = fopen(path, "r");
	size_t len = file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0;
	struct json *doc = json_parse(bytes, len, &err);
	int failed = 0, count = 0;

	if (file != NULL)
		fclose(file);
	for (const struct json_value *t = json_first(json_get(json_root(doc), "tests"));
	     t != NULL; t = json_next(t), count++)
		failed += !run_case(doc, t);
	printf("%s: %d cases, %d failed %s\n", path, count, failed, err.text);
	json_free(&doc);
	return count == 0 ? 1 : failed;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_replaced_by_its_value),
		cmocka_unit_test(only_two_braces_escape),
		cmocka_unit_test(a_dotted_name_walks_from_what_its_first_part_finds),
		cmocka_unit_test(a_dot_is_the_context_itself),
		cmocka_unit_test(a_section_stands_for_each_member_or_for_truth),
		cmocka_unit_test(an_equality_section_compares_with_a_word),
		cmocka_unit_test(a_comment_leaves_nothing),
		cmocka_unit_test(a_tag_alone_takes_its_line_with_it),
		cmocka_unit_test(delimiters_change_until_they_change_again),
		cmocka_unit_test(a_partial_is_rendered_in_place),
		cmocka_unit_test(a_partial_alone_is_indented_with_all_its_lines),
		cmocka_unit_test(a_mistake_is_told_with_its_place),
	};
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed += run_file(argv[i]);
	if (argc > 1)
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
