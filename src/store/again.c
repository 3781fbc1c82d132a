/* again: reminders of what is still open, and the end of all that waits for it. */
#include "store/again.h"

#include <string.h>

#include "store/inner.h"
#include "store/order.h"

bool again_is_open(struct store *s, int64_t event)
{
	struct stmt *q = db_use(s->db, SQL_OPEN_STILL);
	enum event_kind kind;

	stmt_bind_int(q, 1, event);
	bool is_open = stmt_row(q) && event_kind_parse(stmt_word(q, 0), &kind) &&
		       (kind == EVENT_OPENED || kind == EVENT_REOPENED) &&
		       strcmp(stmt_word(q, 1), "resolved") != 0 &&
		       strcmp(stmt_word(q, 1), "acknowledged") != 0 &&
		       strcmp(stmt_word(q, 2), alert_state_name(ALERT_IS_ACTIVE)) == 0 &&
		       stmt_int(q, 3) != 0;

	stmt_end(q);
	return is_open;
}

static int64_t next_key(int64_t id)
{
	bool is_repeat = delivery_key_origin(id) == ORIGIN_REPEAT;
	int n = is_repeat ? delivery_key_ordinal(id) + 1 : 1;

	return n > DELIVERY_ORDINAL_MAX ? 0
					: delivery_key(delivery_key_event(id),
						       delivery_key_sink(id), ORIGIN_REPEAT, n);
}

void again_after(struct store *s, int64_t id, const struct repeats *repeats, int64_t now)
{
	struct stored_row row, next;
	int64_t key = next_key(id);

	if (repeats == NULL || repeats->ms == NULL || key == 0 || !order_find(s, id, &row))
		return;
	int64_t wait = repeats->ms(repeats->arg, row.route);

	if (wait == 0 || order_find(s, key, &next) || !again_is_open(s, delivery_key_event(id)))
		return;
	const struct place place = { .state = DELIVERY_HELD,
				     .hold = HOLD_REPEAT,
				     .held_until = now + wait,
				     .due_at = now + wait };

	order_add_row(s, key, row.route, &place, now);
}

/* Nothing of it was sent. */
static bool is_unsent(const struct past_row *row)
{
	return (row->state == DELIVERY_DUE || row->state == DELIVERY_HELD ||
		row->state == DELIVERY_ORPHANED) &&
	       !row->maybe_sent && !row->has_progress && row->batch == 0;
}

bool again_end_waiting(struct store *s, int64_t now)
{
	const struct history *h = &s->history;
	bool any = false;

	for (size_t i = 0; i < h->row_count; i++) {
		const struct past_row *row = &h->rows[i];
		enum delivery_origin origin = delivery_key_origin(row->id);

		if ((origin != ORIGIN_ESCALATION && origin != ORIGIN_REPEAT) || !is_unsent(row))
			continue;
		order_end(s, row->id, DELIVERY_DROPPED, "no longer open", now);
		order_release(s, row->id, row->after, now);
		any = true;
	}
	return any;
}
