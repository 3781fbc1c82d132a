/*
 * Whole mails, from an alert's bytes to what DATA sends: each sample at each event, digests, and
 * alerts that mean harm. A parser of somebody else's (mails.py, Python's) finds no defect in
 * any, and what people read of a few stands in tests/golden/email/.
 *
 * With TOCSIN_MAILS=FOLDER the mails stay there: contrib/mail-shots.py photographs them.
 */
#include "../sinks/sample.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/esc.h"
#include "base/file.h"
#include "flow/parts.h"
#include "flow/samples.h"
#include "io/mime.h"
#include "model/alert.h"
#include "model/json.h"

enum { ALERTS_MAX = 20, MAIL_MAX = 16 << 20, LARGE = (1 << 20) - 200, CUT_AT = 10000 };

#define KEYS                                                                          \
	"type = \"email\"; server = \"smtps://smtp.example.com\"; username = \"u\"; " \
	"password = \"p\"; from = \"Tocsin Gr\xc3\xb6\xc3\x9f"                        \
	"e, Inc. <bell@example.com>\"; "                                              \
	"to = [ \"oncall@example.com\", \"J\xc3\xbcrgen \xf0\x9f\x94\x94 <j@xn--mnchen-3ya.de>\" ]; "

/* One mail after the other into one folder. */
struct desk {
	char folder[64];
	const char *kept; /* by TOCSIN_MAILS; NULL: the folder goes with the test */
	struct settings *settings;
	struct parts *parts;
	size_t count;
};

static void desk_open(struct desk *d)
{
	struct conf_problems problems = { 0 };

	*d = (struct desk){ .folder = "/tmp/tocsin-mails-XXXXXX",
			    .kept = getenv("TOCSIN_MAILS") };
	if (d->kept == NULL)
		assert_non_null(mkdtemp(d->folder));
	d->settings = sample_settings(KEYS);
	mem_free(&d->settings->templates);
	d->settings->templates = mem_strdup("templates");
	d->parts = parts_new(d->settings, &d->settings->sinks[0], &problems);
	assert_non_null(d->parts);
	conf_problems_release(&problems);
}

static const char *desk_folder(const struct desk *d)
{
	return d->kept != NULL ? d->kept : d->folder;
}

static void desk_close(struct desk *d)
{
	char command[200];

	parts_free(&d->parts);
	settings_free(&d->settings);
	snprintf(command, sizeof(command), "rm -r %s", d->folder);
	if (d->kept == NULL)
		assert_int_equal(system(command), 0);
}

static void put_file(const char *path, const struct buf *bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
	assert_int_equal(fclose(file), 0);
}

/* The lines on the wire: short, ended by CRLF and by nothing else, no NUL. */
static void expect_lines(const struct buf *mail)
{
	size_t column = 0;

	for (size_t i = 0; i < mail->len; i++) {
		bool is_end = i + 1 < mail->len && memcmp(mail->data + i, "\r\n", 2) == 0;

		if (is_end) {
			i++;
			column = 0;
			continue;
		}
		assert_true(mail->data[i] != '\r' && mail->data[i] != '\n');
		assert_true(mail->data[i] != '\0' && (unsigned char)mail->data[i] < 0x80);
		assert_true(++column <= 998);
	}
	assert_int_equal(column, 0);
}

static void desk_put(struct desk *d, const char *name, struct message *m)
{
	struct request r;
	struct buf mail;
	struct err err = { "" };
	char *path = mem_printf("%s/%s.eml", desk_folder(d), name);

	if (!parts_render(d->parts, m, &err))
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(parts_failed(d->parts), 0);
	sample_build(d->settings, m, &r);
	buf_init(&mail, MAIL_MAX);
	assert_true(mime_write(&mail, &r));
	expect_lines(&mail);
	put_file(path, &mail);
	d->count++;
	buf_release(&mail);
	request_release(&r);
	mem_free(&path);
}

/* ---- alerts and messages ---- */

struct told {
	struct alert alerts[ALERTS_MAX];
	struct behind behind[ALERTS_MAX];
	struct facts facts[ALERTS_MAX];
	struct message message;
};

static void told_add(struct told *t, const char *bytes, size_t len, enum event_kind kind)
{
	size_t i = t->message.count++;
	struct err err = { "" };

	if (!alert_read(&t->alerts[i], bytes, len, &err))
		fail_msg("%s", err.text);
	t->facts[i] = (struct facts){ .alert = &t->alerts[i],
				      .event = kind,
				      .source = "acme",
				      .route = "page",
				      .sink = "mail",
				      .delivery_id = t->message.delivery_id,
				      .link = "https://app.example.com/alerts/al1?tab=1&b=2",
				      .at = samples_moment() };
}

static struct told *told_new(void)
{
	struct told *t = mem_new(sizeof(*t));

	t->message = sample_message("");
	t->message.sink = "mail";
	t->message.alerts = t->facts;
	t->message.count = 0;
	return t;
}

static void told_free(struct told **t)
{
	for (size_t i = 0; i < (*t)->message.count; i++)
		alert_release(&(*t)->alerts[i]);
	for (size_t i = 0; i < (*t)->message.count; i++)
		behind_release(&(*t)->behind[i]);
	mem_free(t);
}

static void told_add_sample(struct told *t, const char *type, enum event_kind kind)
{
	struct buf bytes;

	buf_init(&bytes, 1 << 16);
	assert_true(samples_add(&bytes, type,
				&(struct sample_as){ .kind = kind, .at = samples_moment() }));
	told_add(t, bytes.data, bytes.len, kind);
	buf_release(&bytes);
}

/* The latest one: the sample's own context. */
static void told_add_behind(struct told *t, const char *type)
{
	size_t i = t->message.count - 1, len;
	struct buf bytes;
	struct err err;

	buf_init(&bytes, 1 << 16);
	assert_true(samples_add_context(&bytes, type, samples_moment()));
	t->behind[i].bytes = buf_take(&bytes, &len);
	t->behind[i].json = json_parse(t->behind[i].bytes, len, &err);
	assert_non_null(t->behind[i].json);
	t->facts[i].context = t->behind[i].json;
}

/* ---- what is put on the desk ---- */

static void put_samples(struct desk *d)
{
	for (size_t i = 0; samples_types[i] != NULL; i++) {
		for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
			struct told *t = told_new();
			char *name = mem_printf("%s-%s", samples_types[i],
						event_kind_name((enum event_kind)kind));

			told_add_sample(t, samples_types[i], (enum event_kind)kind);
			t->message.handle =
				kind == EVENT_OPENED ? "" : "<tcs_first@example.com>";
			desk_put(d, name, &t->message);
			mem_free(&name);
			told_free(&t);
		}
	}
}

static void put_digest(struct desk *d)
{
	static const enum event_kind kinds[] = { EVENT_OPENED, EVENT_RESOLVED, EVENT_OPENED,
						 EVENT_ACKNOWLEDGED };
	struct told *t = told_new();

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		told_add_sample(t, samples_types[i], kinds[i]);
	t->facts[3].link = NULL;
	t->message.why = "quiet";
	desk_put(d, "digest", &t->message);
	told_free(&t);
}

static void put_behind(struct desk *d)
{
	struct told *all = told_new();

	for (size_t i = 0; samples_types[i] != NULL; i++) {
		struct told *t = told_new();
		char *name = mem_printf("behind-%s", samples_types[i]);

		told_add_sample(t, samples_types[i], EVENT_OPENED);
		told_add_behind(t, samples_types[i]);
		desk_put(d, name, &t->message);
		told_add_sample(all, samples_types[i], EVENT_OPENED);
		told_add_behind(all, samples_types[i]);
		mem_free(&name);
		told_free(&t);
	}
	desk_put(d, "behind-digest", &all->message);
	told_free(&all);
}

static void put_edges(struct desk *d)
{
	static const char bare[] = "{\"id\":\"al-9\"}";
	struct told *t = told_new();

	told_add(t, bare, strlen(bare), EVENT_OPENED);
	t->facts[0].route = t->facts[0].link = NULL;
	desk_put(d, "bare", &t->message);
	t->facts[0].first = t->facts[0].possible_repeat = true;
	t->facts[0].event = EVENT_RESOLVED;
	t->message.test = t->message.possible_repeat = true;
	desk_put(d, "marked", &t->message);
	told_free(&t);
}

/* Every text of it is this one, as JSON has it; an id is neither empty nor that long. */
static char *hostile_alert(const char *text, size_t len)
{
	struct buf word, json;
	bool is_id = len > 0 && len < CUT_AT && memchr(text, 0, len) == NULL;

	buf_init(&word, LARGE * 8);
	buf_init(&json, LARGE * 80);
	json_add_text(&word, text, len);
	buf_addf(&json,
		 "{\"id\":%s,\"org_id\":%s,\"type\":%s,\"severity\":%s,\"status\":%s,"
		 "\"title\":%s,\"user_id\":%s,\"policy_id\":%s,\"metadata\":{\"metadata\":%s},",
		 is_id ? word.data : "\"i\"", word.data, word.data, word.data, word.data,
		 word.data, word.data, word.data, word.data);
	buf_addf(&json, "\"message\":%s,\"created_at\":%s,\"resolved_at\":%s}", word.data,
		 word.data, word.data);
	buf_release(&word);
	return buf_take(&json, NULL);
}

/* What is behind the latest one says what its title does. */
static void say_behind(struct told *t, bool has_bar)
{
	size_t i = t->message.count - 1;
	const struct json *alert = t->alerts[i].json;
	struct json_span title = json_bytes(alert, json_get(json_root(alert), "title"));
	char *word = mem_dup(title.at, title.len);

	behind_fill(&t->behind[i], word, has_bar);
	t->facts[i].context = t->behind[i].json;
	mem_free(&word);
}

static void put_hostile(struct desk *d, const char *name, const char *text, size_t len)
{
	char *json = hostile_alert(text, len);

	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		struct told *t = told_new();
		char *file = mem_printf("hostile-%s-%s", name,
					event_kind_name((enum event_kind)kind));

		told_add(t, json, strlen(json), (enum event_kind)kind);
		say_behind(t, kind == EVENT_OPENED);
		desk_put(d, file, &t->message);
		mem_free(&file);
		if (kind == EVENT_OPENED) {
			told_add(t, json, strlen(json), EVENT_RESOLVED);
			file = mem_printf("hostile-%s-digest", name);
			desk_put(d, file, &t->message);
			mem_free(&file);
		}
		told_free(&t);
	}
	mem_free(&json);
}

/* A character of four bytes where each limit of the templates may cut. */
static void put_long(struct desk *d)
{
	char *text = mem_new(LARGE + 1);

	memset(text, 'x', LARGE);
	put_hostile(d, "large", text, 1000); /* twelve fields of a megabyte are no alert */
	for (size_t i = 0; i + 4 < CUT_AT * 4; i += 4)
		memcpy(text + i, "\xf0\x9f\x94\x94", 4);
	put_hostile(d, "emoji", text, CUT_AT * 4);
	put_hostile(d, "emoji-odd", text + 2, CUT_AT * 4 - 2);
	mem_free(&text);
}

static void put_large(struct desk *d)
{
	struct told *t = told_new();
	char *json, *text = mem_new(LARGE + 1);

	memset(text, '.', LARGE);
	json = mem_printf("{\"id\":\"al-1\",\"title\":\"large\",\"message\":\"%s\"}", text);
	told_add(t, json, strlen(json), EVENT_OPENED);
	desk_put(d, "megabyte", &t->message);
	told_free(&t);
	mem_free(&json);
	mem_free(&text);
}

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *name, *text;
	size_t len;
} hostile[] = {
	{ "breaks", TEXT("Hi\r\nBcc: evil@example.com\r\n\r\nowned") },
	{ "dot", TEXT("a\r\n.\r\nMAIL FROM:<evil@example.com>\r\n") },
	{ "lone-dot", TEXT(".") },
	{ "nul", TEXT("a\0b\0") },
	{ "bidi", TEXT("\xe2\x80\xaegnp.exe\xe2\x81\xa6 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d") },
	{ "word", TEXT("=?utf-8?q?=0D=0ABcc:_evil@example.com?= =?utf-8?B?DQo=?=") },
	{ "half-word", TEXT("=?utf-8?") },
	{ "script",
	  TEXT("</script></title></td></table><script>alert(1)</script><img src=x>") },
	{ "boundary", TEXT("\r\n--=_tocsin_alternative--\r\nFrom me\r\n") },
	{ "mustache", TEXT("{{title}} {{#alerts}} {{{raw}}} & \" ' <") },
	{ "controls", TEXT("\x01\x1b[31m\x7f\xc2\x85\xe2\x80\xa8\t ") },
	{ "blanks", TEXT(" \t \r\n ") },
	{ "empty", TEXT("") },
	{ "quotes", TEXT("\"<a@b.c>\" (comment) , ; : \\") },
};

/* mails.py looks into every mail of the folder and compares some with the golden ones. */
static void expect_no_defect(const struct desk *d)
{
	char command[300];

	snprintf(command, sizeof(command),
		 "/usr/bin/python3 -B tests/unit/flow/mails.py %s %zu >&2", desk_folder(d),
		 d->count);
	assert_int_equal(system(command), 0);
}

static void whatever_an_alert_holds_the_mail_is_one_and_reads_well(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	put_samples(&d);
	put_digest(&d);
	put_edges(&d);
	put_behind(&d);
	put_large(&d);
	put_long(&d);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		put_hostile(&d, hostile[i].name, hostile[i].text, hostile[i].len);
	expect_no_defect(&d);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_an_alert_holds_the_mail_is_one_and_reads_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
