/*
 * sql: every statement of the store, by name; each is prepared once and kept.
 *
 * Lists of ids take SQL_LIST_MAX parameters; unused ones are bound to NULL, which equals
 * nothing.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <stddef.h>

enum { SQL_LIST_MAX = 16 };

enum sql {
	/* names */
	SQL_SOURCE_ADD,
	SQL_SOURCE_FIND,
	SQL_ROUTE_ADD,
	SQL_ROUTE_FIND,
	SQL_SOURCE_LOAD,
	SQL_SOURCE_SAVE,
	SQL_SINK_PUT,
	SQL_SINK_LOAD,
	SQL_SINK_LIST,
	SQL_SINKS_ABSENT,
	SQL_SINK_FIND,
	SQL_ORPHAN_DUE,
	SQL_ORPHAN_HELD,
	SQL_ADOPT,
	SQL_RECOVER,
	/* intake */
	SQL_ALERT_ADD,
	SQL_ALERT_FIND,
	SQL_ALERT_SAVE,
	SQL_EVENT_LAST,
	SQL_EVENT_ADD,
	SQL_EVENT_LINK,
	SQL_ROWS_OF_EVENT,
	SQL_ROW_ADD,
	SQL_REJECT_ADD,
	SQL_REJECT_AGAIN,
	/* order */
	SQL_ANY_WAITING,
	SQL_WAITING_FIND,
	SQL_WAITING_RELEASE,
	SQL_WAITING_MOVE,
	SQL_ROW_END,
	/* turn */
	SQL_SETTLE_DONE,
	SQL_SETTLE_ONE,
	SQL_ATTEMPT_ADD,
	SQL_ATTEMPT_TRIM,
	SQL_HOLD,
	SQL_DUE_NEXT,
	SQL_DUE_ROWS,
	SQL_CLAIM,
	SQL_CLAIM_EVENT,
	SQL_CLAIM_HANDLE,
	/* operator */
	SQL_SELECT_IDS,
	SQL_ROW_FIND,
	SQL_ALERT_OF_EVENT,
	SQL_ORDINAL_LAST,
	/* runtime */
	SQL_RUNTIME_PUT,
	SQL_DATA_VERSION,
	SQL_COUNT,
};

extern const char *const sql_texts[SQL_COUNT];

#endif
