/* samples_context: who and what is behind the samples, as the API's objects. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/samples.h"

/* NULL: not known. Each begins behind the id and the organisation, usage behind its date. */
struct behind {
	const char *user, *policy, *budget, *usage;
	const char *user_number, *email; /* of user and usage */
	const char *budget_number;
};

#define SINCE ",\"created_at\":\"2024-03-04T08:00:00Z\",\"updated_at\":\"2026-11-24T03:00:00Z\""
#define MEMBER                                       \
	"\"role\":\"member\",\"status\":\"active\"," \
	"\"last_active_at\":\"2026-11-23T17:12:09Z\"" SINCE

/* In the order of samples_types. One has all, the others what there may be of them. */
static const struct behind behind[] = {
	{
		.user = "\"name\":\"José Núñez\",\"department\":\"finance\"," MEMBER,
		.user_number = "42",
		.email = "jose.nunez@example.com",
		.policy = "\"name\":\"GPT-4 for engineering only\","
			  "\"description\":\"Others use gpt-4o-mini.\",\"model\":\"gpt-4\","
			  "\"action\":\"alert\",\"conditions\":{\"department\":{\"not_in\":"
			  "[\"engineering\"]}},\"enabled\":true" SINCE,
		.budget = "\"name\":\"Whole organisation\",\"department\":null,"
			  "\"amount\":250000.00,\"spent\":210500.40,\"remaining\":39499.60,"
			  "\"currency\":\"USD\",\"period\":\"annual\",\"hard_cap\":true" SINCE
			  ",\"percent\":84.2",
		.budget_number = "06",
		.usage = "\"total_requests\":9,\"total_input_tokens\":21400,"
			 "\"total_output_tokens\":6150,\"estimated_cost_usd\":1.27,"
			 "\"own\":{\"model\":\"gpt-4\",\"provider\":\"openai\","
			 "\"total_requests\":3,\"total_input_tokens\":3300,"
			 "\"total_output_tokens\":900,\"estimated_cost_usd\":0.153}",
	},
	{
		.budget = "\"name\":\"Engineering\",\"department\":\"engineering\","
			  "\"amount\":5000.00,\"spent\":5214.37,\"remaining\":-214.37,"
			  "\"currency\":\"USD\",\"period\":\"monthly\",\"hard_cap\":false" SINCE
			  ",\"percent\":104.2",
		.budget_number = "03",
	},
	{
		.user = "\"name\":\"Łukasz Wójcik\",\"department\":\"engineering\"," MEMBER,
		.user_number = "17",
		.email = "lukasz.wojcik@example.com",
		.budget = "\"name\":\"Engineering\",\"department\":\"engineering\","
			  "\"amount\":5000.00,\"spent\":3120.00,\"remaining\":1880.00,"
			  "\"currency\":\"USD\",\"period\":\"monthly\",\"hard_cap\":false" SINCE
			  ",\"percent\":62.4",
		.budget_number = "03",
		.usage = "\"total_requests\":512,\"total_input_tokens\":1702000,"
			 "\"total_output_tokens\":141500,\"estimated_cost_usd\":36.1425,"
			 "\"own\":{\"model\":\"claude-3-opus\",\"provider\":\"anthropic\","
			 "\"total_requests\":498,\"total_input_tokens\":1698500,"
			 "\"total_output_tokens\":141500,\"estimated_cost_usd\":36.09}",
	},
	{
		.user = "\"name\":\"Tom \\\"Ace\\\" Garner\",\"department\":\"sales\"," MEMBER,
		.user_number = "99",
		.email = "tom.garner@example.com",
	},
};

/* The beginning of a member, as "user":{"id":…, */
static void begin(struct buf *out, const char *name, const char *prefix, const char *number)
{
	buf_addf(out,
		 "%s\"%s\":{\"id\":\"%s1b2c3d-0000-0000-0000-0000000000%s\","
		 "\"org_id\":\"og1b2c3d-0000-0000-0000-000000000001\",",
		 out->data[out->len - 1] == '{' ? "" : ",", name, prefix, number);
}

static void add_usage(struct buf *out, const struct behind *b, int64_t at)
{
	char today[CLOCK_TEXT_MAX];

	clock_iso(at, false, today);
	buf_addf(out,
		 ",\"usage\":{\"user_id\":\"us1b2c3d-0000-0000-0000-0000000000%s\","
		 "\"user_email\":\"%s\",\"date\":\"%.10s\",%s}",
		 b->user_number, b->email, today, b->usage);
}

static void add_behind(struct buf *out, const struct behind *b, int64_t at)
{
	buf_addc(out, '{');
	if (b->user != NULL) {
		begin(out, "user", "us", b->user_number);
		buf_addf(out, "\"email\":\"%s\",%s}", b->email, b->user);
	}
	if (b->policy != NULL) {
		begin(out, "policy", "po", "07");
		buf_addf(out, "%s}", b->policy);
	}
	if (b->budget != NULL) {
		begin(out, "budget", "bu", b->budget_number);
		buf_addf(out, "%s}", b->budget);
	}
	if (b->usage != NULL)
		add_usage(out, b, at);
	buf_addc(out, '}');
}

bool samples_add_context(struct buf *out, const char *type, int64_t at)
{
	for (size_t i = 0; i < ARRAY_LEN(behind); i++) {
		if (strcmp(samples_types[i], type) == 0) {
			add_behind(out, &behind[i], at);
			return true;
		}
	}
	return false;
}
