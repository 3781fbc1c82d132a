/*
 * What sinks make of answers: the letter of a sink, the kind of reply, two bytes of a status, its
 * headers, what is known of the delivery (handle, progress), and the body, whose lines are also
 * the answers to each recipient of a mail.
 *
 * Whatever comes, an outcome is one line of text without control characters, and a sink that
 * failed says why.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/esc.h"
#include "base/mem.h"
#include "base/secret.h"
#include "fuzz.h"
#include "model/settings.h"

static const char conf[] =
	"store = \"/tmp/x.db\"; templates = \"templates\";\n"
	"sources = ( { name = \"a\"; base_url = \"https://api.example.com/v1\"; api_key = \"k\"; } );\n"
	"sinks = ( { name = \"s\"; type = \"slack\"; url = \"https://hooks.example.com/x\"; },\n"
	"  { name = \"m\"; type = \"email\"; server = \"smtps://smtp.example.com\";\n"
	"    from = \"a@example.com\"; to = [ \"b@example.com\", \"c@example.com\" ]; },\n"
	"  { name = \"w\"; type = \"webhook\"; url = \"https://hooks.example.com/y\"; } );\n"
	"routes = ( { name = \"rest\"; to = [ \"s\", \"m\", \"w\" ]; } );\n";

enum { RCPT_MAX = 8, KINDS = REPLY_LOCAL + 1 };

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

static char *text_of(struct fuzz_input field)
{
	return mem_dup(field.at, field.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input rest = { (const char *)bytes, len };
	const struct settings *s = settings();
	const struct sink_settings *sink = &s->sinks[fuzz_byte(&rest) % s->sink_count];
	enum reply_kind kind = (enum reply_kind)(fuzz_byte(&rest) % KINDS);
	unsigned high = fuzz_byte(&rest), low = fuzz_byte(&rest);
	char *headers = text_of(fuzz_field(&rest));
	char *handle = text_of(fuzz_field(&rest)), *progress = text_of(fuzz_field(&rest));
	char *body = mem_dup(rest.at, rest.len), *lines = mem_dup(rest.at, rest.len);
	struct reply_line rcpt[RCPT_MAX];
	const struct message message = { .sink = sink->name,
					 .count = 1,
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

	sink->type->judge(sink, &message, &reply, &o);
	look_at(&o);
	mem_free(&headers);
	mem_free(&handle);
	mem_free(&progress);
	mem_free(&body);
	mem_free(&lines);
	return 0;
}
