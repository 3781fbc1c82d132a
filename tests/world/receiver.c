/* receiver: reads the default webhook body (contract: default webhook body) by its marks. */
#include "world/receiver.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* ---- what was told ---- */

void told_release(struct told_log *log)
{
	mem_free(&log->list);
	mem_free(&log->table);
}

struct told *told_at(const struct told_log *log, size_t number)
{
	return &log->list[number - 1];
}

uint64_t told_hash(const char *bytes, size_t len)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

static size_t *slot_of(const struct told_log *log, const char *webhook_id)
{
	size_t at = told_hash(webhook_id, strlen(webhook_id)) % log->table_room;

	while (log->table[at] != 0 &&
	       strcmp(told_at(log, log->table[at])->webhook_id, webhook_id) != 0)
		at = (at + 1) % log->table_room;
	return &log->table[at];
}

size_t told_find(const struct told_log *log, const char *webhook_id)
{
	return log->table_room == 0 ? 0 : *slot_of(log, webhook_id);
}

static void make_room(struct told_log *log)
{
	if (log->count < log->room)
		return;
	log->room = log->room * 2 + 1024;
	log->list = mem_resize(log->list, log->room, sizeof(*log->list));
	mem_free(&log->table);
	log->table_room = log->room * 3;
	log->table = mem_array(log->table_room, sizeof(*log->table));
	for (size_t i = 1; i <= log->count; i++)
		*slot_of(log, told_at(log, i)->webhook_id) = i;
}

static void copy_behind(const char *text, const char *mark, char *out, size_t size)
{
	const char *at = strstr(text, mark);

	out[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(mark);
	snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

/* The end of the object that begins here; no string of our alerts holds a brace. */
static size_t object_len(const char *text)
{
	size_t depth = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		depth += text[i] == '{';
		depth -= text[i] == '}';
		if (depth == 0)
			return i + 1;
	}
	return 0;
}

static void read_told(const struct request *request, struct told *t)
{
	const char *body = request->body.data, *alert = strstr(body, "\"alert\":{");
	const char *id = request_get_header(request, "webhook-id");
	char source[16];

	copy_behind(body, "\"type\":\"alert.", t->type, sizeof(t->type));
	snprintf(t->webhook_id, sizeof(t->webhook_id), "%s", id != NULL ? id : "");
	if (alert == NULL)
		return;
	alert += strlen("\"alert\":");
	t->body_hash = told_hash(alert, object_len(alert));
	copy_behind(alert, "\"id\":\"", t->alert_id, sizeof(t->alert_id));
	copy_behind(alert, "\"status\":\"", t->status, sizeof(t->status));
	copy_behind(alert, "\"source\":\"org", source, sizeof(source));
	if (source[0] != '\0')
		t->source = source[0] - '0';
	else if (strstr(alert, "\"source\":\"tocsin\"") != NULL)
		t->source = OWN_SOURCE;
	t->is_first = strstr(alert, "\"first\":true") != NULL;
}

static size_t find_or_add(struct told_log *log, const struct told *t)
{
	make_room(log);
	size_t *slot = slot_of(log, t->webhook_id);

	if (*slot == 0) {
		log->list[log->count++] = *t;
		*slot = log->count;
	}
	return *slot;
}

size_t told_find_or_note(struct told_log *log, const char *webhook_id, int sink)
{
	struct told t = { .sink = sink, .source = -1 };

	snprintf(t.webhook_id, sizeof(t.webhook_id), "%s", webhook_id);
	return find_or_add(log, &t);
}

size_t told_find_or_add(struct told_log *log, const struct request *r, int sink)
{
	struct told t = { .sink = sink, .source = -1 };

	read_told(r, &t);
	size_t number = find_or_add(log, &t);
	struct told *have = told_at(log, number);

	if (have->source < 0) {
		t.unknown = have->unknown;
		*have = t;
	}
	return number;
}

/* ---- a receiver ---- */

void receiver_init(struct receiver *r, const struct sink_terms *terms, int number,
		   uint64_t seed)
{
	*r = (struct receiver){ .terms = *terms, .number = number };
	chance_seed(&r->chance, seed);
}

/* What an alert always meets, whatever the weather. */
static enum spell_kind nature_of(const struct receiver *r, const struct item *i)
{
	if (i == NULL)
		return SPELL_NONE;
	uint32_t key = i->id_key / 7 + (uint32_t)r->number;

	if (r->terms.refuses_one_in != 0 && key % (uint32_t)r->terms.refuses_one_in == 0)
		return SPELL_422;
	if (r->terms.busy_one_in != 0 && key % (uint32_t)r->terms.busy_one_in == 1)
		return SPELL_409;
	return SPELL_NONE;
}

bool receiver_answer(struct receiver *r, const struct item *item, struct sim_answer *out)
{
	enum spell_kind kind = spell_draw(&r->spell, &r->chance, sim_now());

	if (r->terms.is_dead)
		kind = SPELL_REFUSED;
	if (kind == SPELL_NONE || kind == SPELL_SLOW)
		kind = nature_of(r, item) != SPELL_NONE ? nature_of(r, item) : kind;
	out->way_back_ms = 1 + chance_below(&r->chance, r->terms.way_ms);
	if (kind == SPELL_SLOW)
		out->way_back_ms += chance_below(&r->chance, r->terms.timeout_ms * 5 / 4);
	spell_answer(&r->spell, kind, out);
	return spell_hears(kind);
}

bool receiver_is_out(const struct receiver *r, int64_t now)
{
	if (r->terms.is_dead)
		return true;
	return now < r->spell.until && r->spell.percent == 100 && spell_is_down(r->spell.kind);
}
