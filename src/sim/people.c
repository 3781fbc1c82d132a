/*
 * people: who works there, what is forbidden and what may be spent. All draws come from a hash
 * of the seed, the group and the row; money is whole cents, so it adds up.
 */
#include "sim/people.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/json.h"
#include "sim/cast.h"
#include "sim/dice.h"

const char people_user_group[] = "05e70000";
const char people_policy_group[] = "90110000";
const char people_budget_group[] = "b0d9e700";

enum salt {
	SALT_FIRST = 1,
	SALT_LAST,
	SALT_DEPARTMENT,
	SALT_STATUS,
	SALT_ROLE,
	SALT_CREATED,
	SALT_UPDATED,
	SALT_ACTIVE,
	SALT_SPENT,
	SALT_CENTS,
	SALT_CAP,
};

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
static const int64_t founded_at = INT64_C(1672531200000); /* 2023-01-01T00:00:00Z */

static const char *const first_names[] = {
	"Ada",   "Bela",  "Carla", "Dmitri", "Elena", "Farid", "Gloria", "Hugo",
	"Imani", "Jonas", "Keiko", "Lars",   "Maya",  "Nadia", "Oskar",  "Paula",
	"Quinn", "Rosa",  "Samir", "Tara",   "Uwe",   "Vera",  "Wanda",  "Xavier",
	"Yara",  "Zeno",  "Amir",  "Bianca", "Cyrus", "Dalia", "Emil",   "Freya",
};
static const char *const last_names[] = {
	"Abbott", "Berg",   "Castillo", "Dvorak", "Eriksen", "Fischer", "Gupta",  "Horvat",
	"Ibarra", "Jansen", "Kowalski", "Lindt",  "Moreau",  "Nkosi",   "Ortega", "Petrov",
	"Quist",  "Rossi",  "Schmidt",  "Takeda", "Usman",   "Varga",   "Weber",  "Xu",
	"Young",  "Zhang",  "Archer",   "Bauer",  "Cohen",   "Duarte",  "Ekman",  "Ferrari",
};
/* NULL: users of no department, as the API allows */
static const char *const departments[] = { "engineering", "engineering", "engineering",
					   "sales",       "marketing",   "support",
					   "research",    "finance",     "legal",
					   "R&D",         NULL,          "human resources" };

static uint64_t hash_of(uint64_t seed, const char *group, uint32_t row)
{
	uint64_t word = 0;

	for (; *group != '\0'; group++)
		word = word << 8 | (unsigned char)*group;
	return dice_mix(seed ^ dice_mix(word + row));
}

/* ---- ids --------------------------------------------------------------------------------- */

void people_id(const char *group, uint32_t row, char id[PEOPLE_ID_MAX])
{
	snprintf(id, PEOPLE_ID_MAX, "%s-0000-4000-8000-%012lx", group, (unsigned long)row + 1);
}

bool people_row(const char *group, const char *id, uint32_t *row)
{
	const char *tail = strrchr(id, '-');
	char whole[PEOPLE_ID_MAX];
	unsigned long value;

	if (tail == NULL)
		return false;
	value = strtoul(tail + 1, NULL, 16);
	if (value == 0 || value > UINT32_MAX)
		return false;
	*row = (uint32_t)(value - 1);
	people_id(group, *row, whole);
	return strcmp(whole, id) == 0;
}

/* ---- members ----------------------------------------------------------------------------- */

static void add_string(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, value);
}

static void add_head(struct buf *out, const char *group, uint32_t row)
{
	char id[PEOPLE_ID_MAX];

	people_id(group, row, id);
	buf_addf(out, "{\"id\":\"%s\",\"org_id\":\"" CAST_ORG_ID "\"", id);
}

static void add_time(struct buf *out, const char *name, int64_t at)
{
	char text[CLOCK_TEXT_MAX];

	clock_iso(at, false, text);
	add_string(out, name, text);
}

static int64_t created_of(uint64_t hash)
{
	return founded_at + dice_pick(hash, SALT_CREATED, 700) * day_ms +
	       dice_pick(hash, SALT_CREATED, 86400) * INT64_C(1000);
}

static int64_t updated_of(uint64_t hash)
{
	return created_of(hash) + dice_pick(hash, SALT_UPDATED, 300) * day_ms;
}

static void add_times(struct buf *out, uint64_t hash)
{
	add_time(out, "created_at", created_of(hash));
	add_time(out, "updated_at", updated_of(hash));
}

/* Whole units where the currency has no smaller ones, else two decimals. */
static void add_money(struct buf *out, const char *name, int64_t cents, const char *currency)
{
	int64_t size = cents < 0 ? -cents : cents;

	buf_addf(out, ",\"%s\":%s%lld", name, cents < 0 ? "-" : "", (long long)(size / 100));
	if (strcmp(currency, "JPY") != 0)
		buf_addf(out, ".%02lld", (long long)(size % 100));
}

/* ---- users ------------------------------------------------------------------------------- */

static const char *status_of(uint64_t hash)
{
	uint32_t percent = dice_pick(hash, SALT_STATUS, 100);

	if (percent < 90)
		return "active";
	return percent < 97 ? "inactive" : "suspended";
}

static void invent(uint64_t hash, uint32_t row, struct person *p)
{
	const char *first = first_names[dice_pick(hash, SALT_FIRST, ARRAY_LEN(first_names))];
	const char *last = last_names[dice_pick(hash, SALT_LAST, ARRAY_LEN(last_names))];

	snprintf(p->name, sizeof(p->name), "%s %s", first, last);
	snprintf(p->email, sizeof(p->email), "%s.%s.%u@example.com", first, last,
		 (unsigned)row + 1);
	for (char *c = p->email; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	p->department = departments[dice_pick(hash, SALT_DEPARTMENT, ARRAY_LEN(departments))];
	p->status = status_of(hash);
}

void people_user(uint64_t seed, uint32_t row, struct person *p)
{
	uint64_t hash = hash_of(seed, people_user_group, row);
	uint32_t tenth = dice_pick(hash, SALT_ROLE, 20);

	*p = (struct person){ .status = "active" };
	if (row < CAST_USERS) {
		snprintf(p->name, sizeof(p->name), "%s", cast_users[row].name);
		snprintf(p->email, sizeof(p->email), "%s", cast_users[row].email);
		p->department = cast_users[row].department;
	} else {
		invent(hash, row, p);
	}
	p->role = tenth == 0 ? "admin" : tenth < 3 ? "manager" : "member";
}

void people_add_user(struct buf *out, uint64_t seed, uint32_t row)
{
	uint64_t hash = hash_of(seed, people_user_group, row);
	uint32_t active = dice_pick(hash, SALT_ACTIVE, 15);
	struct person p;

	people_user(seed, row, &p);
	add_head(out, people_user_group, row);
	add_string(out, "email", p.email);
	add_string(out, "name", p.name);
	add_string(out, "department", p.department);
	add_string(out, "role", p.role);
	add_string(out, "status", p.status);
	if (active == 0)
		buf_adds(out, ",\"last_active_at\":null");
	else
		add_time(out, "last_active_at", updated_of(hash) + active * day_ms);
	add_times(out, hash);
	buf_addc(out, '}');
}

/* ---- policies ---------------------------------------------------------------------------- */

static const struct {
	const char *model; /* NULL: all */
	const char *description;
	const char *conditions;
} rules[CAST_POLICIES] = {
	{ "gpt-4", "Frontier models cost most: engineering alone may use them.",
	  "{\"department\":{\"not_in\":[\"engineering\"]}}" },
	{ NULL, "Names, addresses and account numbers stay in our own systems.", "{}" },
	{ NULL, "Private repositories are not pasted into models outside.", "{}" },
	{ NULL, "Who may process our data is decided by legal & procurement.",
	  "{\"provider\":{\"not_in\":[\"openai\",\"anthropic\",\"google\"]}}" },
	{ NULL, "A credential in a prompt counts as leaked.", "{}" },
	{ NULL, "Agents that act need somebody who answers for them.", "{}" },
	{ NULL, "Prompts of 32,000 tokens and more are a sign of bulk copying.",
	  "{\"token_count\":{\"gte\":32000}}" },
	{ NULL, "", "{\"hour\":{\"not_between\":[7,19]}}" },
};

void people_add_policy(struct buf *out, uint64_t seed, uint32_t row)
{
	const struct cast_policy *policy = &cast_policies[row];
	uint64_t hash = hash_of(seed, people_policy_group, row);

	add_head(out, people_policy_group, row);
	add_string(out, "name", policy->name);
	add_string(out, "description", rules[row].description);
	add_string(out, "model", rules[row].model);
	add_string(out, "action", policy->action);
	buf_addf(out, ",\"conditions\":%s,\"enabled\":true", rules[row].conditions);
	add_times(out, hash);
	buf_addc(out, '}');
}

/* ---- budgets ----------------------------------------------------------------------------- */

void people_add_budget(struct buf *out, uint64_t seed, uint32_t row)
{
	const struct cast_budget *budget = &cast_budgets[row];
	uint64_t hash = hash_of(seed, people_budget_group, row);
	int64_t amount = budget->amount * INT64_C(100);
	int64_t spent = amount / 100 * (20 + dice_pick(hash, SALT_SPENT, 110));

	if (strcmp(budget->currency, "JPY") != 0)
		spent += dice_pick(hash, SALT_CENTS, 100);
	add_head(out, people_budget_group, row);
	add_string(out, "name", budget->name);
	add_string(out, "department", budget->department);
	add_money(out, "amount", amount, budget->currency);
	add_money(out, "spent", spent, budget->currency);
	add_money(out, "remaining", amount - spent, budget->currency);
	add_string(out, "currency", budget->currency);
	add_string(out, "period", budget->period);
	buf_addf(out, ",\"hard_cap\":%s", dice_pick(hash, SALT_CAP, 3) == 0 ? "true" : "false");
	add_times(out, hash);
	buf_addc(out, '}');
}
