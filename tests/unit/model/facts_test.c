/* Every name of the table, alone, in a message of one and in a digest. */
#include "model/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/json.h"
#include "model/sink.h"

static const char bytes_a[] =
	"{\"id\":\"a1\",\"org_id\":\"o1\",\"type\":\"anomaly_detected\",\"severity\":\"high\","
	"\"status\":\"open\",\"title\":\"T\\u0000x\",\"message\":\"M\",\"user_id\":null,"
	"\"created_at\":\"2025-01-15T10:30:00Z\",\"resolved_at\":null,\"sink\":\"theirs\","
	"\"metadata\":{\"model\":\"gpt-4\",\"token_count\":4200.0,\"deep\":{\"er\":[true]}},"
	"\"new_field\":9007199254740993,\"count\":77}";
static const char bytes_b[] =
	"{\"id\":\"b1\",\"title\":\"B\",\"user\":{\"name\":\"theirs\"},\"policy\":\"theirs\","
	"\"budgets\":[\"theirs\"]}";
static const char bytes_known[] =
	"{\"user\":{\"name\":\"Jane\",\"department\":null,\"a\":{\"b\":[1]}},\"policy\":null,"
	"\"budget\":{\"amount\":5000.00,\"percent\":84.2},\"title\":\"theirs\"}";

static struct pair vars[] = { { .name = (char *)(uintptr_t) "team",
				.value = (char *)(uintptr_t) "sec" } };

struct world {
	struct alert a, b;
	struct json *known;
	struct facts facts[2];
	struct message message;
};

static void world_init(struct world *w, size_t count)
{
	assert_true(alert_read(&w->a, bytes_a, sizeof(bytes_a) - 1, NULL));
	assert_true(alert_read(&w->b, bytes_b, sizeof(bytes_b) - 1, NULL));
	w->known = json_parse(bytes_known, sizeof(bytes_known) - 1, NULL);
	w->facts[0] = (struct facts){
		.alert = &w->a,
		.context = w->known,
		.event = EVENT_RESOLVED,
		.first = true,
		.source = "acme",
		.route = "page",
		.link = "https://x/a1",
		.at = 1795491956789,
		.repeat = 3,
		.vars = vars,
		.var_count = 1,
	};
	w->facts[1] = (struct facts){ .alert = &w->b, .at = 1795492000000, .sink = "own" };
	w->message = (struct message){
		.alerts = w->facts,
		.count = count,
		.sink = "bus",
		.delivery_id = "tcs_1",
		.possible_repeat = true,
		.why = count > 1 ? "quiet" : NULL,
	};
}

static void world_release(struct world *w)
{
	alert_release(&w->a);
	alert_release(&w->b);
	json_free(&w->known);
}

/* "kind:text"; "-" for no such name, "null" for a known one without value. */
static void expect(const struct value *v, const char *path, const char *expected)
{
	static const char *const kinds[] = {
		[VALUE_MISSING] = "null", [VALUE_TEXT] = "text:", [VALUE_NUMBER] = "number:",
		[VALUE_BOOL] = "bool:",   [VALUE_RAW] = "raw:",   [VALUE_JSON] = "json",
		[VALUE_FACTS] = "facts",  [VALUE_LIST] = "list",  [VALUE_MESSAGE] = "message",
		[VALUE_VARS] = "vars",
	};
	struct value out;
	bool found = value_path(v, path, strlen(path), &out);
	char *got = found ? mem_printf("%s%.*s", kinds[out.kind], (int)out.len, out.text)
			  : mem_strdup("-");

	if (!found)
		assert_int_equal(out.kind, VALUE_MISSING);
	if (strcmp(got, expected) != 0)
		fail_msg("%s must be %s, is %s", path, expected, got);
	mem_free(&got);
}

static void one_alert_knows_its_names(void **state)
{
	struct world w;
	struct value v;

	(void)state;
	world_init(&w, 1);
	value_of_facts(&w.facts[0], &v);
	expect(&v, "event", "text:resolved");
	expect(&v, "first", "bool:true");
	expect(&v, "id", "text:a1");
	expect(&v, "org_id", "text:o1");
	expect(&v, "type", "text:anomaly_detected");
	expect(&v, "severity", "text:high");
	expect(&v, "status", "text:open");
	expect(&v, "message", "text:M");
	expect(&v, "user_id", "null");
	expect(&v, "policy_id", "-");
	expect(&v, "created_at", "text:2025-01-15T10:30:00Z");
	expect(&v, "resolved_at", "null");
	expect(&v, "metadata", "json");
	expect(&v, "metadata.model", "text:gpt-4");
	expect(&v, "metadata.token_count", "number:4200.0");
	expect(&v, "metadata.deep.er", "json");
	expect(&v, "metadata.none", "-");
	expect(&v, "metadata.model.x", "-");
	expect(&v, "new_field", "number:9007199254740993");
	expect(&v, "source", "text:acme");
	expect(&v, "route", "text:page");
	expect(&v, "possible_repeat", "bool:false");
	expect(&v, "at", "text:2026-11-24T03:45:56Z");
	expect(&v, "link", "text:https://x/a1");
	expect(&v, "repeat", "number:3");
	expect(&v, "vars.team", "text:sec");
	expect(&v, "vars.none", "-");
	expect(&v, "test", "bool:false");
	expect(&v, "index", "number:0");
	expect(&v, "last", "bool:true");
	expect(&v, "nothing", "-");
	expect(&v, "", "-");
	expect(&v, "metadata.", "-");
	expect(&v, ".id", "-");
	world_release(&w);
}

static void a_text_is_whole_past_a_nul(void **state)
{
	struct world w;
	struct value v, out;

	(void)state;
	world_init(&w, 1);
	value_of_facts(&w.facts[0], &v);
	assert_true(value_get(&v, "title", 5, &out));
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.text, "T\0x", 3);
	assert_true(value_get(&v, "raw", 3, &out));
	assert_int_equal(out.kind, VALUE_RAW);
	assert_int_equal(out.len, sizeof(bytes_a) - 1);
	assert_memory_equal(out.text, bytes_a, out.len);
	world_release(&w);
}

static void what_only_a_message_knows_an_alert_leaves_to_it(void **state)
{
	static const char *const names[] = { "sink",   "delivery_id", "count",
					     "alerts", "why",         "storm" };
	struct world w;
	struct value v;

	(void)state;
	world_init(&w, 1);
	value_of_facts(&w.facts[0], &v);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		expect(&v, names[i], "-");
	value_of_facts(&w.facts[1], &v);
	expect(&v, "sink", "text:own");
	expect(&v, "link", "null");
	expect(&v, "repeat", "null");
	world_release(&w);
}

static void a_message_of_one_answers_for_its_alert(void **state)
{
	struct world w;
	struct value v;

	(void)state;
	world_init(&w, 1);
	value_of_message(&w.message, &v);
	expect(&v, "event", "text:resolved");
	expect(&v, "id", "text:a1");
	expect(&v, "metadata.model", "text:gpt-4");
	expect(&v, "source", "text:acme");
	expect(&v, "sink", "text:bus");
	expect(&v, "delivery_id", "text:tcs_1");
	expect(&v, "possible_repeat", "bool:true");
	expect(&v, "first", "bool:true");
	expect(&v, "test", "bool:false");
	expect(&v, "at", "text:2026-11-24T03:45:56Z");
	expect(&v, "count", "number:1");
	expect(&v, "alerts", "list");
	expect(&v, "why", "null");
	expect(&v, "storm", "null");
	expect(&v, "vars.team", "text:sec");
	expect(&v, "nothing", "-");
	w.facts[0].test = true;
	expect(&v, "test", "bool:true");
	world_release(&w);
}

static void a_digest_answers_for_itself_alone(void **state)
{
	struct world w;
	struct value v, list, item;

	(void)state;
	world_init(&w, 2);
	value_of_message(&w.message, &v);
	expect(&v, "event", "text:digest");
	expect(&v, "count", "number:2");
	expect(&v, "why", "text:quiet");
	expect(&v, "storm", "null");
	expect(&v, "test", "bool:false");
	expect(&v, "possible_repeat", "bool:true");
	expect(&v, "at", "text:2026-11-24T03:46:40Z");
	expect(&v, "vars.team", "text:sec");
	expect(&v, "id", "-");
	expect(&v, "raw", "-");
	expect(&v, "link", "-");
	expect(&v, "new_field", "-");
	assert_true(value_get(&v, "alerts", 6, &list));
	assert_int_equal(value_count(&list), 2);
	assert_true(value_at(&list, 1, &item));
	expect(&item, "id", "text:b1");
	expect(&item, "event", "text:opened");
	expect(&item, "index", "number:1");
	expect(&item, "last", "bool:true");
	assert_true(value_at(&list, 0, &item));
	expect(&item, "last", "bool:false");
	assert_false(value_at(&list, 2, &item));
	world_release(&w);
}

static void who_is_behind_it_comes_from_the_context_alone(void **state)
{
	static const char *const names[] = { "user", "policy", "budget", "usage" };
	struct world w;
	struct value v;

	(void)state;
	world_init(&w, 1);
	value_of_facts(&w.facts[0], &v);
	expect(&v, "user", "json");
	expect(&v, "user.name", "text:Jane");
	expect(&v, "user.department", "null");
	expect(&v, "user.none", "-");
	expect(&v, "user.a.b", "json");
	expect(&v, "policy", "null");
	expect(&v, "policy.name", "-");
	expect(&v, "budget.amount", "number:5000.00");
	expect(&v, "budget.percent", "number:84.2");
	expect(&v, "usage", "null");
	expect(&v, "title", "text:T");
	value_of_message(&w.message, &v);
	expect(&v, "user.name", "text:Jane");
	/* Without one, a field of the alert's own is none of these. */
	value_of_facts(&w.facts[1], &v);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		expect(&v, names[i], "null");
	expect(&v, "user.name", "-");
	world_release(&w);
}

static void each_alert_of_a_digest_has_its_own_context(void **state)
{
	struct world w;
	struct value v, item;

	(void)state;
	world_init(&w, 2);
	value_of_message(&w.message, &v);
	expect(&v, "user", "-");
	expect(&v, "budget.percent", "-");
	assert_true(value_get(&v, "alerts", 6, &v));
	assert_true(value_at(&v, 0, &item));
	expect(&item, "user.name", "text:Jane");
	assert_true(value_at(&v, 1, &item));
	expect(&item, "user.name", "-");
	world_release(&w);
}

/* A list of the digest's; never a member that an alert happens to have. */
static void a_digest_has_a_table_of_budgets_where_it_is_given_one(void **state)
{
	static const char text[] = "[{\"name\":\"A\",\"percent\":84.2},{\"name\":null}]";
	struct json *budgets = json_parse(text, sizeof(text) - 1, NULL);
	struct world w;
	struct value v, list, item;

	(void)state;
	world_init(&w, 2);
	value_of_message(&w.message, &v);
	expect(&v, "budgets", "null");
	value_of_facts(&w.facts[1], &item);
	expect(&item, "budgets", "-");
	w.message.budgets = budgets;
	assert_true(value_get(&v, "budgets", 7, &list));
	assert_int_equal(value_count(&list), 2);
	assert_true(value_at(&list, 0, &item));
	expect(&item, "name", "text:A");
	expect(&item, "percent", "number:84.2");
	assert_true(value_at(&list, 1, &item));
	expect(&item, "name", "null");
	world_release(&w);
	world_init(&w, 1);
	w.message.alerts = &w.facts[1];
	value_of_message(&w.message, &v);
	expect(&v, "budgets", "null");
	world_release(&w);
	json_free(&budgets);
}

static void truth_is_mustache_s(void **state)
{
	static const char text[] = "[null,false,true,0,\"\",\"x\",[],[0],{}]";
	static const bool truths[] = {
		false, false, true, true, false, true, false, true, true
	};
	struct json *doc = json_parse(text, sizeof(text) - 1, NULL);
	struct value list, item;

	(void)state;
	value_of_json(doc, json_root(doc), &list);
	assert_int_equal(value_count(&list), ARRAY_LEN(truths));
	for (size_t i = 0; i < ARRAY_LEN(truths); i++) {
		assert_true(value_at(&list, i, &item));
		assert_int_equal(value_is_true(&item), truths[i]);
	}
	json_free(&doc);
}

static void every_name_of_the_table_is_listed_once(void **state)
{
	const char *const *names = facts_names();
	size_t count = 0;

	(void)state;
	for (; names[count] != NULL; count++)
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(names[i], names[count]);
	assert_int_equal(count, 43);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alert_knows_its_names),
		cmocka_unit_test(a_text_is_whole_past_a_nul),
		cmocka_unit_test(what_only_a_message_knows_an_alert_leaves_to_it),
		cmocka_unit_test(a_message_of_one_answers_for_its_alert),
		cmocka_unit_test(a_digest_answers_for_itself_alone),
		cmocka_unit_test(who_is_behind_it_comes_from_the_context_alone),
		cmocka_unit_test(each_alert_of_a_digest_has_its_own_context),
		cmocka_unit_test(a_digest_has_a_table_of_budgets_where_it_is_given_one),
		cmocka_unit_test(truth_is_mustache_s),
		cmocka_unit_test(every_name_of_the_table_is_listed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
