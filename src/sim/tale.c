/*
 * tale: who did what, drawn from a hash of the seed and the number; one row of `kinds` for each
 * type of alert. Each draw has a salt of its own, so that adding one changes no other.
 */
#include "sim/tale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/json.h"
#include "sim/cast.h"
#include "sim/dice.h"
#include "sim/people.h"

enum salt {
	SALT_TYPE = 1,
	SALT_SEVERITY,
	SALT_USER,
	SALT_MODEL,
	SALT_POLICY,
	SALT_BUDGET,
	SALT_AMOUNT,
	SALT_SYSTEM,
	SALT_WHAT,
	SALT_DEVICE,
};

enum { LINE_MAX_LEN = 2048 };

/* What the draws of one alert came to. */
struct scene {
	uint64_t hash;
	const struct cast_user *user; /* NULL: nobody, the system itself */
	const struct cast_model *model;
	const struct cast_policy *policy; /* NULL unless a policy was violated */
	const struct cast_budget *budget;
	uint32_t n;
	const char *device;
};

static uint64_t hash_of(uint64_t seed, uint32_t number)
{
	return dice_mix(seed ^ dice_mix(number));
}

enum alert_type tale_type(uint64_t seed, uint32_t number)
{
	uint32_t percent = dice_pick(hash_of(seed, number), SALT_TYPE, 100);

	if (percent < 50)
		return TYPE_POLICY_VIOLATION;
	if (percent < 70)
		return TYPE_BUDGET_EXCEEDED;
	return percent < 90 ? TYPE_ANOMALY_DETECTED : TYPE_SECURITY_EVENT;
}

enum alert_severity tale_severity(uint64_t seed, uint32_t number, enum alert_type type)
{
	static const enum alert_severity of_policies[10] = {
		SEVERITY_LOW,    SEVERITY_MEDIUM,   SEVERITY_MEDIUM, SEVERITY_MEDIUM,
		SEVERITY_MEDIUM, SEVERITY_MEDIUM,   SEVERITY_HIGH,   SEVERITY_HIGH,
		SEVERITY_HIGH,   SEVERITY_CRITICAL,
	};
	uint32_t draw = dice_pick(hash_of(seed, number), SALT_SEVERITY, 10);

	switch (type) {
	case TYPE_POLICY_VIOLATION: return of_policies[draw];
	case TYPE_ANOMALY_DETECTED: return draw < 7 ? SEVERITY_HIGH : SEVERITY_CRITICAL;
	case TYPE_SECURITY_EVENT: return SEVERITY_CRITICAL;
	case TYPE_BUDGET_EXCEEDED:
	case TYPE_OTHER: break;
	}
	return SEVERITY_HIGH;
}

/* ---- texts ------------------------------------------------------------------------------- */

static void add_slot(struct buf *out, const struct scene *s, const char *slot, size_t len)
{
	const struct {
		const char *name;
		const char *text;
	} slots[] = {
		{ "user", s->user == NULL ? "a service account" : s->user->name },
		{ "department", s->user == NULL ? "the platform" : s->user->department },
		{ "model", s->model->name },
		{ "provider", s->model->provider },
		{ "policy", s->policy == NULL ? "" : s->policy->name },
		{ "budget", s->budget->name },
		{ "device", s->device },
	};

	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		if (strlen(slots[i].name) == len && memcmp(slots[i].name, slot, len) == 0) {
			buf_adds(out, slots[i].text);
			return;
		}
	buf_addf(out, "%u", s->n);
}

/* Adds pattern as a JSON string, its {slots} filled in. */
static void add_text(struct buf *out, const struct scene *s, const char *pattern)
{
	struct buf text;

	buf_init(&text, LINE_MAX_LEN);
	for (const char *open; (open = strchr(pattern, '{')) != NULL;) {
		size_t len = strcspn(open, "}");

		buf_add(&text, pattern, (size_t)(open - pattern));
		add_slot(&text, s, open + 1, len - 1);
		pattern = open + len + 1;
	}
	buf_adds(&text, pattern);
	json_add_text(out, text.data, text.len);
	buf_release(&text);
}

static void add_member(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, value);
}

/* ---- the four kinds ---------------------------------------------------------------------- */

static void add_policy_metadata(struct buf *out, const struct scene *s)
{
	buf_addf(out, "\"model\":\"%s\",\"provider\":\"%s\",\"token_count\":%u", s->model->name,
		 s->model->provider, s->n);
	add_member(out, "department", s->user->department);
	add_member(out, "action", s->policy->action);
}

static void add_budget_metadata(struct buf *out, const struct scene *s)
{
	uint32_t percent = 100 + s->n % 60;
	uint64_t cents = (uint64_t)s->budget->amount * percent;

	char id[PEOPLE_ID_MAX];

	people_id(people_budget_group, (uint32_t)(s->budget - cast_budgets), id);
	buf_addf(out, "\"budget_id\":\"%s\"", id);
	add_member(out, "budget", s->budget->name);
	add_member(out, "department", s->budget->department);
	buf_addf(out,
		 ",\"amount\":%u,\"spent\":%llu.%02u,\"percent\":%u,\"currency\":\"%s\","
		 "\"period\":\"%s\"",
		 s->budget->amount, (unsigned long long)(cents / 100), (unsigned)(cents % 100),
		 percent, s->budget->currency, s->budget->period);
}

static void add_anomaly_metadata(struct buf *out, const struct scene *s)
{
	uint32_t baseline = 500 + s->n % 4000;
	uint32_t tenths = 30 + s->n % 170;

	buf_addf(out,
		 "\"model\":\"%s\",\"provider\":\"%s\",\"metric\":\"tokens_per_hour\","
		 "\"baseline\":%u,\"observed\":%u,\"factor\":%u.%u",
		 s->model->name, s->model->provider, baseline, baseline * tenths / 10,
		 tenths / 10, tenths % 10);
}

static void add_security_metadata(struct buf *out, const struct scene *s)
{
	buf_addf(out, "\"device_id\":\"%s\",\"source_ip\":\"203.0.113.%u\",\"attempts\":%u",
		 s->device, s->n % 254 + 1, s->n % 9 + 3);
}

static const struct kind {
	bool has_user;
	struct {
		const char *title;
		const char *message;
	} says[2]; /* a policy says it itself */
	void (*add_metadata)(struct buf *out, const struct scene *s);
} kinds[TYPE_COUNT] = {
	[TYPE_POLICY_VIOLATION] = { .has_user = true, .add_metadata = add_policy_metadata },
	[TYPE_BUDGET_EXCEEDED] = { .says = { { "Budget exceeded: {budget}",
					       "The budget \"{budget}\" is used up. Last spent on {model}." },
					     { "Hard cap reached: {budget}",
					       "Requests that count against \"{budget}\" are blocked from now on." } },
				   .add_metadata = add_budget_metadata },
	[TYPE_ANOMALY_DETECTED] = { .has_user = true,
				    .says = { { "Unusual {model} volume by {user}",
						"Far more than in the last 30 days: {n} tokens of {model} in an hour by {user}." },
					      { "Cost spike on {model}",
						"Spend on {model} ({provider}) left its usual range, most of it by {user}." } },
				    .add_metadata = add_anomaly_metadata },
	[TYPE_SECURITY_EVENT] = { .has_user = true,
				  .says = { { "Employee locked out: {user}",
					      "Too many failed sign-ins of {user} <{department}> from {device}." },
					    { "Device certificate revoked: {device}",
					      "The certificate of {device}, used by {user}, was revoked." } },
				  .add_metadata = add_security_metadata },
};

static struct scene draw(const struct tale *tale, char device[16])
{
	uint64_t hash = hash_of(tale->seed, tale->number);
	bool nobody = !kinds[tale->type].has_user || (tale->type == TYPE_ANOMALY_DETECTED &&
						      dice_pick(hash, SALT_SYSTEM, 5) == 0);
	struct scene s = {
		.hash = hash,
		.model = &cast_models[dice_pick(hash, SALT_MODEL, CAST_MODELS)],
		.budget = &cast_budgets[dice_pick(hash, SALT_BUDGET, CAST_BUDGETS)],
		.n = 200 + dice_pick(hash, SALT_AMOUNT, 60000),
		.device = device,
	};

	snprintf(device, 16, "LT-%05u", dice_pick(hash, SALT_DEVICE, 100000));
	if (!nobody)
		s.user = &cast_users[dice_pick(hash, SALT_USER, CAST_USERS)];
	if (tale->type == TYPE_POLICY_VIOLATION)
		s.policy = &cast_policies[dice_pick(hash, SALT_POLICY, CAST_POLICIES)];
	return s;
}

/* ---- the alert --------------------------------------------------------------------------- */

static void add_time(struct buf *out, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	if (at == 0) {
		buf_addf(out, ",\"%s\":null", name);
		return;
	}
	clock_iso(at, false, text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

/* A row that is negative: null. */
static void add_cast_id(struct buf *out, const char *name, const char *group, long row)
{
	char id[PEOPLE_ID_MAX];

	if (row < 0) {
		buf_addf(out, ",\"%s\":null", name);
		return;
	}
	people_id(group, (uint32_t)row, id);
	buf_addf(out, ",\"%s\":\"%s\"", name, id);
}

static void add_says(struct buf *out, const struct tale *tale, const struct scene *s)
{
	uint32_t which = dice_pick(s->hash, SALT_WHAT, 2);
	const char *title = kinds[tale->type].says[which].title;
	const char *message = kinds[tale->type].says[which].message;

	if (s->policy != NULL) {
		title = s->policy->title;
		message = s->policy->message;
	}
	buf_adds(out, ",\"title\":");
	add_text(out, s, title);
	buf_adds(out, ",\"message\":");
	add_text(out, s, message);
}

void tale_add(struct buf *out, const struct tale *tale)
{
	char device[16];
	char id[TALE_ID_MAX];
	struct scene s = draw(tale, device);

	tale_id(tale->seed, tale->number, id);
	buf_addf(out,
		 "{\"id\":\"%s\",\"org_id\":\"" CAST_ORG_ID "\",\"type\":\"%s\","
		 "\"severity\":\"%s\",\"status\":\"%s\"",
		 id, word_type(tale->type), word_severity(tale->severity),
		 word_status(tale->status));
	add_says(out, tale, &s);
	add_cast_id(out, "user_id", people_user_group,
		    s.user == NULL ? -1 : s.user - cast_users);
	add_cast_id(out, "policy_id", people_policy_group,
		    s.policy == NULL ? -1 : s.policy - cast_policies);
	buf_adds(out, ",\"metadata\":{");
	kinds[tale->type].add_metadata(out, &s);
	buf_adds(out, "}");
	add_time(out, "created_at", tale->created_at);
	add_time(out, "resolved_at", tale->resolved_at);
	buf_adds(out, "}");
}

void tale_id(uint64_t seed, uint32_t number, char id[TALE_ID_MAX])
{
	uint64_t hash = hash_of(seed, number);

	snprintf(id, TALE_ID_MAX, "al%06x-%04x-4%03x-%04x-%012x", (unsigned)(hash & 0xffffff),
		 (unsigned)(hash >> 24 & 0xffff), (unsigned)(hash >> 40 & 0xfff),
		 (unsigned)(0x8000 | (hash >> 52 & 0x3fff)), (unsigned)number);
}

bool tale_number(uint64_t seed, const char *id, uint32_t *number)
{
	const char *tail = strrchr(id, '-');
	char full[TALE_ID_MAX];
	unsigned long value;

	if (tail == NULL)
		return false;
	value = strtoul(tail + 1, NULL, 16);
	if (value > UINT32_MAX)
		return false;
	tale_id(seed, (uint32_t)value, full);
	*number = (uint32_t)value;
	return strcmp(full, id) == 0;
}
