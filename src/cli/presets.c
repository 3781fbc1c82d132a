/*
 * `tocsin presets`: the vendors' APIs that a webhook can speak, each a file that can be copied.
 *
 * Beside the configuration, in its presets/, and in the shipped presets/: of one name the first
 * counts, as it does for a sink. `render` shows the request that would be sent for a sample,
 * with each variable that must be given as its own name in capitals. Nothing here needs a
 * configuration that is whole.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/jline.h"
#include "cli/print.h"
#include "cli/sample_options.h"
#include "cli/table.h"
#include "flow/envelope.h"
#include "flow/samples.h"
#include "sinks/webhook.h"

enum { WORDS_MAX = 400, DIGEST_MAX = 8 };

static const char suffix[] = ".preset";

/* Where templates lie, and what stands for the configuration that names them. */
struct place {
	struct settings settings;
	struct glance glance;
	char *file;
};

static void find_place(const struct cli *cli, struct place *p)
{
	struct conf_problems problems = { .list = NULL };

	if (!glance_read(&p->glance, cli->config, &problems) && file_exists(cli->config))
		print_problems(stderr, &problems, false);
	if (p->glance.templates == NULL)
		p->glance.templates = mem_strdup(".");
	p->file = mem_strdup(cli->config);
	p->settings = (struct settings){ .file = p->file, .templates = p->glance.templates };
	conf_problems_release(&problems);
}

static void leave_place(struct place *p)
{
	mem_free(&p->file);
	glance_release(&p->glance);
}

/* NULL after what is wrong was printed. */
static struct preset *load(const struct place *p, const char *name)
{
	struct conf_problems problems = { .list = NULL };
	struct preset *preset = NULL;
	char *path = NULL;
	struct err err = { "" };
	size_t len;
	char *bytes = parts_find_preset(&p->settings, name, &path, &len, &err);

	if (bytes == NULL)
		(void)cli_failed("%s", err.text);
	else
		preset = preset_read(name, path, bytes, len, &problems);
	print_problems(stderr, &problems, false);
	conf_problems_release(&problems);
	mem_free(&bytes);
	mem_free(&path);
	return preset;
}

/* ---- the list ---- */

/* "opened, resolved": the events that it sends a request for. */
static void list_events(const struct preset *p, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int event = 0; event <= PRESET_EVENT_DIGEST; event++)
		if ((preset_events(p) & 1U << event) != 0 && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 used > 0 ? ", " : "",
						 preset_event_name(event));
}

/* "routing_key*, component": what must be given has a star. */
static void list_vars(const struct preset *p, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "%s",
		 p->base_url == NULL ? "url*"
		 : p->own_host       ? "base_url*"
				     : "");
	used = strlen(text);
	for (size_t i = 0; i < p->var_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s%s",
					 used > 0 ? ", " : "", p->vars[i].name,
					 p->vars[i].required ? "*" : "");
}

static void print_json(const struct preset *p)
{
	struct jline j;

	jline_begin(&j, stdout);
	jline_text(&j, "name", p->name);
	jline_text(&j, "title", p->title);
	jline_text(&j, "base_url", p->base_url);
	jline_open(&j, "vars", '[');
	for (size_t i = 0; i < p->var_count; i++) {
		jline_open(&j, NULL, '{');
		jline_text(&j, "name", p->vars[i].name);
		jline_bool(&j, "required", p->vars[i].required);
		jline_bool(&j, "secret", p->vars[i].is_secret);
		jline_text(&j, "fallback", p->vars[i].fallback);
		jline_text(&j, "help", p->vars[i].help);
		jline_close(&j, '}');
	}
	jline_close(&j, ']');
	jline_open(&j, "events", '[');
	for (int event = 0; event <= PRESET_EVENT_DIGEST; event++)
		if ((preset_events(p) & 1U << event) != 0)
			jline_text(&j, NULL, preset_event_name(event));
	jline_close(&j, ']');
	jline_int(&j, "batch_max", p->batch_max);
	jline_bool(&j, "collapse", p->collapse);
	jline_text(&j, "rate", p->rate);
	jline_open(&j, "limits", '{');
	for (size_t i = 0; i < p->limits.count; i++)
		jline_text(&j, p->limits.list[i].name, p->limits.list[i].value);
	jline_close(&j, '}');
	jline_end(&j);
}

static const struct table_column columns[] = {
	{ .title = "NAME" },
	{ .title = "WHAT", .max = 50 },
	{ .title = "NEEDS (* must be given)", .max = 140 },
	{ .title = "EVENTS", .max = 80 },
	{ .title = NULL },
};

static void print_row(struct table *t, const struct preset *p)
{
	char words[WORDS_MAX];

	table_cell(t, COLOUR_NONE, p->name);
	table_cell(t, COLOUR_NONE, p->title);
	list_vars(p, words, sizeof(words));
	table_cell(t, COLOUR_NONE, words);
	list_events(p, words, sizeof(words));
	table_cell(t, COLOUR_NONE, words);
}

static int list(const struct cli *cli, const struct place *p)
{
	char *beside = file_dir(cli->config);
	char *own = file_join(beside, "presets"),
	     *shipped = file_join(p->glance.templates, "presets");
	const char *const folders[] = { beside, own, shipped, NULL };
	struct file_names names = { .list = NULL };
	struct table *t = table_new(stdout, columns);
	int code = EXIT_OK;

	for (size_t i = 0; folders[i] != NULL; i++)
		file_add_names(&names, folders[i], suffix);
	for (size_t i = 0; i < names.count; i++) {
		struct preset *preset = load(p, names.list[i]);

		if (preset == NULL)
			code = EXIT_FAILED;
		else if (cli->json)
			print_json(preset);
		else
			print_row(t, preset);
		preset_free(&preset);
	}
	if (names.count == 0)
		code = cli_failed("no presets in %s: set `templates` to the folder that holds "
				  "them",
				  shipped);
	else
		table_flush(t);
	table_free(&t);
	file_release_names(&names);
	mem_free(&beside);
	mem_free(&own);
	mem_free(&shipped);
	return code;
}

static int show(const struct place *p, const char *name)
{
	struct err err;
	char *path = NULL;
	size_t len;
	char *bytes = parts_find_preset(&p->settings, name, &path, &len, &err);

	if (bytes == NULL)
		return cli_failed("%s", err.text);
	fwrite(bytes, 1, len, stdout);
	mem_free(&bytes);
	mem_free(&path);
	return EXIT_OK;
}

/* ---- a request of it ---- */

/* The value of --var NAME=VALUE; NULL: not given. */
static const char *given_var(const struct cli *cli, const char *name)
{
	size_t len = strlen(name);
	const char *given;

	for (size_t n = 0; (given = cli_option_at(cli, "var", n)) != NULL; n++)
		if (strncmp(given, name, len) == 0 && given[len] == '=')
			return given + len + 1;
	return NULL;
}

static char *stand_in(const struct preset_var *var)
{
	char *value = mem_strdup(var->required           ? var->name
				 : var->fallback != NULL ? var->fallback
							 : "");

	for (char *c = value; var->required && *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return value;
}

static struct conf_pairs stand_ins(const struct cli *cli, const struct preset *p)
{
	struct conf_pairs vars = { .list = mem_array(p->var_count, sizeof(struct pair)) };

	for (size_t i = 0; i < p->var_count; i++) {
		const struct preset_var *var = &p->vars[i];
		const char *given = given_var(cli, var->name);

		vars.list[vars.count++] = (struct pair){
			.name = mem_strdup(var->name),
			.value = given != NULL ? mem_strdup(given) : stand_in(var),
		};
	}
	return vars;
}

static void release_stand_ins(struct conf_pairs *vars)
{
	for (size_t i = 0; i < vars->count; i++) {
		mem_free(&vars->list[i].name);
		mem_free(&vars->list[i].value);
	}
	mem_free(&vars->list);
}

static void print_request(const struct request *r)
{
	printf("%s %s\n", r->method, r->url);
	for (size_t i = 0; i < r->header_count; i++)
		printf("%s\n", r->headers[i]);
	if (r->username != NULL)
		printf("Authorization: %s %s:%s\n", r->sigv4 != NULL ? r->sigv4 : "Basic",
		       r->username, r->password != NULL ? r->password : "");
	printf("\n");
	fwrite(r->body.data, 1, r->body.len, stdout);
	if (r->body.len > 0)
		printf("\n");
}

/* What is told: one alert, or the samples as a digest. */
struct told {
	struct envelope envelopes[DIGEST_MAX];
	struct facts facts[DIGEST_MAX];
	size_t count;
	struct message message;
};

static int add(const struct cli *cli, struct told *t, const struct sink_settings *sink,
	       enum event_kind kind, const char *type)
{
	struct envelope_names names = {
		.source = "example", .route = "example", .kind = kind, .episode = 1, .seq = 1
	};
	struct envelope *e = &t->envelopes[t->count];
	struct buf bytes, context;
	struct err err;

	buf_init(&bytes, ALERT_BYTES_MAX);
	buf_init(&context, SAMPLE_CONTEXT_MAX);
	int code = sample_take(cli, type, &names.kind, &names.at, &bytes, &context);

	names.context = context.data;
	names.context_len = context.len;
	if (code == EXIT_OK && envelope_fill(e, sink, &names, bytes.data, bytes.len, &err))
		t->facts[t->count++] = e->facts;
	else if (code == EXIT_OK)
		code = cli_failed("it is no alert: %s", err.text);
	buf_release(&context);
	buf_release(&bytes);
	return code;
}

static int tell(const struct cli *cli, struct told *t, const struct sink_settings *sink,
		enum event_kind kind, const char *type)
{
	bool is_digest = cli_has(cli, "digest");
	int code = EXIT_OK;

	if (!is_digest)
		code = add(cli, t, sink, kind, type);
	for (size_t i = 0; is_digest && code == EXIT_OK && samples_types[i] != NULL; i++)
		code = add(cli, t, sink, kind, samples_types[i]);
	t->message = t->envelopes[0].message;
	t->message.alerts = t->facts;
	t->message.count = t->count;
	t->message.now = t->facts[0].at;
	t->message.why = is_digest ? "group" : NULL;
	t->message.possible_repeat = cli_has(cli, "repeat");
	if (cli_has(cli, "handle"))
		t->message.handle = cli_option(cli, "handle");
	if (cli_has(cli, "progress"))
		t->message.progress = cli_option(cli, "progress");
	return code;
}

static int seal(struct told *t, const struct place *p, const struct sink_settings *sink)
{
	struct conf_problems problems = { .list = NULL };
	struct parts *parts = parts_new(&p->settings, sink, &problems);
	struct envelope e = { .message = t->message };
	struct request request;
	struct err err = { "" };
	bool ok = parts != NULL && envelope_seal(&e, sink, parts, &request, &err);

	if (ok) {
		print_request(&request);
		request_release(&request);
	}
	print_problems(stderr, &problems, false);
	conf_problems_release(&problems);
	parts_free(&parts);
	if (ok)
		return EXIT_OK;
	bool is_chosen = preset_choose(sink->preset, &t->message) != NULL;

	return cli_failed("%s%s", err.text,
			  is_chosen ? "" : " --handle, --progress and --repeat choose others");
}

/* Each --var must be one of the preset's. */
static int check_vars(const struct cli *cli, const struct preset *p)
{
	const char *given;

	for (size_t n = 0; (given = cli_option_at(cli, "var", n)) != NULL; n++) {
		size_t len = strcspn(given, "="), i = 0;

		if (given[len] == '\0')
			return cli_usage(cli, "--var is NAME=VALUE");
		while (i < p->var_count && (strlen(p->vars[i].name) != len ||
					    memcmp(p->vars[i].name, given, len) != 0))
			i++;
		if (i == p->var_count)
			return cli_usage(cli, "the preset %s has no variable \"%.*s\"", p->name,
					 (int)len, given);
	}
	return EXIT_OK;
}

static int render(const struct cli *cli, const struct place *p, const char *name)
{
	static char sink_name[] = "example", url[] = "https://example.com/URL";
	struct webhook_settings own = { .url = { .reference = url, .value = url } };
	struct sink_settings sink = { .name = sink_name, .type = &webhook_sink, .own = &own };
	struct told told = { .count = 0 };
	enum event_kind kind;
	const char *type;
	int code = sample_options(cli, &kind, &type);

	if (code != EXIT_OK)
		return code;
	sink.preset = load(p, name);
	if (sink.preset == NULL)
		return EXIT_FAILED;
	sink.vars = stand_ins(cli, sink.preset);
	code = check_vars(cli, sink.preset);
	if (code == EXIT_OK)
		code = tell(cli, &told, &sink, kind, type);
	if (code == EXIT_OK)
		code = seal(&told, p, &sink);
	for (size_t i = 0; i < told.count; i++)
		envelope_release(&told.envelopes[i]);
	release_stand_ins(&sink.vars);
	preset_free(&sink.preset);
	return code;
}

/* ---- the command ---- */

static int run_verb(const struct cli *cli, const struct place *p)
{
	if (cli->argc == 0)
		return list(cli, p);
	if (cli->argc == 2 && strcmp(cli->argv[0], "show") == 0)
		return show(p, cli->argv[1]);
	if (cli->argc == 2 && strcmp(cli->argv[0], "render") == 0)
		return render(cli, p, cli->argv[1]);
	return cli_usage(cli, "it takes nothing, `show NAME` or `render NAME`");
}

static int run(const struct cli *cli)
{
	struct place place;
	int code;

	find_place(cli, &place);
	code = run_verb(cli, &place);
	leave_place(&place);
	return code;
}

static const struct cli_option options[] = {
	{ "event", "KIND", "render: opened, acknowledged, resolved, reopened or changed" },
	{ "sample", "TYPE",
	  "render: policy_violation, budget_exceeded, anomaly_detected or security_event" },
	{ "alert", "FILE", "render: the alert in this file" },
	{ "context", "FILE",
	  "render: who and what is behind it: { \"user\": { … }, … }, or none" },
	{ "digest", NULL, "render: the samples in one message" },
	{ "var", "NAME=VALUE", "render: a variable of the preset; may be repeated" },
	{ "handle", "TEXT", "render: what an earlier delivery left ({{handle}})" },
	{ "progress", "TEXT",
	  "render: a step, a tab and what was kept, of a delivery of several" },
	{ "repeat", NULL, "render: a delivery that may have arrived before" },
	{ .name = NULL },
};

const struct command command_presets = {
	.name = "presets",
	.arguments = "[show NAME | render NAME]",
	.summary = "list the vendors' APIs that a webhook can speak",
	.details =
		"A preset is a file: copy `tocsin presets show NAME` beside the configuration as\n"
		"NAME.preset, or under a name of your own, and change it. Use it with\n"
		"{ type = \"webhook\"; preset = \"NAME\"; vars = { … }; }.\n"
		"`render` prints the request that it makes of a sample; nothing is sent.",
	.options = options,
	.json = true,
	.run = run,
};
