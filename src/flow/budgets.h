/* budgets: the table of all budgets that a digest may take along. */
#ifndef FLOW_BUDGETS_H
#define FLOW_BUDGETS_H

#include "model/settings.h"
#include "store/store.h"

enum { BUDGETS_MAX = 50 }; /* those spent most; the rest is for `tocsin report budgets` */

/*
 * A JSON array of a source's budgets as they are now, the most spent first, as the sink may see
 * them; NULL: there are none. The caller frees it. So the bytes of a retry may be newer than those
 * of the first try: who gets both sees the table as it was each time.
 */
char *budgets_for(struct store *store, int source, const struct sink_settings *sink)
	__attribute__((warn_unused_result));

#endif
