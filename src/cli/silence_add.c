/*
 * silence_add: a silence as it was typed, checked as far as it can be before it is stored.
 *
 * A wrong matcher would be found by the daemon alone, at night, and hold nothing; a wrong end
 * would hold for longer than anybody meant. So whatever looks wrong is said here.
 */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/esc.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/instant.h"
#include "cli/silence.h"
#include "model/json.h"
#include "model/route.h"
#include "store/silences.h"

enum {
	MATCHERS_MAX = 32,
	MATCHER_LEN_MAX = 1000,
	COMMENT_LEN_MAX = 1000,
	WHO_LEN_MAX = 100,
	LIST_MAX = 256 << 10,
	/* Those without a word are asked one by one, of each alert. */
	WORDLESS_MAX = 1000,
};

#define LONGEST_MS (INT64_C(366) * 24 * 3600 * 1000)

/* ---- matchers ---- */

/* Of these nothing is known when a silence is asked. */
static const struct {
	const char *field, *instead;
} unseen[] = {
	{ "sink", "`tocsin sink hold NAME` holds a sink" },
	{ "route", "match what the route matches" },
	{ "delivery_id", "match the id of the alert" },
	{ "possible_repeat", "match the id of the alert" },
	{ "at", "--for and --until say when" },
};

static int check_field(const struct cli *cli, const char *text, const char *field)
{
	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (strcmp(field, unseen[i].field) == 0)
			return cli_usage(cli,
					 "\"%s\": a silence looks at the alert, not at its "
					 "%s: %s",
					 text, field, unseen[i].instead);
	return EXIT_OK;
}

static int check_matcher(const struct cli *cli, const char *text, bool *is_word)
{
	struct err err;
	const char *field, *value;

	if (strlen(text) > MATCHER_LEN_MAX || !utf8_valid(text, strlen(text)))
		return cli_usage(cli, "a matcher is at most %d bytes of UTF-8",
				 MATCHER_LEN_MAX);
	struct matcher *m = matcher_new(text, &err);

	if (m == NULL)
		return cli_usage(cli, "%s (quote each matcher: 'severity = low')", err.text);
	if (!matcher_is_plausible(m, &err))
		fprintf(stderr, "tocsin: warning: \"%s\": %s\n", text, err.text);
	*is_word |= matcher_is_word(m, &field, &value);
	int code = check_field(cli, text, field);

	matcher_free(&m);
	return code;
}

static int check_matchers(const struct cli *cli, bool *has_word)
{
	bool all = cli_has(cli, "everything");
	int count = cli->argc - 1, code = EXIT_OK;

	*has_word = false;
	if (count == 0 && !all)
		return cli_usage(cli, "without a matcher it silences every alert: say so with "
				      "--everything");
	if (count > 0 && all)
		return cli_usage(cli, "it takes either matchers or --everything");
	if (count > MATCHERS_MAX)
		return cli_usage(cli, "at most %d matchers", MATCHERS_MAX);
	for (int i = 1; i < cli->argc && code == EXIT_OK; i++)
		code = check_matcher(cli, cli->argv[i], has_word);
	return code;
}

static void write_list(const struct cli *cli, struct buf *out)
{
	buf_init(out, LIST_MAX);
	buf_addc(out, '[');
	for (int i = 1; i < cli->argc; i++) {
		if (i > 1)
			buf_addc(out, ',');
		json_add_string(out, cli->argv[i]);
	}
	buf_addc(out, ']');
}

/* ---- until when ---- */

static int check_end(const struct cli *cli, const char *option, int64_t now, int64_t until)
{
	if (until <= now)
		return cli_usage(cli, "%s: that is not in the future", option);
	if (until - now > LONGEST_MS)
		return cli_usage(cli, "%s: at most 366d", option);
	return EXIT_OK;
}

static int read_until(const struct cli *cli, int64_t now, int64_t *until)
{
	char text[CLOCK_TEXT_MAX], ago[CLOCK_TEXT_MAX];
	struct err err;
	bool has_zone;

	if (!instant_parse(cli_option(cli, "until"), until, &has_zone, &err))
		return cli_usage(cli, "--until: %s", err.text);
	int code = check_end(cli, "--until", now, *until);

	if (code == EXIT_OK && !has_zone) {
		clock_iso(*until, false, text);
		clock_ago(*until, now, ago);
		fprintf(stderr, "tocsin: until %s, %s\n", text, ago);
	}
	return code;
}

static int read_end(const struct cli *cli, int64_t now, int64_t *until)
{
	const char *span = cli_option(cli, "for");
	struct err err;
	int64_t ms;

	if ((span == NULL) == (cli_option(cli, "until") == NULL))
		return cli_usage(cli, "how long? It takes either --for 2h or --until TIME");
	if (span == NULL)
		return read_until(cli, now, until);
	if (!num_parse_duration(span, &ms, &err))
		return cli_usage(cli, "--for: %s", err.text);
	*until = now + ms;
	return check_end(cli, "--for", now, *until);
}

/* ---- why, and who ---- */

static int read_text(const struct cli *cli, const char *option, size_t len_max,
		     const char **text)
{
	*text = cli_option(cli, option);
	if (*text != NULL && (strlen(*text) > len_max || !utf8_valid(*text, strlen(*text))))
		return cli_usage(cli, "--%s: at most %zu bytes of UTF-8", option, len_max);
	return EXIT_OK;
}

/* Who is logged in, also behind sudo; else whose process it is. */
static const char *login_name(void)
{
	const char *name = getlogin();

	if (name == NULL || name[0] == '\0')
		name = getenv("USER");
	if (name == NULL || name[0] == '\0') {
		const struct passwd *user = getpwuid(geteuid());

		name = user != NULL ? user->pw_name : "";
	}
	return name;
}

static int read_reason(const struct cli *cli, struct silence *s)
{
	int code = read_text(cli, "comment", COMMENT_LEN_MAX, &s->comment);

	if (code == EXIT_OK)
		code = read_text(cli, "who", WHO_LEN_MAX, &s->who);
	if (code == EXIT_OK && (s->comment == NULL || s->comment[0] == '\0'))
		return cli_usage(cli,
				 "--comment TEXT: whoever looks at night wants to know why");
	if (s->who == NULL || s->who[0] == '\0')
		s->who = login_name();
	return code;
}

/* ---- how many ---- */

/* Has none of these matchers a word? */
static bool is_wordless(const char *matchers)
{
	struct err err;
	struct json *doc = json_parse(matchers, strlen(matchers), &err);
	const struct json_value *v = json_first(json_root(doc));
	bool is_word = false;

	for (; !is_word && v != NULL; v = json_next(v)) {
		const char *text = json_text(v, NULL), *field, *value;
		struct matcher *m = matcher_new(text != NULL ? text : "", &err);

		is_word = m != NULL && matcher_is_word(m, &field, &value);
		matcher_free(&m);
	}
	json_free(&doc);
	return !is_word;
}

static void count_wordless(void *arg, const struct silence *s)
{
	*(int64_t *)arg += is_wordless(s->matchers);
}

static bool check_count(struct store *store, int64_t now, struct err *err)
{
	int64_t count = 0;

	if (!store_silences_each(store, now, count_wordless, &count, err))
		return false;
	return count < WORDLESS_MAX ||
	       err_set(err,
		       "%d silences in force have no `field = text` among their matchers, "
		       "and each alert is held against all of those: end some, or name an "
		       "id, a type, a user …",
		       WORDLESS_MAX);
}

/* ---- the command ---- */

static int store_it(const struct cli *cli, const struct silence *s, bool has_word)
{
	struct glance glance;
	struct err err;
	int64_t id;
	int code;
	struct store *store = cli_store(cli, STORE_COMMAND, &glance, &code);

	if (store == NULL)
		return code;
	bool ok = (has_word || check_count(store, s->since, &err)) &&
		  store_silence_add(store, s, &id, &err);

	if (!ok)
		code = cli_failed("%s", err.text);
	else if (cli->json)
		code = silence_tell_json(store, id);
	else
		printf("%" PRId64 "\n", id);
	store_close(&store);
	glance_release(&glance);
	return code;
}

int silence_add(const struct cli *cli)
{
	struct silence s = { .since = clock_now() };
	struct buf matchers;
	bool has_word;
	int code = check_matchers(cli, &has_word);

	if (code == EXIT_OK)
		code = read_end(cli, s.since, &s.until);
	if (code == EXIT_OK)
		code = read_reason(cli, &s);
	if (code != EXIT_OK)
		return code;
	write_list(cli, &matchers);
	s.matchers = matchers.data;
	code = store_it(cli, &s, has_word);
	buf_release(&matchers);
	return code;
}
