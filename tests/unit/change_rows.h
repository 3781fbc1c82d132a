/*
 * change_rows: what an operator does to rows, chosen by a condition on v_deliveries.
 */
#ifndef CHANGE_ROWS_H
#define CHANGE_ROWS_H

#include <stdio.h>

#include "base/mem.h"
#include "store/store.h"

typedef int64_t rows_change(struct store *s, const struct selection *which, int64_t now,
			    struct err *err);

/* In chunks, as a command does; rows made or ended, or -1. */
static inline int64_t change_rows(struct store *s, rows_change *change, const char *where,
				  int64_t now, struct err *err)
{
	struct selection which = { .id_count = 0 };
	int64_t ids[STORE_CHUNK_MAX], total = 0, changed = 0;
	char sql[400];

	which.ids = ids;
	do {
		int64_t last = which.id_count != 0 ? ids[which.id_count - 1] : 0;

		snprintf(sql, sizeof(sql),
			 "SELECT id FROM v_deliveries WHERE id > %lld AND %s"
			 " ORDER BY id LIMIT %d",
			 (long long)last, where, STORE_CHUNK_MAX);
		struct view *v = view_open(s, sql, NULL, 0, err);

		if (v == NULL)
			return -1;
		for (which.id_count = 0; view_next(v); which.id_count++)
			ids[which.id_count] = view_int(v, "id");
		view_close(&v);
		changed = change(s, &which, now, err);
		total += changed;
	} while (changed >= 0 && which.id_count == STORE_CHUNK_MAX);
	return changed < 0 ? -1 : total;
}

#endif
