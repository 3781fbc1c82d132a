/* faults: a short list, asked in the order of its making; what is used up is dropped. */
#include "sim/faults.h"

#include <string.h>

static const char *const words[FAULT_KINDS] = {
	[FAULT_STATUS] = "status",     [FAULT_RESET] = "reset", [FAULT_HANG] = "hang",
	[FAULT_TRUNCATE] = "truncate", [FAULT_DRIP] = "drip",   [FAULT_HTML] = "html",
	[FAULT_BADJSON] = "badjson",
};

const char *fault_word(enum fault_kind kind)
{
	return words[kind];
}

bool fault_parse(const char *word, enum fault_kind *kind)
{
	for (int i = 0; word != NULL && i < FAULT_KINDS; i++)
		if (strcmp(words[i], word) == 0) {
			*kind = (enum fault_kind)i;
			return true;
		}
	return false;
}

bool faults_add(struct faults *faults, const struct fault *fault)
{
	if (faults->count == FAULTS_MAX)
		return false;
	faults->list[faults->count++] = *fault;
	return true;
}

static void drop(struct faults *faults, size_t at)
{
	faults->count--;
	memmove(&faults->list[at], &faults->list[at + 1],
		(faults->count - at) * sizeof(faults->list[0]));
}

static void drop_ended(struct faults *faults, int64_t now)
{
	for (size_t i = faults->count; i > 0; i--)
		if (faults->list[i - 1].until_at <= now || faults->list[i - 1].count == 0)
			drop(faults, i - 1);
}

static bool is_for(const struct fault *fault, const struct httpd_request *request)
{
	const char *value =
		fault->name[0] == '\0' ? fault->value : httpd_query(request, fault->name);

	return strncmp(request->path, fault->path, strlen(fault->path)) == 0 &&
	       strcmp(value == NULL ? "" : value, fault->value) == 0;
}

bool faults_take(struct faults *faults, const struct httpd_request *request, int64_t now,
		 struct fault *fault)
{
	drop_ended(faults, now);
	for (size_t i = 0; i < faults->count; i++) {
		struct fault *f = &faults->list[i];

		if (!is_for(f, request))
			continue;
		if (f->after > 0) {
			f->after--;
			continue;
		}
		if (f->count > 0)
			f->count--;
		*fault = *f;
		return true;
	}
	return false;
}
