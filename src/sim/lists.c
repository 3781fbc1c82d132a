/*
 * lists: rows of the crowd, and usage, page by page. A page looks only at the rows it lists and
 * those that a filter passes over; how many pass one is counted for the crowd alone.
 *
 * What the documentation leaves open: an item of usage is one user's use of one model in one
 * period. Without dates it is today's.
 */
#include "sim/lists.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/json.h"
#include "sim/cast.h"
#include "sim/people.h"
#include "sim/spend.h"

/* Codes of cursors: the list, and a hash of the filters. Those of alerts are below. */
static const int64_t list_code = INT64_C(1) << 40;

static int64_t code_of(int list, const char *const *words, size_t count)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < count; i++) {
		for (const char *c = words[i] == NULL ? "" : words[i]; *c != '\0'; c++)
			hash = (hash ^ (unsigned char)*c) * 16777619u;
		hash = (hash ^ 0xff) * 16777619u;
	}
	return list_code * (list + 1) + hash;
}

static bool refuse_word(const struct ask *ask, const char *name, const char *word,
			const char *known)
{
	sim_refuse(ask->sim, ask->answer, 400, "%s \"%.40s\" is not one of %s", name, word,
		   known);
	return false;
}

/* ---- the crowd --------------------------------------------------------------------------- */

struct crowd_filter {
	enum crowd_kind kind;
	const char *status;     /* NULL: any */
	const char *department; /* NULL: any */
};

static bool passes(const struct crowd *crowd, const struct crowd_filter *filter, uint32_t row)
{
	return crowd_exists(crowd, filter->kind, row) &&
	       (filter->kind != CROWD_USERS ||
		crowd_user_is(crowd, row, filter->status, filter->department));
}

static size_t count_passing(const struct crowd *crowd, const struct crowd_filter *filter)
{
	size_t count = 0;

	if (filter->status == NULL && filter->department == NULL)
		return crowd_left(crowd, filter->kind);
	for (size_t row = 0; row < crowd_count(crowd, filter->kind); row++)
		count += passes(crowd, filter, (uint32_t)row);
	return count;
}

static void add_rows(const struct ask *ask, const struct crowd_filter *filter, int64_t code,
		     uint32_t row, size_t limit)
{
	const struct crowd *crowd = ask->sim->crowd;
	struct buf *body = &ask->answer->body;
	struct place last = { 0 };
	size_t count = 0;
	bool has_more = false;

	buf_adds(body, "{\"items\":[");
	for (; row < crowd_count(crowd, filter->kind) && !has_more; row++) {
		if (!passes(crowd, filter, row))
			continue;
		has_more = count == limit;
		if (has_more)
			break;
		if (count++ > 0)
			buf_addc(body, ',');
		crowd_add(crowd, filter->kind, row, body);
		last.number = row;
	}
	ask_end_items(ask, code, has_more, last);
	buf_addf(body, ",\"total_count\":%zu}", count_passing(crowd, filter));
	sim_json(ask->answer);
}

static void list_crowd(const struct ask *ask, const struct crowd_filter *filter)
{
	const char *const words[] = { filter->status, filter->department };
	int64_t code = code_of((int)filter->kind, words, ARRAY_LEN(words));
	struct place after;
	bool has_after;
	size_t limit;

	if (ask_limit(ask, &limit) && ask_cursor(ask, code, &has_after, &after))
		add_rows(ask, filter, code, has_after ? after.number + 1 : 0, limit);
}

void lists_users(const struct ask *ask)
{
	struct crowd_filter filter = { .kind = CROWD_USERS,
				       .status = ask_word(ask, "status"),
				       .department = ask_word(ask, "department") };

	if (filter.status != NULL && strcmp(filter.status, "active") != 0 &&
	    strcmp(filter.status, "inactive") != 0 && strcmp(filter.status, "suspended") != 0)
		refuse_word(ask, "status", filter.status, "active, inactive, suspended");
	else
		list_crowd(ask, &filter);
}

void lists_policies(const struct ask *ask)
{
	list_crowd(ask, &(struct crowd_filter){ .kind = CROWD_POLICIES });
}

void lists_budgets(const struct ask *ask)
{
	list_crowd(ask, &(struct crowd_filter){ .kind = CROWD_BUDGETS });
}

void lists_budget(const struct ask *ask)
{
	uint32_t rows[CROWD_SAME_ID_MAX];

	if (crowd_find(ask->sim->crowd, CROWD_BUDGETS, ask->rest, rows) == 0) {
		sim_refuse(ask->sim, ask->answer, 404, "there is no budget \"%.200s\"",
			   ask->rest);
		return;
	}
	crowd_add(ask->sim->crowd, CROWD_BUDGETS, rows[0], &ask->answer->body);
	sim_json(ask->answer);
}

/* ---- usage ------------------------------------------------------------------------------- */

enum { USAGE_LIST = CROWD_KINDS };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

static const struct period {
	const char *word;
	int days;      /* of one unit; 0: an hour */
	int64_t range; /* days that may be asked for at once */
} periods[] = {
	{ "daily", 1, 366 }, { "hourly", 0, 31 }, { "weekly", 7, 366 }, { "monthly", 30, 366 }
};

struct usage {
	const struct period *period;
	int64_t from, to;    /* days since the epoch, both inclusive; to < from: none */
	uint32_t first, end; /* users */
	const char *user_id; /* NULL: all */
	const char *model;   /* NULL: all */
};

static bool read_period(const struct ask *ask, struct usage *usage)
{
	const char *word = ask_word(ask, "period");

	for (size_t i = 0; i < ARRAY_LEN(periods); i++)
		if (word == NULL || strcmp(word, periods[i].word) == 0) {
			usage->period = &periods[i];
			return true;
		}
	return refuse_word(ask, "period", word, "hourly, daily, weekly, monthly");
}

static bool read_day(const struct ask *ask, const char *name, int64_t *day)
{
	const char *word = ask_word(ask, name);
	char text[32];
	int64_t at;

	if (word == NULL)
		return true;
	snprintf(text, sizeof(text), "%.10sT00:00:00Z", word);
	if (strlen(word) != 10 || !clock_parse_iso(text, strlen(text), &at)) {
		sim_refuse(ask->sim, ask->answer, 400, "%s must be a date, YYYY-MM-DD", name);
		return false;
	}
	*day = at / day_ms;
	return true;
}

static bool read_days(const struct ask *ask, struct usage *usage)
{
	int64_t today = ask->now / day_ms;

	usage->to = today;
	if (!read_day(ask, "end_date", &usage->to))
		return false;
	usage->from = usage->to;
	if (!read_day(ask, "start_date", &usage->from))
		return false;
	if (usage->from > usage->to) {
		sim_refuse(ask->sim, ask->answer, 400, "start_date is after end_date");
		return false;
	}
	if (usage->to - usage->from >= usage->period->range) {
		sim_refuse(ask->sim, ask->answer, 400, "at most %d days at once",
			   (int)usage->period->range);
		return false;
	}
	if (usage->to > today)
		usage->to = today;
	return true;
}

static void read_who(const struct ask *ask, struct usage *usage)
{
	uint32_t row;

	usage->model = ask_word(ask, "model");
	usage->user_id = ask_word(ask, "user_id");
	usage->end = (uint32_t)ask->sim->args->users;
	if (usage->user_id == NULL)
		return;
	if (people_row(people_user_group, usage->user_id, &row) && row < usage->end) {
		usage->first = row;
		usage->end = row + 1;
	} else {
		usage->end = 0;
	}
}

static bool is_model(const char *word)
{
	for (size_t i = 0; word != NULL && i < CAST_MODELS; i++)
		if (strcmp(word, cast_models[i].name) == 0)
			return true;
	return word == NULL;
}

/* What was used in a unit of the range, or false where it is nothing. */
static bool sum_unit(const struct ask *ask, const struct usage *usage, int64_t unit,
		     uint32_t number, struct spend *sum)
{
	uint32_t user = number / SPEND_SLOTS;
	uint32_t slot = number % SPEND_SLOTS;
	int model = spend_model(ask->sim->seed, user, slot);
	int64_t day = usage->from + unit * usage->period->days;
	int64_t end = day + usage->period->days;

	*sum = (struct spend){ 0 };
	if (model < 0 ||
	    (usage->model != NULL && strcmp(usage->model, cast_models[model].name) != 0))
		return false;
	if (usage->period->days == 0)
		spend_add(sum, ask->sim->seed, user, slot, usage->from + unit / 24,
			  (int)(unit % 24));
	for (; day < end && day <= usage->to; day++)
		spend_add(sum, ask->sim->seed, user, slot, day, -1);
	return sum->input_tokens + sum->output_tokens > 0;
}

static void add_usage(const struct ask *ask, const struct usage *usage, uint32_t number,
		      const struct spend *sum)
{
	const struct cast_model *model = &cast_models[spend_model(
		ask->sim->seed, number / SPEND_SLOTS, number % SPEND_SLOTS)];
	struct buf *body = &ask->answer->body;
	char id[PEOPLE_ID_MAX];
	struct person p;

	people_id(people_user_group, number / SPEND_SLOTS, id);
	people_user(ask->sim->seed, number / SPEND_SLOTS, &p);
	buf_addf(body, "{\"user_id\":\"%s\",\"user_email\":", id);
	json_add_string(body, p.email);
	buf_addf(body, ",\"model\":\"%s\",\"provider\":\"%s\",\"period\":\"%s\"", model->name,
		 model->provider, usage->period->word);
	buf_addf(body,
		 ",\"total_requests\":%lld,\"total_input_tokens\":%lld,"
		 "\"total_output_tokens\":%lld,\"estimated_cost_usd\":%lld.%06lld}",
		 (long long)sum->requests, (long long)sum->input_tokens,
		 (long long)sum->output_tokens, (long long)(sum->micros / 1000000),
		 (long long)(sum->micros % 1000000));
}

static int64_t unit_count(const struct usage *usage)
{
	int64_t days = usage->to - usage->from + 1;

	if (days <= 0)
		return 0;
	if (usage->period->days == 0)
		return days * 24;
	return (days + usage->period->days - 1) / usage->period->days;
}

/* Moves on to the next place; false behind the last. */
static bool step(const struct usage *usage, struct place *place)
{
	if (++place->number >= usage->end * SPEND_SLOTS) {
		place->number = usage->first * SPEND_SLOTS;
		place->key++;
	}
	return place->key < unit_count(usage);
}

static void add_usages(const struct ask *ask, const struct usage *usage, int64_t code,
		       struct place place, size_t limit)
{
	struct place last = { 0 };
	struct spend sum;
	size_t count = 0;
	bool has_more = false;
	bool is_there = usage->end > usage->first && is_model(usage->model) &&
			place.key < unit_count(usage);

	buf_adds(&ask->answer->body, "{\"items\":[");
	for (; is_there && !has_more; is_there = step(usage, &place)) {
		if (!sum_unit(ask, usage, place.key, place.number, &sum))
			continue;
		has_more = count == limit;
		if (has_more)
			break;
		if (count++ > 0)
			buf_addc(&ask->answer->body, ',');
		add_usage(ask, usage, place.number, &sum);
		last = place;
	}
	ask_end_items(ask, code, has_more, last);
	buf_addc(&ask->answer->body, '}');
	sim_json(ask->answer);
}

void lists_usage(const struct ask *ask)
{
	const char *const words[] = { ask_word(ask, "period"), ask_word(ask, "start_date"),
				      ask_word(ask, "end_date"), ask_word(ask, "user_id"),
				      ask_word(ask, "model") };
	int64_t code = code_of(USAGE_LIST, words, ARRAY_LEN(words));
	struct usage usage = { 0 };
	struct place place;
	bool has_after;
	size_t limit;

	if (!read_period(ask, &usage) || !read_days(ask, &usage) || !ask_limit(ask, &limit) ||
	    !ask_cursor(ask, code, &has_after, &place))
		return;
	read_who(ask, &usage);
	if (!has_after)
		place = (struct place){ .number = usage.first * SPEND_SLOTS };
	else if (!step(&usage, &place))
		usage.end = usage.first;
	add_usages(ask, &usage, code, place, limit);
}
