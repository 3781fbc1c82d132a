/* preset: what is chosen by what was read. */
#include "model/preset.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/facts.h"
#include "model/sink.h"

unsigned preset_events(const struct preset *p)
{
	unsigned events = 0;

	for (size_t i = 0; i < p->request_count; i++)
		events |= p->requests[i].events;
	return events;
}

const char *preset_event_name(int event)
{
	return event == PRESET_EVENT_DIGEST ? "digest"
					    : event_kind_name((enum event_kind)event);
}

/* ---- steps ---- */

void preset_write_progress(char *progress, size_t size, const char *step, const char *kept)
{
	snprintf(progress, size, "%s\t%s", step, kept);
}

bool preset_is_at_step(const char *progress, const char *step)
{
	size_t len = strcspn(progress, "\t");

	if (step == NULL)
		return progress[0] == '\0';
	return strlen(step) == len && memcmp(step, progress, len) == 0;
}

const char *preset_kept(const char *progress)
{
	const char *tab = strchr(progress, '\t');

	return tab == NULL ? "" : tab + 1;
}

/* ---- choosing ---- */

static bool fits(enum preset_need need, bool has)
{
	return need == PRESET_EITHER || (need == PRESET_WITH) == has;
}

static unsigned event_bit(const struct message *m)
{
	return 1U << (m->is_digest || m->count > 1 ? PRESET_EVENT_DIGEST
						   : (int)m->alerts[0].event);
}

const struct preset_request *preset_choose(const struct preset *p, const struct message *m)
{
	bool repeat = m->possible_repeat;

	for (size_t i = 0; i < m->count; i++)
		repeat |= m->alerts[i].possible_repeat;
	for (size_t i = 0; i < p->request_count; i++) {
		const struct preset_request *r = &p->requests[i];

		if ((r->events & event_bit(m)) != 0 && fits(r->handle, m->handle[0] != '\0') &&
		    fits(r->repeat, repeat) && preset_is_at_step(m->progress, r->step))
			return r;
	}
	return NULL;
}

/* ---- vars ---- */

bool preset_is_secret(const struct preset *p, const char *name)
{
	for (size_t i = 0; i < p->var_count; i++)
		if (strcmp(p->vars[i].name, name) == 0)
			return p->vars[i].is_secret;
	return true;
}

/* ---- maps ---- */

static const char *mapped(const struct preset_map *map, const struct facts *f)
{
	struct value v;

	value_of_facts(f, &v);
	(void)value_path(&v, map->of, strlen(map->of), &v);
	for (size_t i = 0; i < map->values.count; i++)
		if (strlen(map->values.list[i].name) == v.len &&
		    memcmp(map->values.list[i].name, v.text, v.len) == 0)
			return map->values.list[i].value;
	return map->other;
}

const char *preset_map(const struct preset *p, const struct facts *f, const char *name,
		       size_t len)
{
	for (size_t i = 0; i < p->map_count; i++)
		if (strlen(p->maps[i].name) == len && memcmp(p->maps[i].name, name, len) == 0)
			return mapped(&p->maps[i], f);
	return NULL;
}
