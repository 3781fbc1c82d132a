/*
 * `tocsin render`: what would a template make of this alert? The output is the bytes alone.
 *
 * It works without a configuration: a template may be a path, and the shipped ones are found
 * where they were installed. What is missing in the alert is told on stderr.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/sample_options.h"
#include "cli/subject.h"
#include "flow/envelope.h"
#include "flow/parts.h"
#include "model/json.h"

enum { DATA_MAX = 16 << 20, OUTPUT_MAX = 64 << 20 };

/* ---- rendering ---- */

static void on_missing(void *arg, const char *template_name, int line, const char *name)
{
	(void)arg;
	fprintf(stderr, "%s:%d: warning: ", template_name, line);
	print_text(stderr, name, 100);
	fputs(" is missing here and renders empty\n", stderr);
}

/* What there was is printed all the same: it shows why JSON is none. */
static int render(const struct tmpl *t, const struct value *root,
		  const struct tmpl_report *report)
{
	struct buf out;
	struct err err;

	buf_init(&out, OUTPUT_MAX);
	bool ok = tmpl_render(t, root, &out, report, &err);

	fwrite(out.data, 1, out.len, stdout);
	buf_release(&out);
	return ok ? EXIT_OK : cli_failed("%s", err.text);
}

static int render_subject(const struct tmpl *t, const struct subject *s)
{
	static char name[] = "example";
	const struct sink_settings sink = { .name = name };
	const struct envelope_names names = {
		.source = s->source != NULL ? s->source : name,
		.route = name,
		.kind = s->kind,
		.first = s->first,
		.episode = 1,
		.seq = 1,
		.at = s->at,
		.context = s->context.data,
		.context_len = s->context.len,
	};
	struct envelope e;
	struct value root;
	struct err err;

	if (!envelope_fill(&e, &sink, &names, s->bytes.data, s->bytes.len, &err))
		return cli_failed("it is no alert: %s", err.text);
	e.message.now = s->at;
	value_of_message(&e.message, &root);
	int code = render(t, &root, &(struct tmpl_report){ .missing = on_missing });

	envelope_release(&e);
	return code;
}

static int render_alert(const struct cli *cli, const struct tmpl *t, enum event_kind kind,
			const char *type)
{
	struct subject s;
	int code = subject_take(cli, type, kind, &s);

	if (code == EXIT_OK)
		code = render_subject(t, &s);
	subject_release(&s);
	return code;
}

static int render_data(const struct cli *cli, const struct tmpl *t)
{
	struct json *json = NULL;
	struct value root;
	struct buf data;
	struct err err;
	int code;

	buf_init(&data, DATA_MAX);
	if (file_read(cli_option(cli, "data"), &data, &err))
		json = json_parse(data.data, data.len, &err);
	if (json == NULL) {
		code = cli_failed("%s: %s", cli_option(cli, "data"), err.text);
	} else {
		value_of_json(json, json_root(json), &root);
		code = render(t, &root, NULL);
	}
	json_free(&json);
	buf_release(&data);
	return code;
}

/* ---- the template ---- */

/* The configuration may be missing or wrong: then the shipped folder is all there is. */
static struct tmpl *find_template(const struct cli *cli, struct err *err)
{
	struct conf_problems problems = { .list = NULL };
	char *file = mem_strdup(cli->config), *path = NULL;
	struct tmpl *t = NULL;
	struct glance glance;
	size_t len;

	if (!glance_read(&glance, cli->config, &problems) && file_exists(cli->config))
		print_problems(stderr, &problems, false);
	if (glance.templates == NULL)
		glance.templates = mem_strdup(".");
	const struct settings settings = { .file = file, .templates = glance.templates };
	char *text = parts_find(&settings, cli->argv[0], &path, &len, err);

	if (text != NULL)
		t = parts_compile(path, text, len, err);
	mem_free(&text);
	mem_free(&path);
	mem_free(&file);
	glance_release(&glance);
	conf_problems_release(&problems);
	return t;
}

static int check_usage(const struct cli *cli)
{
	static const char *const origins[] = { "sample", "alert", "id", "data" };
	int given = 0;

	if (cli->argc != 1)
		return cli_usage(cli, "it takes one template, by name or path");
	for (size_t i = 0; i < ARRAY_LEN(origins); i++)
		given += cli_has(cli, origins[i]) ? 1 : 0;
	if (given > 1)
		return cli_usage(cli, "--sample, --alert, --id and --data exclude each other");
	return EXIT_OK;
}

static int run(const struct cli *cli)
{
	enum event_kind kind;
	const char *type;
	struct err err;
	int code = check_usage(cli);

	if (code == EXIT_OK)
		code = sample_options(cli, &kind, &type);
	if (code != EXIT_OK)
		return code;
	struct tmpl *t = find_template(cli, &err);

	if (t == NULL)
		return cli_failed("%s", err.text);
	code = cli_has(cli, "data") ? render_data(cli, t) : render_alert(cli, t, kind, type);
	tmpl_free(&t);
	return code;
}

static const struct cli_option options[] = {
	{ "event", "KIND", "opened, acknowledged, resolved, reopened or changed" },
	{ "sample", "TYPE",
	  "policy_violation, budget_exceeded, anomaly_detected or security_event" },
	{ "alert", "FILE", "the alert in this file" },
	{ "id", "ALERT_ID", "the alert in the store, at its latest event" },
	{ "context", "FILE", "who and what is behind it: { \"user\": { … }, … }, or none" },
	{ "data", "FILE.json", "any JSON, as it is, instead of an alert" },
	{ .name = NULL },
};

const struct command command_render = {
	.name = "render",
	.arguments = "TEMPLATE",
	.summary = "render a template against a sample or an alert",
	.details =
		"TEMPLATE is a path, or a name such as webhook.json that is looked for beside\n"
		"the configuration and in `templates`. The output is the bytes alone; names\n"
		"that the alert lacks are told on stderr.",
	.options = options,
	.run = run,
};
