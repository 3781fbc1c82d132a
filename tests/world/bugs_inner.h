/* bugs_inner: what the files of the bugs share. */
#ifndef WORLD_BUGS_INNER_H
#define WORLD_BUGS_INNER_H

#include "store/store.h"

void __real_store_page(struct store *s, const struct page_batch *batch);
/* Stores a page whose follow-ups go where the routes say now. */
void bugs_route_anew(struct store *s, const struct page_batch *batch);

#endif
