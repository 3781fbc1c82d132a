/* doubts: see the header. */
#include "flow/doubts.h"

#include <string.h>

#include "base/log.h"

void doubts_release(struct doubts *d)
{
	idset_release(&d->severities);
}

void doubts_severity(struct doubts *d, const char *source, const struct alert *a)
{
	if (a->severity_known)
		return;
	/* A set holds no 0; whatever comes after the hundredth word is no surprise any more. */
	int64_t word = alert_hash(a->severity_text, strlen(a->severity_text)) | 1;

	if (d->severities.count >= DOUBTS_MAX || idset_has(&d->severities, word))
		return;
	idset_add(&d->severities, word);
	log_line(LOG_WARN, LOG_DOUBT, LOG_S("source", source), LOG_S("alert", a->id),
		 LOG_S("reason", a->severity_text[0] == '\0' ? "it has no severity"
							     : "its severity is unknown"),
		 LOG_S("hint", "for routes it counts as high; `severity = ...` with its own "
			       "word works, too"));
}

void doubts_pattern(const char *source, const struct alert *a, const struct matcher *m)
{
	log_line(LOG_WARN, LOG_DOUBT, LOG_S("source", source), LOG_S("alert", a->id),
		 LOG_S("matcher", matcher_text(m)),
		 LOG_S("reason", "its pattern takes too many steps"),
		 LOG_S("hint",
		       "where it does, it counts as a match; repeat less inside of what "
		       "is repeated: (a+)+ is a+"));
}
