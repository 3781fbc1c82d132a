/*
 * What sinks make of answers: the letter of a sink, the kind of reply, two bytes of a status, its
 * headers, what is known of the delivery (handle, progress), and the body, whose lines are also
 * the answers to each recipient of a mail. From 0x80 on the letter is that of a shipped preset,
 * in the order of their names, and a byte for the event follows it.
 *
 * Whatever comes, an outcome is one line of text without control characters, and a sink that
 * failed says why. What a preset does again has a next step.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "fuzz.h"
#include "model/facts.h"
#include "model/preset.h"
#include "model/settings.h"

static const char conf[] =
	"store = \"/tmp/x.db\"; templates = \"templates\";\n"
	"sources = ( { name = \"a\"; base_url = \"https://api.example.com/v1\"; api_key = \"k\"; } );\n"
	"sinks = ( { name = \"s\"; type = \"slack\"; url = \"https://hooks.example.com/x\"; },\n"
	"  { name = \"m\"; type = \"email\"; server = \"smtps://smtp.example.com\";\n"
	"    from = \"a@example.com\"; to = [ \"b@example.com\", \"c@example.com\" ]; },\n"
	"  { name = \"w\"; type = \"webhook\"; url = \"https://hooks.example.com/y\"; } );\n"
	"routes = ( { name = \"rest\"; to = [ \"s\", \"m\", \"w\" ]; } );\n";

enum { RCPT_MAX = 8, KINDS = REPLY_LOCAL + 1, PRESET = 0x80, FILE_MAX = 256 << 10 };

static const struct settings *settings(void)
{
	static struct settings *s; /* for the life of the target */
	const struct settings_context ctx = { .file = "fuzz.conf",
					      .types = sink_types,
					      .resolve = secret_resolve };
	struct conf_problems problems = { .list = NULL };

	if (s == NULL)
		s = settings_read(conf, strlen(conf), &ctx, &problems);
	if (s == NULL)
		BUG("%s", problems.list[0].message);
	return s;
}

static struct preset *read_preset(const char *name)
{
	char *path = mem_printf("templates/presets/%s.preset", name);
	struct conf_problems problems = { .list = NULL };
	struct preset *p = NULL;
	struct buf text;
	struct err err = { "" };

	buf_init(&text, FILE_MAX);
	if (file_read(path, &text, &err))
		p = preset_read(name, path, text.data, text.len, &problems);
	if (p == NULL)
		BUG("%s: %s", path, err.text[0] != '\0' ? err.text : problems.list[0].message);
	buf_release(&text);
	mem_free(&path);
	return p;
}

/* The webhook of the configuration with the preset of that letter; each preset for life. */
static struct sink_settings preset_sink(unsigned letter)
{
	static struct preset **presets;
	static size_t count;
	struct sink_settings sink = settings()->sinks[2];

	if (presets == NULL) {
		struct file_names names = { .list = NULL };

		file_add_names(&names, "templates/presets", ".preset");
		count = names.count;
		if (count == 0)
			BUG("no presets: targets run at the top of the tree");
		presets = mem_array(count, sizeof(struct preset *));
		for (size_t i = 0; i < count; i++)
			presets[i] = read_preset(names.list[i]);
		file_release_names(&names);
	}
	sink.preset = presets[letter % count];
	return sink;
}

/* Lines as the answers to RCPT; they live in text. */
static size_t split_lines(char *text, struct reply_line lines[RCPT_MAX])
{
	char *rest = text, *line;
	size_t count = 0;

	while (count < RCPT_MAX && (line = strsep(&rest, "\n")) != NULL) {
		int code = 0;

		for (size_t i = 0; i < 3 && line[i] >= '0' && line[i] <= '9'; i++)
			code = code * 10 + (line[i] - '0');
		lines[count++] = (struct reply_line){ .code = code, .text = line };
	}
	return count;
}

static void expect_line(const char *text, size_t max)
{
	size_t len = strnlen(text, max);

	if (len == max)
		BUG("a text without an end");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			BUG("a control character in %s", text);
	if (!utf8_valid(text, len))
		BUG("no text: %s", text);
}

static void look_at(const struct outcome *o)
{
	if ((int)o->verdict < 0 || (int)o->verdict >= VERDICT_KINDS)
		BUG("verdict %d", (int)o->verdict);
	expect_line(o->reason, sizeof(o->reason));
	expect_line(o->hint, sizeof(o->hint));
	if (strnlen(o->handle, HANDLE_MAX) == HANDLE_MAX ||
	    strnlen(o->progress, PROGRESS_MAX) == PROGRESS_MAX)
		BUG("a handle or progress without an end");
	if (o->verdict != VERDICT_DELIVERED && o->reason[0] == '\0')
		BUG("verdict %d without a reason", (int)o->verdict);
	if (o->retry_after_ms < -1)
		BUG("a wait of %lld ms", (long long)o->retry_after_ms);
}

/* Steps go forward, so as many as there are requests end it. */
static void follow(const struct preset *p, struct message *m, const struct outcome *o)
{
	if (o->verdict != VERDICT_AGAIN)
		return;
	m->progress = o->progress;
	if (preset_choose(p, m) == NULL)
		BUG("%s: no request is at the step %s", p->name, o->progress);
}

static char *text_of(struct fuzz_input field)
{
	return mem_dup(field.at, field.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input rest = { (const char *)bytes, len };
	const struct settings *s = settings();
	unsigned letter = fuzz_byte(&rest);
	struct sink_settings sink = letter < PRESET ? s->sinks[letter % s->sink_count]
						    : preset_sink(letter - PRESET);
	unsigned event = letter < PRESET ? 0 : fuzz_byte(&rest);
	const struct facts facts = { .event = (enum event_kind)(event % EVENT_KIND_COUNT) };
	enum reply_kind kind = (enum reply_kind)(fuzz_byte(&rest) % KINDS);
	unsigned high = fuzz_byte(&rest), low = fuzz_byte(&rest);
	char *headers = text_of(fuzz_field(&rest));
	char *handle = text_of(fuzz_field(&rest)), *progress = text_of(fuzz_field(&rest));
	char *body = mem_dup(rest.at, rest.len), *lines = mem_dup(rest.at, rest.len);
	struct reply_line rcpt[RCPT_MAX];
	struct message message = { .sink = sink.name,
				   .alerts = &facts,
				   .count = 1,
				   .possible_repeat = (event & 0x80) != 0,
				   .delivery_id = "tcs_0123456789abcdef0123456789abcdef",
				   .now = 1795491956000,
				   .handle = handle,
				   .progress = progress };
	const struct reply reply = { .kind = kind,
				     .status = (int)((high << 8 | low) % 1000),
				     .maybe_sent = (high & 0x80) != 0,
				     .body = body,
				     .body_len = rest.len,
				     .body_cut = (high & 0x40) != 0,
				     .headers = headers,
				     .rcpt = rcpt,
				     .rcpt_count = split_lines(lines, rcpt),
				     .at = 1795491956000,
				     .error = kind == REPLY_ANSWERED ? "" : "no answer" };
	struct outcome o = { .retry_after_ms = -1 };

	sink.type->judge(&sink, &message, &reply, &o);
	look_at(&o);
	if (sink.preset != NULL)
		follow(sink.preset, &message, &o);
	mem_free(&headers);
	mem_free(&handle);
	mem_free(&progress);
	mem_free(&body);
	mem_free(&lines);
	return 0;
}
