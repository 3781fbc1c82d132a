/*
 * words: the API's own words for an alert's type, severity and status.
 */
#ifndef SIM_WORDS_H
#define SIM_WORDS_H

enum alert_type {
	TYPE_POLICY_VIOLATION,
	TYPE_BUDGET_EXCEEDED,
	TYPE_ANOMALY_DETECTED,
	TYPE_SECURITY_EVENT,
	TYPE_OTHER, /* any other word, or none */
};

enum alert_severity {
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
	SEVERITY_OTHER,
};

enum alert_status { STATUS_OPEN, STATUS_ACKNOWLEDGED, STATUS_RESOLVED, STATUS_OTHER };

enum { TYPE_COUNT = TYPE_OTHER, SEVERITY_COUNT = SEVERITY_OTHER, STATUS_COUNT = STATUS_OTHER };

/* The word; "other" for OTHER. */
const char *word_type(enum alert_type type);
const char *word_severity(enum alert_severity severity);
const char *word_status(enum alert_status status);

/* What a word means; OTHER for an unknown one and for NULL. */
enum alert_type word_to_type(const char *word);
enum alert_severity word_to_severity(const char *word);
enum alert_status word_to_status(const char *word);

#endif
