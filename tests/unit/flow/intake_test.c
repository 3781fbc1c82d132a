/* What is seen against what was known: the whole table of intake.c, row by row. */
#include "flow/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t BASELINE = 1764000000000; /* 2025-11-24T16:00:00Z */

/* What was known, as a word; "" nothing. */
static bool known_of(const char *word, const struct alert *before, struct known *known)
{
	*known = (struct known){ .state = ALERT_IS_ACTIVE,
				 .status = ALERT_OPEN,
				 .severity = before->severity,
				 .content = alert_content(before),
				 .episode = 1,
				 .seq = 1 };
	if (strstr(word, "ack") != NULL)
		known->status = ALERT_ACKNOWLEDGED;
	if (strstr(word, "resolved") != NULL) {
		known->status = ALERT_RESOLVED;
		known->state = ALERT_IS_RESOLVED;
	}
	if (strstr(word, "silent") != NULL)
		known->state = ALERT_IS_SILENT;
	return word[0] != '\0';
}

static void read_alert(struct alert *a, const char *status, const char *severity,
		       const char *title, const char *created)
{
	char bytes[512];
	struct err err;
	int len = snprintf(
		bytes, sizeof(bytes),
		"{\"id\":\"a1\",\"org_id\":\"o\",\"status\":\"%s\",\"severity\":\"%s\","
		"\"title\":\"%s\",\"created_at\":\"%s\"}",
		status, severity, title, created);

	assert_true(alert_read(a, bytes, (size_t)len, &err));
}

/* "opened resolved!": the steps' words; ! first, + a new episode, > follows, ? only new sinks. */
static void write_steps(const struct decision *d, char *text, size_t size)
{
	text[0] = '\0';
	if (d->silent)
		snprintf(text, size, "silent");
	for (size_t i = 0; i < d->step_count; i++) {
		const struct step *s = &d->steps[i];
		size_t len = strlen(text);

		snprintf(text + len, size - len, "%s%s%s%s%s%s", i > 0 ? " " : "",
			 event_kind_name(s->kind), s->first ? "!" : "",
			 s->new_episode ? "+" : "", s->follow ? ">" : "",
			 s->only_new ? "?" : "");
	}
}

struct row {
	const char *known; /* "" nothing, "open", "ack", "resolved", "silent open" … */
	const char *status, *severity, *title; /* as seen now; known was high, "t" */
	const char *created;
	const char *steps;
};

#define NEWER "2025-11-24T16:00:01Z"
#define OLDER "2025-11-24T15:59:59Z"

static const struct row rows[] = {
	{ "", "open", "high", "t", NEWER, "opened+" },
	{ "", "acknowledged", "high", "t", NEWER, "opened+" },
	{ "", "resolved", "high", "t", NEWER, "resolved!+" },
	{ "", "snoozed", "high", "t", NEWER, "opened+" },
	{ "", "open", "high", "t", OLDER, "silent" },
	{ "", "resolved", "high", "t", OLDER, "silent" },
	{ "", "open", "high", "t", "yesterday", "opened+" },
	{ "open", "open", "high", "t", NEWER, "" },
	{ "open", "acknowledged", "high", "t", NEWER, "acknowledged>" },
	{ "open", "resolved", "high", "t", NEWER, "resolved>" },
	{ "open", "open", "high", "other", NEWER, "changed>" },
	{ "open", "open", "low", "t", NEWER, "changed>" },
	{ "open", "open", "critical", "t", NEWER, "changed> opened?" },
	{ "open", "acknowledged", "critical", "t", NEWER, "changed> opened? acknowledged>" },
	{ "open", "resolved", "critical", "t", NEWER, "changed> resolved>" },
	{ "ack", "acknowledged", "high", "t", NEWER, "" },
	{ "ack", "open", "high", "t", NEWER, "" },
	{ "ack", "resolved", "high", "t", NEWER, "resolved>" },
	{ "resolved", "resolved", "high", "t", NEWER, "" },
	{ "resolved", "resolved", "low", "other", NEWER, "" },
	{ "resolved", "open", "high", "t", NEWER, "reopened+" },
	{ "resolved", "acknowledged", "high", "t", NEWER, "reopened+" },
	{ "silent open", "open", "critical", "other", OLDER, "silent" },
	{ "silent open", "acknowledged", "high", "t", OLDER, "silent" },
	{ "silent open", "resolved", "high", "t", OLDER, "silent" },
	{ "silent resolved", "resolved", "high", "t", OLDER, "silent" },
	{ "silent resolved", "open", "high", "t", OLDER, "reopened+" },
};

static void every_cell_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert before, seen;
		struct known known;
		struct decision d;
		char steps[200];

		read_alert(&before, "open", "high", "t", rows[i].created);
		read_alert(&seen, rows[i].status, rows[i].severity, rows[i].title,
			   rows[i].created);
		bool has = known_of(rows[i].known, &before, &known);

		intake_steps(has ? &known : NULL, &seen, BASELINE, &d);
		write_steps(&d, steps, sizeof(steps));
		if (strcmp(steps, rows[i].steps) != 0)
			print_error("row %zu, known \"%s\", seen %s\n", i, rows[i].known,
				    rows[i].status);
		assert_string_equal(steps, rows[i].steps);
		alert_release(&before);
		alert_release(&seen);
	}
}

static void without_a_baseline_nothing_is_older(void **state)
{
	(void)state;
	struct alert seen;
	struct decision d;

	read_alert(&seen, "open", "low", "t", "1970-01-01T00:00:01Z");
	assert_true(intake_steps(NULL, &seen, 0, &d));
	alert_release(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_table),
		cmocka_unit_test(without_a_baseline_nothing_is_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
