/* held: what the stories of held rows have in common beside the kit. */
#ifndef HELD_H
#define HELD_H

#include "kit.h"

enum { HOUR = 3600000 };

/* What makes both sinks hold for this reason until then, for new rows and for follow-ups. */
static inline void wish(struct kit *k, enum hold_reason reason, int64_t until)
{
	k->wish = (struct wish){ .reason = reason, .until = until };
	for (size_t i = 0; i < k->target_count; i++)
		k->targets[i].wish = k->wish;
}

static inline void wish_group(struct kit *k, int64_t wait_ms, int64_t max)
{
	k->wish = (struct wish){ .group = { .key = 77, .wait_ms = wait_ms, .max = max } };
	for (size_t i = 0; i < k->target_count; i++) {
		k->targets[i].wish = k->wish;
		k->targets[i].wish.group.key += k->targets[i].sink;
	}
}

static inline void show(struct kit *k, const char *id, const char *status, const char *severity)
{
	char bytes[512];
	struct alert a;
	struct err err;
	int len = snprintf(bytes, sizeof(bytes),
			   "{\"id\":\"%s\",\"status\":\"%s\",\"severity\":\"%s\","
			   "\"type\":\"policy_violation\",\"title\":\"t\"}",
			   id, status, severity);

	assert_true(alert_read(&a, bytes, (size_t)len, &err));
	struct page_batch batch = kit_page(k, &a, 1);

	store_page(k->s, &batch);
	assert_true(k->ok);
	alert_release(&a);
}

static inline void talents(struct kit *k, size_t sink, int64_t batch_max, int64_t listed,
			   bool pairs)
{
	k->sinks[sink].batch_max = batch_max;
	k->sinks[sink].listed_max = listed;
	k->sinks[sink].pairs = pairs;
	kit_sinks(k, 2);
}

#endif
