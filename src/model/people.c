/* people: see the header. */
#include "model/people.h"

#include "base/mem.h"

static void release_list(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		mem_free(&(*list)[i]);
	mem_free(list);
	*count = 0;
}

void people_release(struct people *p)
{
	release_list(&p->to, &p->to_count);
	release_list(&p->cc, &p->cc_count);
	mem_free(&p->left_out);
	*p = (struct people){ .key = PEOPLE_NOBODY };
}
