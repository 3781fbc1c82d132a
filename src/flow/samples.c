/* samples: see the header. */
#include "flow/samples.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

const char *const samples_types[] = { "policy_violation", "budget_exceeded", "anomaly_detected",
				      "security_event", NULL };

struct sample {
	const char *id, *severity;
	const char *rest; /* title, message, user_id, policy_id, metadata */
};

/* In the order of samples_types. */
static const struct sample samples[] = {
	{ "al1b2c3d-0000-0000-0000-000000000001", "high",
	  "\"title\":\"GPT-4 usage by non-engineering user\","
	  "\"message\":\"A user of Finance & Legal sent 3 requests to \\\"gpt-4\\\".\\n"
	  "The policy <GPT-4 for engineering only> does not allow it.\","
	  "\"user_id\":\"us1b2c3d-0000-0000-0000-000000000042\","
	  "\"policy_id\":\"po1b2c3d-0000-0000-0000-000000000007\","
	  "\"metadata\":{\"model\":\"gpt-4\",\"provider\":\"openai\",\"token_count\":4200,"
	  "\"department\":\"finance\"}" },
	{ "al1b2c3d-0000-0000-0000-000000000002", "high",
	  "\"title\":\"Monthly budget \\\"Engineering\\\" is at 104 %\","
	  "\"message\":\"5,214.37 of 5,000.00 USD are spent, 9 days before the period ends.\\n"
	  "The cap is soft: requests go on & are counted.\","
	  "\"user_id\":null,\"policy_id\":null,"
	  "\"metadata\":{\"budget_id\":\"bu1b2c3d-0000-0000-0000-000000000003\","
	  "\"department\":\"engineering\",\"amount\":5000.00,\"spent\":5214.37,"
	  "\"currency\":\"USD\",\"period\":\"monthly\",\"hard_cap\":false}" },
	{ "al1b2c3d-0000-0000-0000-000000000003", "critical",
	  "\"title\":\"Token usage 12 × above the usual\","
	  "\"message\":\"1,840,000 tokens within an hour; the usual is <= 153,000.\\n"
	  "Most of it came from the key named \\\"nightly & batch\\\".\","
	  "\"user_id\":\"us1b2c3d-0000-0000-0000-000000000017\",\"policy_id\":null,"
	  "\"metadata\":{\"model\":\"claude-3-opus\",\"provider\":\"anthropic\","
	  "\"token_count\":1840000,\"baseline\":153000,\"window\":\"1h\"}" },
	{ "al1b2c3d-0000-0000-0000-000000000004", "critical",
	  "\"title\":\"Device certificate revoked\","
	  "\"message\":\"The certificate of device \\\"Zürich-0042\\\" was revoked after 8 "
	  "failed logins.\\nThe employee is locked out until it is renewed.\","
	  "\"user_id\":\"us1b2c3d-0000-0000-0000-000000000099\",\"policy_id\":null,"
	  "\"metadata\":{\"event\":\"certificate_revoked\",\"device\":\"Zürich-0042\","
	  "\"attempts\":8,\"ip_address\":\"203.0.113.24\"}" },
};

_Static_assert(ARRAY_LEN(samples) + 1 == ARRAY_LEN(samples_types), "a sample of each type");

/* What an event makes of an alert, and how old the alert is by then. */
static const struct {
	const char *status;
	int64_t age_ms;
	bool resolved;
} stages[EVENT_KIND_COUNT] = {
	[EVENT_OPENED] = { "open", 4000, false },
	[EVENT_ACKNOWLEDGED] = { "acknowledged", 300000, false },
	[EVENT_RESOLVED] = { "resolved", 720000, true },
	[EVENT_REOPENED] = { "open", 1200000, false },
	[EVENT_CHANGED] = { "open", 120000, false },
};

int64_t samples_moment(void)
{
	return INT64_C(1795491956000); /* 2026-11-24T03:45:56Z */
}

static void add_sample(struct buf *out, const struct sample *s, const char *type,
		       const struct sample_as *as)
{
	char created[CLOCK_TEXT_MAX], resolved[CLOCK_TEXT_MAX];

	clock_iso(as->at - stages[as->kind].age_ms, false, created);
	clock_iso(as->at, false, resolved);
	buf_addf(out,
		 "{\"id\":\"%s\",\"org_id\":\"og1b2c3d-0000-0000-0000-000000000001\","
		 "\"type\":\"%s\",\"severity\":\"%s\",\"status\":\"%s\",%s,"
		 "\"created_at\":\"%s\",\"resolved_at\":",
		 as->id != NULL ? as->id : s->id, type, s->severity, stages[as->kind].status,
		 s->rest, created);
	if (stages[as->kind].resolved)
		buf_addf(out, "\"%s\"}", resolved);
	else
		buf_adds(out, "null}");
}

bool samples_add(struct buf *out, const char *type, const struct sample_as *as)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		if (strcmp(samples_types[i], type) == 0) {
			add_sample(out, &samples[i], type, as);
			return true;
		}
	}
	return false;
}
