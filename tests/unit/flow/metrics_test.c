/* metrics.h: numbers in, lines out. */
#include "flow/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const int64_t bounds[] = { 500, 1000, 2500000 };

static const struct metrics_sink sinks[] = {
	{ .name = "bus",
	  .attempts = 9,
	  .ended = { [VERDICT_DELIVERED] = 5, [VERDICT_LATER] = 3 },
	  .is_up = 1,
	  .in_flight = 1,
	  .template_failures = 8,
	  .due = 4,
	  .held = 2,
	  .dead = 7,
	  .oldest_due_at = 1764000000042 },
	{ .name = "a\\b\"c\nd",
	  .due = METRIC_UNKNOWN,
	  .held = METRIC_UNKNOWN,
	  .dead = METRIC_UNKNOWN,
	  .oldest_due_at = METRIC_UNKNOWN },
};

static const struct metrics_source sources[] = {
	{ .name = "acme",
	  .token_errors = 2,
	  .unrouted = 5,
	  .passes = { [PASS_HEAD] = { 11, 1, 1764000000000 },
		      [PASS_SWEEP] = { 3, 0, METRIC_UNKNOWN },
		      [PASS_FULL] = { 0, 0, METRIC_UNKNOWN } } },
};

/* The text of those sinks and sources. */
static void write_all(struct buf *out)
{
	struct histogram commits;
	struct metrics_view view = { .sinks = sinks,
				     .sink_count = ARRAY_LEN(sinks),
				     .sources = sources,
				     .source_count = ARRAY_LEN(sources),
				     .commits = &commits,
				     .commit_failures = 6,
				     .audited = 1234,
				     .violations = 3,
				     .is_ready = 1,
				     .started_at = 1764000000123,
				     .resident_bytes = 20000000,
				     .store_bytes = 12345678901 };

	histogram_init(&commits, bounds, ARRAY_LEN(bounds));
	histogram_add(&commits, 400);
	histogram_add(&commits, 900);
	histogram_add(&commits, 901);
	histogram_add(&commits, 3000000);
	buf_init(out, 1 << 20);
	metrics_write(&view, out);
	assert_false(out->overflow);
}

static bool has_line(const struct buf *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text->data; (at = strstr(at, line)) != NULL; at++)
		if ((at == text->data || at[-1] == '\n') && at[len] == '\n')
			return true;
	return false;
}

static void every_number_has_its_line(void **state)
{
	static const char *const lines[] = {
		"tocsin_build_info{version=\"" TOCSIN_VERSION "\"} 1",
		"tocsin_ready 1",
		"tocsin_last_reload_successful 0",
		"tocsin_start_time_seconds 1764000000.123",
		"tocsin_resident_memory_bytes 20000000",
		"tocsin_store_bytes 12345678901",
		"tocsin_commit_errors_total 6",
		"tocsin_audited_rows_total 1234",
		"tocsin_audit_violations_total 3",
		"tocsin_deliveries_total{sink=\"bus\",verdict=\"delivered\"} 5",
		"tocsin_deliveries_total{sink=\"bus\",verdict=\"again\"} 0",
		"tocsin_deliveries_total{sink=\"bus\",verdict=\"later\"} 3",
		"tocsin_deliveries_total{sink=\"bus\",verdict=\"never\"} 0",
		"tocsin_attempts_total{sink=\"bus\"} 9",
		"tocsin_template_failures_total{sink=\"bus\"} 8",
		"tocsin_sink_up{sink=\"bus\"} 1",
		"tocsin_deliveries_in_flight{sink=\"bus\"} 1",
		"tocsin_deliveries_due{sink=\"bus\"} 4",
		"tocsin_deliveries_held{sink=\"bus\"} 2",
		"tocsin_deliveries_dead{sink=\"bus\"} 7",
		"tocsin_oldest_due_timestamp_seconds{sink=\"bus\"} 1764000000.042",
		"tocsin_token_errors_total{source=\"acme\"} 2",
		"tocsin_unrouted_alerts_total{source=\"acme\"} 5",
		"tocsin_polls_total{source=\"acme\",pass=\"head\"} 11",
		"tocsin_polls_total{source=\"acme\",pass=\"sweep\"} 3",
		"tocsin_poll_errors_total{source=\"acme\",pass=\"head\"} 1",
		"tocsin_last_complete_pass_timestamp_seconds{source=\"acme\",pass=\"head\"}"
		" 1764000000.000",
		"tocsin_commit_seconds_bucket{le=\"0.0005\"} 1",
		"tocsin_commit_seconds_bucket{le=\"0.001\"} 3",
		"tocsin_commit_seconds_bucket{le=\"2.5\"} 3",
		"tocsin_commit_seconds_bucket{le=\"+Inf\"} 4",
		"tocsin_commit_seconds_sum 3.002201",
		"tocsin_commit_seconds_count 4",
	};
	struct buf text;

	(void)state;
	write_all(&text);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!has_line(&text, lines[i]))
			fail_msg("no line %s in\n%s", lines[i], text.data);
	buf_release(&text);
}

static void a_label_is_escaped(void **state)
{
	struct buf text;

	(void)state;
	write_all(&text);
	assert_true(has_line(&text, "tocsin_sink_up{sink=\"a\\\\b\\\"c\\nd\"} 0"));
	buf_release(&text);
}

static void what_is_not_known_is_left_out(void **state)
{
	static const char *const absent[] = {
		"tocsin_deliveries_due{sink=\"a",
		"tocsin_deliveries_held{sink=\"a",
		"tocsin_deliveries_dead{sink=\"a",
		"tocsin_oldest_due_timestamp_seconds{sink=\"a",
		"tocsin_last_complete_pass_timestamp_seconds{source=\"acme\",pass=\"sweep\"",
		"-1",
	};
	struct buf text;

	(void)state;
	write_all(&text);
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		assert_null(strstr(text.data, absent[i]));
	buf_release(&text);
}

/* Each metric: a help, a type, then its samples, in one block and once. */
static void every_metric_is_one_block(void **state)
{
	char name[100] = "", again[120];
	struct buf text;

	(void)state;
	write_all(&text);
	for (const char *line = text.data; *line != '\0'; line = strchr(line, '\n') + 1) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 7, " "),
				 line + 7);
			snprintf(again, sizeof(again), "# HELP %s ", name);
			assert_null(strstr(line + 1, again));
			assert_int_equal(strncmp(name, "tocsin_", 7), 0);
			line = strchr(line, '\n') + 1;
			snprintf(again, sizeof(again), "# TYPE %s ", name);
		}
		const char *at = line[0] == '#' ? again : name;

		if (strncmp(line, at, strlen(at)) != 0)
			fail_msg("in the block of %s: %.80s", name, line);
	}
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_its_line),
		cmocka_unit_test(a_label_is_escaped),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(every_metric_is_one_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
