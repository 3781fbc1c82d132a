/* cli: one table of commands; options are taken out wherever they stand. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/print.h"
#include "flow/trial.h"

static const struct command *const commands[] = {
	&command_run,     &command_check,  &command_render, &command_route,   &command_send,
	&command_status,  &command_poll,   &command_alerts, &command_queue,   &command_explain,
	&command_requeue, &command_drop,   &command_sink,   &command_silence, &command_presets,
	&command_store,   &command_report,
};

static const struct cli_option no_options[] = { { .name = NULL } };

/* ---- help ---- */

static void print_program_help(FILE *out)
{
	fprintf(out,
		"tocsin %s: rings every bell that should ring\n\n"
		"usage: tocsin [-c FILE] COMMAND [ARGUMENT…]\n\ncommands:\n",
		TOCSIN_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\noptions:\n"
	      "  -c FILE    the configuration (default: $TOCSIN_CONFIG, else "
	      "/etc/tocsin/tocsin.conf)\n"
	      "  --json     JSON Lines where a command lists or tells\n"
	      "  --help     of the program or, after a command, of that\n"
	      "  --version  the version\n"
	      "\nexit codes: 0 ok, 1 failed, 2 usage, 78 configuration\n",
	      out);
}

static void print_usage(FILE *out, const struct command *c)
{
	fprintf(out, "usage: tocsin %s%s%s%s%s\n", c->name,
		c->options != NULL ? " [OPTION…]" : "", c->json ? " [--json]" : "",
		c->arguments != NULL ? " " : "", c->arguments != NULL ? c->arguments : "");
}

/* "  --name VALUE   help", the help in one column where the name leaves it. */
static void print_option(const char *dashes, const char *name, const char *value,
			 const char *help)
{
	int len = printf("  %s%s%s%s", dashes, name, value != NULL ? " " : "",
			 value != NULL ? value : "");

	printf("%*s%s\n", len < 22 ? 23 - len : 1, "", help);
}

static void print_command_help(const struct command *c)
{
	print_usage(stdout, c);
	printf("\n%s\n", c->summary);
	if (c->details != NULL)
		printf("\n%s\n", c->details);
	puts("\noptions:");
	for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
		print_option("--", o->name, o->value, o->help);
	if (c->json)
		print_option("--", "json", NULL, "JSON Lines instead of text for people");
	print_option("-", "c", "FILE", "the configuration");
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tocsin: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	if (cli->command != NULL)
		print_usage(stderr, cli->command);
	return EXIT_USAGE;
}

/* ---- parsing ---- */

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_LEN(commands) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		names[i] = commands[i]->name;
	const char *nearest = num_nearest(name, names);

	if (nearest != NULL)
		fprintf(stderr, "tocsin: there is no command \"%s\"; did you mean \"%s\"?\n",
			name, nearest);
	else
		fprintf(stderr, "tocsin: there is no command \"%s\"; see tocsin --help\n",
			name);
	return EXIT_USAGE;
}

/* In front of a command, where -c alone may stand. */
static int unknown_option(const struct cli *cli, const char *given)
{
	if (strcmp(given, "-c") == 0)
		return cli_usage(cli, "-c needs the name of a configuration behind it");
	return cli_usage(cli, "%s is no option in front of a command; see tocsin --help",
			 given);
}

/* One "--name[=value]" of the command; moves *i over a value that stands apart. */
static bool take_option(const struct cli *cli, int *i, struct option_given *out)
{
	const struct cli_option *o =
		cli->command->options != NULL ? cli->command->options : no_options;
	const char *given = cli->argv[*i] + 2;
	size_t len = strcspn(given, "=");

	while (o->name != NULL && (strlen(o->name) != len || strncmp(o->name, given, len) != 0))
		o++;
	if (o->name == NULL)
		return false;
	*out = (struct option_given){ .name = o->name };
	if (o->value == NULL)
		return given[len] == '\0';
	if (given[len] == '=')
		out->value = given + len + 1;
	else if (*i + 1 < cli->argc)
		out->value = cli->argv[++*i];
	return out->value != NULL;
}

static int bad_option(const struct cli *cli, const char *given)
{
	return cli_usage(cli,
			 "%s is no option of `tocsin %s`, or lacks its value; see tocsin %s "
			 "--help",
			 given, cli->command->name, cli->command->name);
}

/* The command's arguments: options go to given, the rest to the front of cli->argv. */
static int parse_arguments(struct cli *cli, struct option_given *given_options)
{
	int kept = 0;

	for (int i = 0; i < cli->argc; i++) {
		const char *given = cli->argv[i];

		if (strcmp(given, "-c") == 0 && i + 1 < cli->argc) {
			cli->config = cli->argv[++i];
		} else if (strcmp(given, "--json") == 0 && cli->command->json) {
			cli->json = true;
		} else if (strcmp(given, "--") == 0) {
			while (++i < cli->argc)
				cli->argv[kept++] = cli->argv[i];
		} else if (strncmp(given, "--", 2) == 0) {
			if (!take_option(cli, &i, &given_options[cli->given_count]))
				return bad_option(cli, given);
			cli->given_count++;
		} else if (given[0] == '-' && given[1] != '\0') {
			return bad_option(cli, given);
		} else {
			cli->argv[kept++] = given;
		}
	}
	cli->argc = kept;
	return EXIT_OK;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
	cli->command = find_command(argv[0]);
	if (cli->command == NULL)
		return unknown_command(argv[0]);
	if (wants_help(argc, argv)) {
		print_command_help(cli->command);
		return EXIT_OK;
	}
	cli->argc = argc - 1;
	cli->argv = mem_array((size_t)argc, sizeof(char *));
	for (int i = 1; i < argc; i++)
		cli->argv[i - 1] = argv[i];
	struct option_given *given = mem_array((size_t)argc, sizeof(*given));

	cli->given = given;
	int code = parse_arguments(cli, given);

	if (code == EXIT_OK)
		code = cli->command->run(cli);
	mem_free(&given);
	mem_free(&cli->argv);
	return code;
}

static int run_line(int argc, char **argv)
{
	struct cli cli = { .config = getenv("TOCSIN_CONFIG") };
	int i = 1;

	if (cli.config == NULL || cli.config[0] == '\0')
		cli.config = "/etc/tocsin/tocsin.conf";
	while (i + 1 < argc && strcmp(argv[i], "-c") == 0) {
		cli.config = argv[i + 1];
		i += 2;
	}
	if (i >= argc) {
		print_program_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[i], "--version") == 0) {
		printf("tocsin %s\n", TOCSIN_VERSION);
		return EXIT_OK;
	}
	if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
	    (strcmp(argv[i], "help") == 0 && i + 1 >= argc)) {
		print_program_help(stdout);
		return EXIT_OK;
	}
	if (argv[i][0] == '-')
		return unknown_option(&cli, argv[i]);
	return run_command(&cli, argc - i, argv + i);
}

/* What could not be written, on a full disk say, must not look like success. */
int cli_main(int argc, char **argv)
{
	int code = run_line(argc, argv);

	if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_OK)
		code = cli_failed("the output could not be written whole");
	return code;
}

/* ---- what commands share ---- */

static void must_have(const struct cli *cli, const char *name)
{
	for (size_t n = 0; cli->command->options[n].name != NULL; n++)
		if (strcmp(cli->command->options[n].name, name) == 0)
			return;
	BUG("`%s` has no option --%s", cli->command->name, name);
}

static const struct option_given *find_last(const struct cli *cli, const char *name)
{
	must_have(cli, name);
	for (size_t i = cli->given_count; i > 0; i--)
		if (strcmp(cli->given[i - 1].name, name) == 0)
			return &cli->given[i - 1];
	return NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
	const struct option_given *last = find_last(cli, name);

	return last != NULL ? last->value : NULL;
}

bool cli_has(const struct cli *cli, const char *name)
{
	return find_last(cli, name) != NULL;
}

const char *cli_option_at(const struct cli *cli, const char *name, size_t n)
{
	must_have(cli, name);
	for (size_t i = 0; i < cli->given_count; i++)
		if (strcmp(cli->given[i].name, name) == 0 && n-- == 0)
			return cli->given[i].value;
	return NULL;
}

struct setup *cli_setup(const struct cli *cli)
{
	struct conf_problems problems = { .list = NULL };
	struct setup *setup = setup_load(cli->config, &problems);

	if (setup != NULL)
		trial_run(setup, &problems);
	if (problems.error_count > 0)
		setup_free(&setup);
	print_problems(stderr, &problems, false);
	conf_problems_release(&problems);
	return setup;
}

struct store *cli_store(const struct cli *cli, enum store_mode mode, struct glance *g,
			int *code)
{
	struct conf_problems problems = { .list = NULL };
	struct store *store = NULL;
	struct err err;

	*code = EXIT_CONFIG;
	if (glance_read(g, cli->config, &problems)) {
		store = store_open(g->store, mode, &err);
		*code = store == NULL ? cli_failed("%s", err.text) : EXIT_OK;
	}
	print_problems(stderr, &problems, false);
	conf_problems_release(&problems);
	if (store == NULL)
		glance_release(g);
	return store;
}

int cli_failed(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tocsin: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return EXIT_FAILED;
}
