/*
 * `tocsin store`: the file itself: is it sound, and a copy of it.
 *
 * Both read beside a running daemon and never make it wait. Neither moves or mends a file: what
 * to do about a damaged one stands in what is printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/jline.h"
#include "cli/meter.h"
#include "cli/print.h"
#include "store/care.h"

static const struct cli_option options[] = {
	{ .name = "full", .help = "check: compare each index with its table, too" },
	{ .name = "force", .help = "backup: replace a file that is there" },
	{ .name = NULL },
};

/* Where the store lies by the configuration, however wrong the rest of it may be; NULL after
 * what is wrong was printed. The caller frees it. */
static char *store_path(const struct cli *cli)
{
	struct conf_problems problems = { .list = NULL };
	struct glance glance;
	char *path = NULL;

	if (glance_read(&glance, cli->config, &problems))
		path = mem_strdup(glance.store);
	print_problems(stderr, &problems, false);
	conf_problems_release(&problems);
	glance_release(&glance);
	return path;
}

/* ---- check ---- */

static void check_json(const char *path, bool is_full, const struct store_findings *f)
{
	struct jline j;

	jline_begin(&j, stdout);
	jline_text(&j, "file", path);
	jline_bool(&j, "ok", f->text.len == 0);
	jline_bool(&j, "full", is_full);
	jline_int(&j, "bytes", f->bytes);
	if (f->version >= 0)
		jline_int(&j, "version", f->version);
	else
		jline_null(&j, "version");
	jline_open(&j, "findings", '[');
	for (const char *at = f->text.data; f->text.len > 0 && *at != '\0';) {
		size_t len = strcspn(at, "\n");

		jline_bytes(&j, NULL, at, len);
		at += len + (at[len] == '\n');
	}
	jline_close(&j, ']');
	jline_open(&j, "rows", '{');
	for (size_t i = 0; i < f->table_count; i++) {
		if (f->tables[i].rows >= 0)
			jline_int(&j, f->tables[i].name, f->tables[i].rows);
		else
			jline_null(&j, f->tables[i].name);
	}
	jline_close(&j, '}');
	jline_end(&j);
}

static void print_facts(const char *path, const struct store_findings *f)
{
	printf("%s: %" PRId64 " KiB", path, f->bytes / 1024);
	if (f->version >= 0)
		printf(", version %" PRId64, f->version);
	if (f->version > f->version_known)
		printf(" (newer than this tocsin, which knows %d)", f->version_known);
	putchar('\n');
	for (size_t i = 0; i < f->table_count; i++) {
		if (f->tables[i].rows >= 0)
			printf("  %-12s %10" PRId64 " rows\n", f->tables[i].name,
			       f->tables[i].rows);
		else
			printf("  %-12s %10s\n", f->tables[i].name, "unreadable");
	}
}

static void check_text(const char *path, bool is_full, const struct store_findings *f)
{
	print_facts(path, f);
	if (f->text.len == 0) {
		print_coloured(stdout, COLOUR_GOOD, "sound");
		printf("%s\n", is_full ? ": structure, and every index against its table"
				       : ": its structure (--full compares the indexes, too)");
		return;
	}
	print_coloured(stdout, COLOUR_BAD, "damaged:");
	putchar('\n');
	print_block(stdout, f->text.data, f->text.len);
}

/* Of the store itself the daemon's next start shall look at all, however large it is. */
static int say_damaged(const char *path, bool is_store)
{
	if (!is_store)
		return cli_failed("%s is damaged: do not put it in the store's place", path);
	store_suspect(path);
	return cli_failed(
		"the store %s is damaged: restart tocsin, which sets it aside and goes on "
		"with a new one; or stop it, move the file away with its -wal and -shm, "
		"and put a backup in its place",
		path);
}

static int check(const struct cli *cli, const char *path, bool is_store)
{
	struct store_findings findings;
	struct meter meter;
	const struct progress progress = { meter_told, &meter };
	bool is_full = cli_has(cli, "full");
	struct err err;
	int code = EXIT_OK;

	meter_begin(&meter, "checking");
	bool is_done = store_check(path, is_full, &progress, &findings, &err);

	meter_end(&meter);
	if (!is_done)
		code = cli_failed("%s", err.text);
	else if (cli->json)
		check_json(path, is_full, &findings);
	else
		check_text(path, is_full, &findings);
	if (is_done && findings.text.len > 0)
		code = say_damaged(path, is_store);
	buf_release(&findings.text);
	return code;
}

/* ---- backup ---- */

static int backup(const struct cli *cli, const char *path, const char *to)
{
	struct meter meter;
	const struct progress progress = { meter_told, &meter };
	struct file_facts facts = { .size = 0 };
	struct jline j;
	struct err err;

	meter_begin(&meter, "copying");
	bool is_done = store_backup(path, to, cli_has(cli, "force"), &progress, &err);

	meter_end(&meter);
	if (!is_done)
		return cli_failed("%s", err.text);
	(void)file_look(to, &facts);
	if (!cli->json) {
		printf("%s: %" PRId64 " KiB, a whole store by itself\n", to, facts.size / 1024);
		return EXIT_OK;
	}
	jline_begin(&j, stdout);
	jline_text(&j, "file", to);
	jline_int(&j, "bytes", facts.size);
	jline_end(&j);
	return EXIT_OK;
}

/* ---- which ---- */

static int run(const struct cli *cli)
{
	const char *what = cli->argc > 0 ? cli->argv[0] : "";
	bool is_check = strcmp(what, "check") == 0;

	if (!is_check && strcmp(what, "backup") != 0)
		return cli_usage(cli, "check or backup?");
	if (cli_has(cli, is_check ? "force" : "full"))
		return cli_usage(cli, "--%s is not for %s", is_check ? "force" : "full", what);
	if (is_check ? cli->argc > 2 : cli->argc != 2)
		return cli_usage(cli, is_check ? "one file at a time"
					       : "the name of the new file, and nothing else");
	if (is_check && cli->argc == 2)
		return check(cli, cli->argv[1], false);
	char *path = store_path(cli);
	int code = EXIT_CONFIG;

	if (path != NULL)
		code = is_check ? check(cli, path, true) : backup(cli, path, cli->argv[1]);
	mem_free(&path);
	return code;
}

const struct command command_store = {
	.name = "store",
	.arguments = "check [FILE] | backup TO",
	.summary = "look whether the store is sound; copy it while the daemon runs",
	.details =
		"check reads the whole file (or FILE: a backup, or one that was set aside) and\n"
		"exits 1 when it is damaged. backup writes the store as it is now to a new file,\n"
		"whole and on the disk before it has its name. To restore: stop tocsin, move the\n"
		"store away with its -wal and -shm, copy the backup to its place, start tocsin.",
	.options = options,
	.json = true,
	.run = run,
};
