/* words: three lists, each in the order of its enum, with OTHER last. */
#include "sim/words.h"

#include <string.h>

static const char *const types[] = { "policy_violation", "budget_exceeded", "anomaly_detected",
				     "security_event", "other" };
static const char *const severities[] = { "low", "medium", "high", "critical", "other" };
static const char *const statuses[] = { "open", "acknowledged", "resolved", "other" };

/* The place of word among the first count, or count. */
static int place_of(const char *word, const char *const *words, int count)
{
	for (int i = 0; word != NULL && i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return count;
}

const char *word_type(enum alert_type type)
{
	return types[type];
}

const char *word_severity(enum alert_severity severity)
{
	return severities[severity];
}

const char *word_status(enum alert_status status)
{
	return statuses[status];
}

enum alert_type word_to_type(const char *word)
{
	return (enum alert_type)place_of(word, types, TYPE_COUNT);
}

enum alert_severity word_to_severity(const char *word)
{
	return (enum alert_severity)place_of(word, severities, SEVERITY_COUNT);
}

enum alert_status word_to_status(const char *word)
{
	return (enum alert_status)place_of(word, statuses, STATUS_COUNT);
}
