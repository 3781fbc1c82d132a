/*
 * `tocsin send`: one sample alert, marked TEST, to one sink, by the path that deliveries take.
 *
 * It shows what went out, what came back and what a delivery would make of it. It asks no store
 * and keeps nothing; a running daemon does not notice. A sink that takes several steps (AGAIN)
 * is taken through all of them.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/jline.h"
#include "cli/print.h"
#include "cli/sample_options.h"
#include "cli/shown.h"
#include "flow/envelope.h"
#include "flow/recipients.h"
#include "flow/samples.h"
#include "io/turn.h"
#include "io/xfer.h"

enum { SAMPLE_MAX = 16 << 10, STEPS_MAX = 20 };

struct sending {
	const struct cli *cli;
	struct setup *setup;
	struct glance glance; /* the sink's group as it is written */
	const struct sink_settings *sink;
	size_t index;
	struct envelope envelope;
	struct people people; /* whom the sample names, where alerts do */
	struct turn *turn;
	struct xfer *xfer;

	int64_t at;              /* of the sample; it names it, too */
	char handle[HANDLE_MAX]; /* left by the event before */

	struct request request; /* of this step, until it starts */
	bool started;
	struct login_wait wait; /* for the token of a sink that logs in */
	char *bearer;
	struct shown shown;
	struct outcome outcome;
	int status;
	int64_t took_ms;
	char answer[MASK_TEXT_MAX + 1];
	char error[ERR_TEXT_MAX];
};

/* ---- one step on the wire ---- */

static void on_reply(void *arg, const struct reply *reply)
{
	struct sending *s = arg;

	s->outcome = (struct outcome){ .retry_after_ms = -1 };
	s->sink->type->judge(s->sink, &s->envelope.message, reply, &s->outcome);
	s->status = reply->status;
	s->took_ms = reply->took_ms;
	shown_answer(&s->shown, reply, s->answer, sizeof(s->answer));
	snprintf(s->error, sizeof(s->error), "%s", reply->error);
	turn_stop(s->turn);
}

static void on_login(void *arg, const char *bearer, const struct reply *reply,
		     const struct outcome *out)
{
	struct sending *s = arg;

	if (bearer != NULL) {
		s->bearer = mem_strdup(bearer);
		turn_wake(s->turn);
		return;
	}
	s->outcome = *out;
	s->status = out->status;
	s->took_ms = reply->took_ms;
	turn_stop(s->turn);
}

/* Transfers start at the end of a turn, here too; the one for a token comes first. */
static void on_turn_end(void *arg)
{
	struct sending *s = arg;
	struct login *login = s->setup->logins[s->index];

	if (!s->started && login != NULL) {
		s->wait = (struct login_wait){ .done = on_login, .arg = s };
		login_wait(login, s->xfer, &s->wait);
	}
	s->started = true;
	if (s->request.url == NULL || (login != NULL && s->bearer == NULL))
		return;
	s->envelope.message.bearer = s->bearer;
	s->request.bearer = login != NULL ? mem_strdup(s->bearer) : s->request.bearer;
	xfer_start(s->xfer, &s->request, on_reply, s);
}

static bool send_step(struct sending *s, struct err *err)
{
	s->envelope.message.now = clock_now();
	if (!envelope_seal(&s->envelope, s->sink, s->setup->parts[s->index], &s->request, err))
		return false;
	shown_release(&s->shown);
	shown_init(&s->shown, s->sink, glance_find(&s->glance, "sinks", s->sink->name),
		   &s->request);
	s->started = false;
	turn_wake(s->turn);
	turn_run(s->turn);
	request_release(&s->request); /* one that there was no token for */
	mem_free_secret(&s->bearer);
	s->envelope.message.bearer = NULL;
	return true;
}

/* ---- telling ---- */

static void json_list(struct jline *j, const char *key, char *const *list, size_t count)
{
	jline_open(j, key, '[');
	for (size_t i = 0; i < count; i++)
		jline_text(j, NULL, list[i]);
	jline_close(j, ']');
}

static void json_people(const struct sending *s, struct jline *j)
{
	if (!recipients_are_named(s->sink))
		return;
	jline_open(j, "recipients", '{');
	json_list(j, "to", s->people.to, s->people.to_count);
	json_list(j, "cc", s->people.cc, s->people.cc_count);
	jline_close(j, '}');
}

static void print_list(const char *label, char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			printf("%-8s ", label);
		else
			fputs(", ", stdout);
		print_text(stdout, list[i], 400);
	}
	if (count > 0)
		putchar('\n');
}

/* Whom this sample names: another alert may name others. */
static void print_people(const struct sending *s)
{
	print_list("for", s->people.to, s->people.to_count);
	print_list("copy for", s->people.cc, s->people.cc_count);
	for (size_t i = 0; i < s->people.left_out_count; i++)
		printf("%-8s entry %zu of `%s`: %s\n", "left out", s->people.left_out[i].place,
		       s->people.left_out[i].key, s->people.left_out[i].why);
}

static void print_json(const struct sending *s)
{
	const char *reason = s->outcome.reason[0] != '\0' ? s->outcome.reason : NULL;
	const char *hint = s->outcome.hint[0] != '\0' ? s->outcome.hint : NULL;
	struct jline j;

	jline_begin(&j, stdout);
	jline_text(&j, "sink", s->sink->name);
	json_people(s, &j);
	shown_json(&s->shown, &j);
	if (s->status != 0)
		jline_int(&j, "status", s->status);
	else
		jline_null(&j, "status");
	jline_text(&j, "answer", s->answer);
	jline_int(&j, "took_ms", s->took_ms);
	jline_text(&j, "verdict", verdict_name(s->outcome.verdict));
	jline_text(&j, "reason", reason);
	jline_text(&j, "hint", hint);
	jline_bool(&j, "sink_down", s->outcome.sink_down);
	jline_end(&j);
}

static void print_line_of(const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	printf("%-8s ", label);
	print_text(stdout, text, 400);
	putchar('\n');
}

static void print_human(const struct sending *s)
{
	const char *verdict = verdict_name(s->outcome.verdict);
	char span[CLOCK_TEXT_MAX];

	shown_print(&s->shown, stdout);
	putchar('\n');
	print_people(s);
	if (s->status != 0)
		printf("%-8s %d\n", "status", s->status);
	print_line_of("answer", s->answer);
	print_line_of("error", s->error);
	clock_span(s->took_ms, span);
	print_line_of("took", span);
	printf("%-8s ", "verdict");
	print_coloured(stdout, print_colour_of(verdict), verdict);
	puts(s->outcome.sink_down ? ", and the sink would be held" : "");
	print_line_of("reason", s->outcome.reason);
	print_line_of("hint", s->outcome.hint);
}

static int tell_unsent(const struct sending *s, const struct err *err)
{
	struct jline j;

	if (!s->cli->json)
		return cli_failed("nothing was sent: %s", err->text);
	jline_begin(&j, stdout);
	jline_text(&j, "sink", s->sink->name);
	jline_null(&j, "request");
	jline_null(&j, "status");
	jline_null(&j, "answer");
	jline_null(&j, "took_ms");
	jline_text(&j, "verdict", verdict_name(VERDICT_NEVER));
	jline_text(&j, "reason", err->text);
	jline_end(&j);
	return EXIT_FAILED;
}

static int send_all(struct sending *s)
{
	char progress[PROGRESS_MAX];
	struct err err;

	for (int step = 0; step < STEPS_MAX; step++) {
		if (!send_step(s, &err))
			return tell_unsent(s, &err);
		if (s->cli->json)
			print_json(s);
		else
			print_human(s);
		if (s->outcome.verdict != VERDICT_AGAIN)
			break;
		snprintf(progress, sizeof(progress), "%s", s->outcome.progress);
		s->envelope.message.progress = progress;
	}
	return s->outcome.verdict == VERDICT_DELIVERED ? EXIT_OK : EXIT_FAILED;
}

/* ---- what is sent ---- */

static bool fill(struct sending *s, enum event_kind kind, const char *type, struct err *err)
{
	const struct settings *all = s->setup->settings;
	char id[64];
	struct buf bytes, context;

	/* A new one each time: a receiver that knows an id would rightly ignore its repeat. */
	snprintf(id, sizeof(id), "tocsin-test-%" PRId64, s->at);
	buf_init(&bytes, SAMPLE_MAX);
	samples_add(&bytes, type, &(struct sample_as){ .kind = kind, .at = s->at, .id = id });
	buf_init(&context, SAMPLE_MAX);
	samples_add_context(&context, type, s->at);
	const struct envelope_names names = {
		.source = all->source_count > 0 ? all->sources[0].name : "test",
		.route = "test",
		.kind = kind,
		.episode = 1,
		.seq = kind == EVENT_OPENED ? 1 : 2,
		.at = s->at,
		.context = context.data,
		.context_len = context.len,
	};
	bool ok = envelope_fill(&s->envelope, s->sink, &names, bytes.data, bytes.len, err);

	buf_release(&context);
	buf_release(&bytes);
	if (!ok)
		return false;
	s->envelope.facts.test = s->envelope.message.test = true;
	s->envelope.message.handle = s->handle;
	if (all->source_count > 0)
		envelope_add_link(&s->envelope, s->setup->links[0]);
	return true;
}

/* False, and why: a delivery of this alert would end `dropped`. */
static bool address(struct sending *s, struct err *err)
{
	struct buf why;

	if (!recipients_are_named(s->sink))
		return true;
	recipients_named(s->sink, &s->envelope.facts, &s->people);
	s->envelope.message.people = &s->people;
	if (s->people.key != PEOPLE_NOBODY)
		return true;
	buf_init(&why, ERR_TEXT_MAX / 2);
	for (size_t i = 0; i < s->people.left_out_count; i++)
		buf_addf(&why, "%s%s %zu %s", i > 0 ? ", " : "", s->people.left_out[i].key,
			 s->people.left_out[i].place, s->people.left_out[i].why);
	err_set(err,
		"the sample names nobody (%s); such an alert ends as `dropped: no recipient`. "
		"Another --sample may name somebody, and a fixed address in `to` always gets it",
		why.data);
	buf_release(&why);
	return false;
}

static int send_one(struct sending *s, enum event_kind kind, const char *type)
{
	struct err err;

	if (!fill(s, kind, type, &err) || !address(s, &err))
		return tell_unsent(s, &err);
	return send_all(s);
}

static int send_sample(struct sending *s, enum event_kind kind, const char *type)
{
	int code = send_one(s, kind, type);

	snprintf(s->handle, sizeof(s->handle), "%s", s->outcome.handle);
	shown_release(&s->shown);
	envelope_release(&s->envelope);
	people_release(&s->people);
	return code;
}

/* --follow: the sample is told open first, so that threads and pairs are seen. */
static int send_samples(struct sending *s, enum event_kind kind, const char *type)
{
	int code = EXIT_OK;

	s->at = clock_now();
	s->turn = turn_new();
	turn_on_end(s->turn, on_turn_end, s);
	s->xfer = xfer_new(s->turn);
	if (cli_has(s->cli, "follow")) {
		code = send_sample(s, EVENT_OPENED, type);
		if (!s->cli->json)
			putchar('\n');
	}
	if (code == EXIT_OK)
		code = send_sample(s, kind, type);
	xfer_free(&s->xfer);
	turn_free(&s->turn);
	return code;
}

/* ---- the command ---- */

static int unknown_sink(const struct settings *settings, const char *name)
{
	const char **names = mem_array(settings->sink_count + 1, sizeof(*names));

	for (size_t i = 0; i < settings->sink_count; i++)
		names[i] = settings->sinks[i].name;
	const char *nearest = num_nearest(name, names);
	int code = cli_failed("%s has no sink \"%s\"%s%s%s", settings->file, name,
			      nearest != NULL ? "; did you mean \"" : "",
			      nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");

	mem_free(&names);
	return code;
}

static int send_with(const struct cli *cli, struct setup *setup, enum event_kind kind,
		     const char *type)
{
	struct conf_problems ignored = { .list = NULL };
	struct sending s = { .cli = cli, .setup = setup };

	s.sink = settings_sink(setup->settings, cli->argv[0]);
	if (s.sink == NULL)
		return unknown_sink(setup->settings, cli->argv[0]);
	s.index = (size_t)(s.sink - setup->settings->sinks);
	(void)glance_read(&s.glance, cli->config, &ignored); /* setup has found it good */
	int code = send_samples(&s, kind, type);

	glance_release(&s.glance);
	conf_problems_release(&ignored);
	return code;
}

static int run(const struct cli *cli)
{
	enum event_kind kind;
	const char *type;

	if (cli->argc != 1)
		return cli_usage(cli, "it takes the name of one sink");
	int code = sample_options(cli, &kind, &type);

	if (code == EXIT_OK && cli_has(cli, "follow") && kind == EVENT_OPENED)
		code = cli_usage(cli, "--follow wants another --event than opened");
	if (code != EXIT_OK)
		return code;
	struct setup *setup = cli_setup(cli);

	if (setup == NULL)
		return EXIT_CONFIG;
	code = send_with(cli, setup, kind, type);

	setup_free(&setup);
	return code;
}

static const struct cli_option options[] = {
	{ "event", "KIND", "opened, acknowledged, resolved, reopened or changed" },
	{ "sample", "TYPE",
	  "policy_violation, budget_exceeded, anomaly_detected or security_event" },
	{ "follow", NULL,
	  "tell it open first, then the event: for threads, and pagers' pairs" },
	{ .name = NULL },
};

const struct command command_send = {
	.name = "send",
	.arguments = "SINK",
	.summary = "send a sample marked TEST to a sink and show what comes back",
	.details =
		"Shows the request with secrets as ***, the answer, and what a delivery would\n"
		"make of it. Exit code 0 when it was delivered, else 1.",
	.options = options,
	.json = true,
	.run = run,
};
