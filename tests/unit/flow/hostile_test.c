/*
 * What a receiver's answer comes to, from its status line to the instant of the next attempt: the
 * real judges and the real queue, the clock moved by hand. Every status from 100 to 599, and
 * every way to write Retry-After, each a line.
 */
#include "../sinks/sample.h"
#include "queue_kit.h"

#define WEBHOOK "type = \"webhook\"; url = \"https://hooks.acme.com/in/T0ken42\"; "
#define SLACK   "type = \"slack\"; url = \"https://hooks.slack.com/services/T0/B0/secret42\"; "

/* The defaults of retry.min and retry_after_max. */
enum { RETRY_MIN = SECOND, ASKED_MAX = HOUR };

/* ---- one attempt, from answer to next due ---- */

struct end_of_attempt {
	struct outcome outcome;
	struct end end;
	struct queue_status sink;
};

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t present(void)
{
	return SAMPLE_AT;
}

static struct end_of_attempt answer(const struct settings *s, const struct reply *r)
{
	struct queue_sink sink = { .settings = &s->sinks[0], .number = 1 };
	struct queue *q = queue_new(&sink, 1, 42, SAMPLE_AT);
	struct tried row = row_of(1, 1, SAMPLE_AT);
	struct message m = sample_message("{}");
	struct end_of_attempt e;

	row.first_attempt_at = SAMPLE_AT;
	sample_judge(s, &m, r, &e.outcome);
	claim(q, 1, 1, INT64_MAX);
	e.end = end_row(q, &row, &e.outcome, SAMPLE_AT);
	queue_status(q, 0, &e.sink);
	e.sink.reason = NULL; /* the queue's own */
	queue_free(&q);
	return e;
}

/* ---- every status ---- */

enum next {
	OVER,   /* never: it is delivered or set aside */
	ALONE,  /* within the first wait, and the sink goes on */
	HELD,   /* within the first wait, and the sink waits with it */
	CALLED, /* as HELD, and the operator is called */
};

static const struct {
	int from, to;
	enum verdict verdict;
	enum next next;
} statuses[] = {
	{ 100, 199, VERDICT_LATER, ALONE }, /* io makes a cut of them: see xfer_http_test */
	{ 200, 299, VERDICT_DELIVERED, OVER },
	{ 300, 399, VERDICT_LATER, CALLED }, /* never followed */
	{ 400, 400, VERDICT_NEVER, OVER },
	{ 401, 401, VERDICT_LATER, CALLED },
	{ 402, 402, VERDICT_LATER, ALONE },
	{ 403, 405, VERDICT_LATER, CALLED },
	{ 406, 406, VERDICT_LATER, ALONE },
	{ 407, 407, VERDICT_LATER, CALLED },
	{ 408, 408, VERDICT_LATER, HELD },
	{ 409, 409, VERDICT_LATER, ALONE },
	{ 410, 410, VERDICT_LATER, CALLED },
	{ 411, 412, VERDICT_LATER, ALONE },
	{ 413, 413, VERDICT_NEVER, OVER },
	{ 414, 414, VERDICT_LATER, ALONE },
	{ 415, 415, VERDICT_NEVER, OVER },
	{ 416, 421, VERDICT_LATER, ALONE },
	{ 422, 422, VERDICT_NEVER, OVER },
	{ 423, 424, VERDICT_LATER, ALONE },
	{ 425, 425, VERDICT_LATER, HELD },
	{ 426, 428, VERDICT_LATER, ALONE },
	{ 429, 429, VERDICT_LATER, HELD },
	{ 430, 499, VERDICT_LATER, ALONE },
	{ 500, 599, VERDICT_LATER, HELD },
};

static enum delivery_state state_after(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_DELIVERED: return DELIVERY_DONE;
	case VERDICT_NEVER: return DELIVERY_DEAD;
	case VERDICT_AGAIN:
	case VERDICT_LATER: break;
	}
	return DELIVERY_DUE;
}

static void expect_end(const struct end_of_attempt *e, int status, enum verdict verdict,
		       enum next next)
{
	const struct settle *settle = &e->end.settle;
	bool down = next == HELD || next == CALLED;

	if (e->outcome.verdict != verdict || e->outcome.sink_down != down ||
	    e->outcome.alarm != (next == CALLED) || e->outcome.status != status)
		fail_msg("%d: %s, down %d, alarm %d, status %d", status,
			 verdict_name(e->outcome.verdict), e->outcome.sink_down,
			 e->outcome.alarm, e->outcome.status);
	if (settle->state != state_after(verdict) || (e->sink.down_since != 0) != down ||
	    (e->end.change == QUEUE_WENT_DOWN) != down)
		fail_msg("%d: %s, down since %d", status, delivery_state_name(settle->state),
			 (int)e->sink.down_since);
	if (next == OVER)
		return;
	assert_in_range(settle->due_at, SAMPLE_AT, SAMPLE_AT + RETRY_MIN);
	if (down)
		assert_int_equal(settle->due_at, e->sink.held_until);
}

/* What may have been heard is io's word, and is passed on unless it was heard for certain. */
static void expect_mark(const struct settings *s, struct reply r)
{
	r.maybe_sent = true;
	struct end_of_attempt e = answer(s, &r);

	/* A step that was answered leaves nothing open. */
	assert_int_equal(e.outcome.maybe_sent, e.outcome.verdict != VERDICT_DELIVERED &&
						       e.outcome.verdict != VERDICT_AGAIN);
	assert_int_equal(e.end.settle.maybe_sent, e.outcome.maybe_sent);
	r.maybe_sent = false;
	assert_false(answer(s, &r).end.settle.maybe_sent);
}

/*
 * Every number, each in one row; `yes` is what a 2xx comes to. What is refused for good goes out
 * once more where it can be said more plainly.
 */
static void expect_all(const char *keys, const char *body, enum verdict yes, enum next then)
{
	bool is_plain_next = strcmp(keys, SLACK) == 0;
	struct settings *s = sample_settings(keys);
	size_t row = 0;

	for (int status = 100; status <= 599; status++) {
		struct reply r = sample_reply(status, body);
		bool is_2xx = status >= 200 && status <= 299;

		if (status > statuses[row].to)
			row++;
		assert_in_range(status, statuses[row].from, statuses[row].to);
		struct end_of_attempt e = answer(s, &r);

		if (is_plain_next && statuses[row].verdict == VERDICT_NEVER)
			expect_end(&e, status, VERDICT_AGAIN, ALONE);
		else
			expect_end(&e, status, is_2xx ? yes : statuses[row].verdict,
				   is_2xx ? then : statuses[row].next);
		expect_mark(s, r);
	}
	settings_free(&s);
}

static void every_status_has_its_end(void **state)
{
	(void)state;
	expect_all(WEBHOOK, "", VERDICT_DELIVERED, OVER);
	expect_all(WEBHOOK, "{\"error\":\"no\"}", VERDICT_DELIVERED, OVER);
	expect_all(SLACK, "ok", VERDICT_DELIVERED, OVER);
	/* A yes that is not Slack's word is some other server's. */
	expect_all(SLACK, "<html>welcome</html>", VERDICT_LATER, CALLED);
	expect_all(SLACK, "", VERDICT_LATER, CALLED);
}

/* ---- every Retry-After ---- */

enum { NONE = -1 };

static const struct {
	const char *headers;
	int64_t wait_ms; /* that counts; NONE: an ordinary wait */
} asks[] = {
	{ "", NONE },
	{ "Retry-After: 0\r\n", 0 },
	{ "Retry-After: 1\r\n", SECOND },
	{ "Retry-After: 7\r\n", 7 * SECOND },
	{ "retry-after:7\r\n", 7 * SECOND },
	{ "RETRY-AFTER: \t 7 \t\r\n", 7 * SECOND },
	{ "Retry-After: 007\r\n", 7 * SECOND },
	{ "Retry-After: 3600\r\n", ASKED_MAX },
	{ "Retry-After: 3601\r\n", ASKED_MAX },
	/* the three forms of a date: a minute ahead, now, past, a century ahead */
	{ "Retry-After: Tue, 24 Nov 2026 03:46:56 GMT\r\n", MINUTE },
	{ "Retry-After: Tuesday, 24-Nov-26 03:46:56 GMT\r\n", MINUTE },
	{ "Retry-After: Tue Nov 24 03:46:56 2026\r\n", MINUTE },
	{ "Retry-After: Tue, 24 Nov 2026 03:45:56 GMT\r\n", 0 },
	{ "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0 },
	{ "Retry-After: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 0 },
	{ "Retry-After: Sun Nov  6 08:49:37 1994\r\n", 0 },
	{ "Retry-After: Sat, 24 Nov 2126 03:45:56 GMT\r\n", ASKED_MAX },
	{ "Retry-After: Sunday, 24-Nov-75 03:45:56 GMT\r\n", ASKED_MAX },
	{ "Retry-After: Sun Nov 24 03:45:56 2126\r\n", ASKED_MAX },
	{ "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", ASKED_MAX },
	/* fractions are rounded up, so that nobody is asked too early */
	{ "Retry-After: 6.5\r\n", 7 * SECOND },
	{ "Retry-After: 0.001\r\n", SECOND },
	{ "Retry-After: 7.000\r\n", 7 * SECOND },
	{ "Retry-After: 9e9\r\n", NONE },
	{ "Retry-After: 1.\r\n", NONE },
	{ "Retry-After: .5\r\n", NONE },
	{ "Retry-After: 1.5.5\r\n", NONE },
	{ "Retry-After: inf\r\n", NONE },
	{ "Retry-After: NaN\r\n", NONE },
	/* beyond any number */
	{ "Retry-After: 2147483648\r\n", ASKED_MAX },
	{ "Retry-After: 9223372036854775807\r\n", ASKED_MAX },
	{ "Retry-After: 9223372036854775808\r\n", ASKED_MAX },
	{ "Retry-After: 18446744073709551616\r\n", ASKED_MAX },
	{ "Retry-After: 99999999999999999999999999999999999999999999\r\n", ASKED_MAX },
	{ "Retry-After: 99999999999999999999.9\r\n", ASKED_MAX },
	/* below any, nothing, nonsense */
	{ "Retry-After: -1\r\n", NONE },
	{ "Retry-After: -9223372036854775808\r\n", NONE },
	{ "Retry-After: +5\r\n", NONE },
	{ "Retry-After:\r\n", NONE },
	{ "Retry-After:  \t \r\n", NONE },
	{ "Retry-After: soon\r\n", NONE },
	{ "Retry-After: 5s\r\n", NONE },
	{ "Retry-After: 0x10\r\n", NONE },
	{ "Retry-After: \xef\xbc\x97\r\n", NONE },
	{ "Retry-After: Tue, 31 Nov 2026 03:46:56 GMT\r\n", NONE },
	{ "Retry-After: Tue, 24 Nov 2026 03:46:56 +0100\r\n", NONE },
	{ "Retry-After: 2026-11-24T03:46:56Z\r\n", NONE },
	{ "X-Retry-After: 7\r\n", NONE },
	/* twice: the first of one line, the last of two */
	{ "Retry-After: 7, 9\r\n", 7 * SECOND },
	{ "Retry-After: 9\r\nRetry-After: 7\r\n", 7 * SECOND },
	{ "Retry-After: soon\r\nRetry-After: 7\r\n", 7 * SECOND },
	{ "Retry-After: 7\r\nRetry-After: soon\r\n", NONE },
	{ "Retry-After: 7\r\nRetry-After: 99999999999\r\n", ASKED_MAX },
};

static struct end_of_attempt answer_asking(const struct settings *s, int status,
					   const char *headers)
{
	struct reply r = sample_reply(status, "");

	r.headers = headers;
	return answer(s, &r);
}

/* The next attempt is not before what was asked, nor more than a tenth or the first wait after. */
static void expect_wait(const struct settings *s, int status, size_t i)
{
	struct end_of_attempt e = answer_asking(s, status, asks[i].headers);
	int64_t asked = asks[i].wait_ms == NONE ? 0 : asks[i].wait_ms;
	int64_t wait = e.end.settle.due_at - SAMPLE_AT;

	assert_int_equal(e.end.settle.state, DELIVERY_DUE);
	if (wait < asked || wait > longer(asked + asked / 10 + 1, RETRY_MIN))
		fail_msg("%d with %swaits %d ms", status, asks[i].headers, (int)wait);
	if (e.sink.down_since != 0)
		assert_int_equal(e.sink.held_until, e.end.settle.due_at);
}

static void what_is_asked_for_is_waited_within_the_longest_wait(void **state)
{
	static const int statuses_that_wait[] = { 301, 304, 401, 404, 409, 418, 429, 500, 503 };
	struct settings *s = sample_settings(WEBHOOK), *chat = sample_settings(SLACK);

	(void)state;
	clock_use(present, NULL);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		for (size_t j = 0; j < ARRAY_LEN(statuses_that_wait); j++) {
			expect_wait(s, statuses_that_wait[j], i);
			expect_wait(chat, statuses_that_wait[j], i);
		}
		/* What is over waits for nothing, and nor does the sink. */
		struct end_of_attempt yes = answer_asking(s, 200, asks[i].headers);
		struct end_of_attempt no = answer_asking(s, 400, asks[i].headers);

		assert_int_equal(yes.end.settle.state, DELIVERY_DONE);
		assert_int_equal(no.end.settle.state, DELIVERY_DEAD);
		assert_int_equal(yes.sink.held_until + no.sink.held_until, 0);
	}
	clock_use(NULL, NULL);
	settings_free(&s);
	settings_free(&chat);
}

static void the_longest_wait_is_the_operators(void **state)
{
	static const struct {
		const char *max;
		int64_t max_ms;
	} caps[] = { { "0s", 0 }, { "30s", 30 * SECOND }, { "7d", 7 * 24 * HOUR } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
		char keys[200];

		snprintf(keys, sizeof(keys), WEBHOOK "retry_after_max = \"%s\";", caps[i].max);
		struct settings *s = sample_settings(keys);
		struct end_of_attempt e =
			answer_asking(s, 503, "Retry-After: 99999999999999999999\r\n");
		int64_t wait = e.end.settle.due_at - SAMPLE_AT, max = caps[i].max_ms;

		assert_in_range(wait, max, longer(max + max / 10 + 1, RETRY_MIN));
		settings_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_its_end),
		cmocka_unit_test(what_is_asked_for_is_waited_within_the_longest_wait),
		cmocka_unit_test(the_longest_wait_is_the_operators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
