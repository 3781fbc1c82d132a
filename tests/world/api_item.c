/* api_item: what lives in the API, and every change of it. */
#include "world/api.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static const char *const status_words[] = { "open", "acknowledged", "resolved" };
static const char *const severity_words[] = { "low", "medium", "high", "critical" };
static const char *const types[] = { "policy_violation", "budget_exceeded", "anomaly_detected",
				     "security_event" };

struct item *api_add(struct api *a, int64_t created_at, enum alert_status status)
{
	if (a->count == a->room) {
		a->room = a->room * 2 + 256;
		a->items = mem_resize(a->items, a->room, sizeof(*a->items));
		a->listed = mem_resize(a->listed, a->room, sizeof(*a->listed));
		a->order = mem_resize(a->order, a->room, sizeof(*a->order));
	}
	struct item *i = &a->items[a->count];

	*i = (struct item){ .created_at = created_at,
			    .born_at = sim_now(),
			    .touched_at = sim_now(),
			    .id_key = (uint32_t)chance_next(&a->id_chance),
			    .shuffle_key = (uint32_t)chance_next(&a->chance),
			    .severity = (enum alert_severity)chance_below(&a->chance, 4) };
	i->severity_max = i->severity;
	if (a->terms.whole_seconds)
		i->created_at -= i->created_at % SECOND;
	snprintf(i->id, sizeof(i->id), "%08x-%07zu", i->id_key, a->count);
	a->listed[a->count].len = 0;
	a->count++;
	a->is_sorted = false;
	if (status != ALERT_OPEN)
		api_set_status(i, status);
	return i;
}

int api_type(const struct item *i)
{
	return (int)(i->id_key % ARRAY_LEN(types));
}

const char *api_type_word(int type)
{
	return types[type];
}

void api_set_status(struct item *i, enum alert_status status)
{
	if (i->status == status)
		return;
	if (status == ALERT_RESOLVED) {
		i->resolved_count++;
		i->resolved_at = sim_now();
		if (i->first_resolved_at == 0)
			i->first_resolved_at = sim_now();
	} else if (i->status == ALERT_RESOLVED) {
		i->reopened_count++;
		i->resolved_at = 0;
	}
	i->status = status;
	i->touched_at = sim_now();
}

void api_set_severity(struct item *i, enum alert_severity severity)
{
	i->severity = severity;
	if (severity > i->severity_max)
		i->severity_max = severity;
	i->touched_at = sim_now();
}

void api_edit(struct item *i)
{
	i->version++;
	i->touched_at = sim_now();
}

void api_delete(struct api *a, struct item *i, bool deleted)
{
	(void)a;
	i->deleted_count += deleted && !i->is_deleted;
	i->is_deleted = deleted;
	i->touched_at = sim_now();
}

struct item *api_find(const struct api *a, const char *id)
{
	unsigned key;
	size_t index;

	if (sscanf(id, "%8x-%7zu", &key, &index) != 2 || index >= a->count ||
	    strcmp(a->items[index].id, id) != 0)
		return NULL;
	return &a->items[index];
}

size_t api_listed(const struct api *a, int status)
{
	size_t count = 0;

	for (size_t i = 0; i < a->count; i++)
		count += !a->items[i].is_deleted &&
			 (status < 0 || (int)a->items[i].status == status);
	return count;
}

static void write_item(const struct api *a, const struct item *i, bool blemished,
		       struct listed *out)
{
	char created[CLOCK_TEXT_MAX], resolved[CLOCK_TEXT_MAX + 2] = "null";

	clock_iso(i->created_at, !a->terms.whole_seconds, created);
	if (i->resolved_at != 0) {
		resolved[0] = '"';
		clock_iso(i->resolved_at, false, resolved + 1);
		snprintf(resolved + strlen(resolved), 2, "\"");
	}
	out->len = (size_t)snprintf(
		out->bytes, sizeof(out->bytes),
		"{\"id\":\"%s\",\"org_id\":\"org-%d\",\"type\":\"%s\",\"severity\":\"%s\","
		"\"status\":\"%s\",\"title\":\"Title %lld%s\",\"message\":\"m\",\"user_id\":null,"
		"\"metadata\":{\"n\":%lld},\"created_at\":\"%s\",\"resolved_at\":%s}",
		i->id, a->number, types[api_type(i)], severity_words[i->severity],
		status_words[i->status], (long long)(i->version / 2), blemished ? " \xff" : "",
		(long long)i->version, created, resolved);
	assert(out->len < sizeof(out->bytes));
	out->version = i->version;
	out->resolved_at = i->resolved_at;
	out->status = i->status;
	out->severity = i->severity;
}

static bool is_written(const struct listed *l, const struct item *i)
{
	return l->len > 0 && l->version == i->version && l->resolved_at == i->resolved_at &&
	       l->status == i->status && l->severity == i->severity;
}

void api_write_item(const struct api *a, const struct item *i, bool blemished, struct buf *out)
{
	struct listed *well = &a->listed[i - a->items], ill;

	if (blemished)
		write_item(a, i, true, &ill);
	else if (!is_written(well, i))
		write_item(a, i, false, well);
	const struct listed *l = blemished ? &ill : well;

	buf_add(out, l->bytes, l->len);
}
