/*
 * cli: what all commands share: options, help, opening the configuration and the store.
 *
 * A command is one file with one struct command; the table in cli.c is the list of them and
 * the text of `tocsin --help`. Exit codes: 0 ok, 1 failed, 2 usage, 78 configuration
 * (base/err.h). Results go to stdout, everything else to stderr. Commands read the store by its
 * views and work with the daemon up or down.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "cli/glance.h"
#include "flow/setup.h"
#include "store/store.h"

/* What was given on the command line. */
struct cli {
	const struct command *command;
	const char *config; /* -c FILE, else $TOCSIN_CONFIG, else /etc/tocsin/tocsin.conf */
	bool json;          /* --json */
	int argc;           /* the command's own arguments, options taken out */
	const char **argv;
	const struct option_given *given; /* in the order of the line */
	size_t given_count;
};

/* An option of one command: "--sink NAME". */
struct cli_option {
	const char *name;  /* without the dashes; NULL ends a table */
	const char *value; /* what it takes, for the help; NULL: a switch */
	const char *help;
};

/* One option as it was given. */
struct option_given {
	const char *name;
	const char *value; /* NULL: of a switch */
};

struct command {
	const char *name;
	const char *arguments;            /* for the usage line: "SINK" */
	const char *summary;              /* one line */
	const char *details;              /* more lines of help; may be NULL */
	const struct cli_option *options; /* may be NULL */
	bool json;                        /* knows --json */
	int (*run)(const struct cli *cli);
};

extern const struct command command_alerts, command_check, command_drop, command_explain,
	command_poll, command_queue, command_render, command_requeue, command_run, command_send,
	command_presets, command_report, command_route, command_silence, command_sink,
	command_status, command_store;

/* The whole program; main() is this. */
int cli_main(int argc, char **argv);

/* The value of an option, or NULL; true when it was given. Of several the last counts. */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* The value of the n-th (from 0) of an option that may be repeated; NULL: no more. */
const char *cli_option_at(const struct cli *cli, const char *name, size_t n);

/* Prints "usage: …" of the command with what is wrong to stderr; returns EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The configuration, or NULL after every problem was printed: return EXIT_CONFIG then. */
struct setup *cli_setup(const struct cli *cli);

/*
 * Opens the store that the configuration names, however wrong the rest of it may be, and fills
 * g. NULL after the reason was printed: *code is then what to return, and g is empty.
 */
struct store *cli_store(const struct cli *cli, enum store_mode mode, struct glance *g,
			int *code) __attribute__((warn_unused_result));

/* Prints "tocsin: …" to stderr; returns EXIT_FAILED. */
int cli_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
