/*
 * log: one line an event, built on the stack and written at once, or with others of its turn.
 *
 * A line is written for every attempt, so nothing is allocated here and nothing can fail: what
 * does not fit is cut. A value is cut at VALUE_MAX, so that one hostile title cannot push the
 * hint off the line; the line at LINE_MAX_LEN, whole (quotes and brackets closed).
 *
 * Values come from servers and end on terminals. In both formats a control character (C0, DEL,
 * C1) is written as an escape, and bad UTF-8 as U+FFFD: no value can forge a second line or
 * move a cursor, and a line of JSON is always one.
 */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/esc.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	LINE_MAX_LEN = 8192,
	VALUE_MAX = 2048,
	TAIL = 16, /* kept for the longest escape, an ellipsis, and what closes a line */
	GATHERED_MAX = 2 * LINE_MAX_LEN,
};

static const char *const msgs[LOG_MSG_COUNT] = {
	[LOG_STARTED] = "started",
	[LOG_READY] = "ready",
	[LOG_DELIVERED] = "delivered",
	[LOG_RETRY] = "retry",
	[LOG_DEAD] = "dead",
	[LOG_DROPPED] = "dropped",
	[LOG_MOVED] = "moved",
	[LOG_SINK_DOWN] = "sink-down",
	[LOG_SINK_UP] = "sink-up",
	[LOG_SINK_HELD] = "sink-held",
	[LOG_SINK_RELEASED] = "sink-released",
	[LOG_SILENCES] = "silences",
	[LOG_SILENCE_FAILED] = "silence-failed",
	[LOG_POLLED] = "polled",
	[LOG_POLL_FAILED] = "poll-failed",
	[LOG_POLL_RECOVERED] = "poll-recovered",
	[LOG_PASS_PROGRESS] = "pass-progress",
	[LOG_TOKEN_RENEWED] = "token-renewed",
	[LOG_TOKEN_FAILED] = "token-failed",
	[LOG_ITEM_REJECTED] = "item-rejected",
	[LOG_DOUBT] = "doubt",
	[LOG_LEFT_OUT] = "left-out",
	[LOG_VANISHED] = "vanished",
	[LOG_CONTEXT] = "context",
	[LOG_CONTEXT_FAILED] = "context-failed",
	[LOG_CONTEXT_OFF] = "context-off",
	[LOG_CONTEXT_RECOVERED] = "context-recovered",
	[LOG_NUDGED] = "nudged",
	[LOG_NUDGE_REFUSED] = "nudge-refused",
	[LOG_TEMPLATE_FAILED] = "template-failed",
	[LOG_STORE_FAILED] = "store-failed",
	[LOG_STORE_RECOVERED] = "store-recovered",
	[LOG_ADOPTED] = "adopted",
	[LOG_RELOADED] = "reloaded",
	[LOG_RELOAD_FAILED] = "reload-failed",
	[LOG_AUDIT_VIOLATION] = "audit-violation",
	[LOG_CRASHED] = "crashed",
	[LOG_STOPPING] = "stopping",
	[LOG_STOPPED] = "stopped",
};

static const struct {
	const char *word;
	const char *priority; /* sd-daemon(3) */
} levels[] = {
	[LOG_DEBUG] = { "debug", "<7>" },
	[LOG_INFO] = { "info", "<6>" },
	[LOG_WARN] = { "warning", "<4>" },
	[LOG_ERROR] = { "error", "<3>" },
};

static struct {
	enum log_level level;
	enum log_format format;
	bool is_journal;
	bool is_cut; /* the last write ended within a line */
} setup = { .level = LOG_INFO };

/* Lines that are still to be written. */
static struct {
	bool is_on;
	size_t len;
	char text[GATHERED_MAX];
} gathered;

/*
 * Shells started from a desktop inherit JOURNAL_STREAM although their stderr is a terminal, so
 * that its value, device and inode of the journal's socket, is compared (systemd.exec(5)).
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[48];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

void log_setup(enum log_level level, enum log_format format)
{
	setup.level = level;
	setup.format = format;
	setup.is_journal = stderr_is_journal();
}

bool log_is_on(enum log_level level)
{
	return level >= setup.level;
}

bool log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(word, levels[i].word) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_format_parse(const char *word, enum log_format *format)
{
	bool is_json = strcmp(word, "json") == 0;

	if (!is_json && strcmp(word, "text") != 0)
		return false;
	*format = is_json ? LOG_JSON : LOG_TEXT;
	return true;
}

/* ---- a line ---- */

struct line {
	size_t len;
	char text[LINE_MAX_LEN];
};

static size_t room(const struct line *l)
{
	return l->len < LINE_MAX_LEN - TAIL ? LINE_MAX_LEN - TAIL - l->len : 0;
}

/* Within the tail too: for what closes. */
static void put(struct line *l, const char *bytes, size_t len)
{
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
}

static void puts_to(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* One character of a quoted value, `len` bytes at s, of which 0 is a bad byte. */
static void put_quoted(struct line *l, const char *s, size_t len)
{
	unsigned char c = (unsigned char)*s;
	char escaped[8];

	if (len == 0)
		puts_to(l, UTF8_REPLACEMENT);
	else if (c == '"' || c == '\\')
		put(l, (const char[]){ '\\', (char)c }, 2);
	else if (c == '\n')
		puts_to(l, "\\n");
	else if (c == '\r')
		puts_to(l, "\\r");
	else if (c == '\t')
		puts_to(l, "\\t");
	else if (c < ' ' || c == 0x7f)
		put(l, escaped, (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", c));
	else if (c == 0xc2 && (unsigned char)s[1] < 0xa0) /* C1: U+0080 to U+009F */
		put(l, escaped,
		    (size_t)snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned char)s[1]));
	else
		put(l, s, len);
}

static void put_text(struct line *l, const char *s)
{
	size_t left = strlen(s);
	size_t start = l->len;

	puts_to(l, "\"");
	while (left > 0) {
		size_t len = utf8_len(s, left);

		if (room(l) == 0 || l->len - start > VALUE_MAX) {
			puts_to(l, "…");
			break;
		}
		put_quoted(l, s, len);
		s += len == 0 ? 1 : len;
		left -= len == 0 ? 1 : len;
	}
	puts_to(l, "\"");
}

/* What logfmt reads as one value without quotes: no control character, blank, ", = and \. */
static const bool bare[256] = {
	['!'] = true,
	['#' ... '<'] = true,
	['>' ... '['] = true,
	[']' ... '~'] = true,
};

static bool is_bare(const char *s)
{
	while (bare[(unsigned char)*s])
		s++;
	return *s == '\0';
}

/* The key and what stands between it and its value; false when the line is full. */
static bool put_key(struct line *l, const char *key)
{
	bool is_json = setup.format == LOG_JSON;
	bool is_first = l->len == 0 || strchr("{>\n", l->text[l->len - 1]) != NULL;
	size_t len = strlen(key);

	if (room(l) < len + 32)
		return false;
	if (!is_first)
		put(l, is_json ? "," : " ", 1);
	if (is_json)
		put(l, "\"", 1);
	put(l, key, len);
	put(l, is_json ? "\":" : "=", is_json ? 2 : 1);
	return true;
}

static void put_number(struct line *l, int64_t number)
{
	char digits[NUM_TEXT_MAX];

	put(l, digits, num_text(number, digits));
}

static void put_value(struct line *l, const char *text)
{
	size_t len = strlen(text);

	if (setup.format == LOG_TEXT && len < room(l) && len <= VALUE_MAX && is_bare(text))
		put(l, text, len);
	else
		put_text(l, text);
}

static void put_field(struct line *l, const struct log_field *f)
{
	if (!f->is_number && (f->text == NULL || f->text[0] == '\0'))
		return;
	if (!put_key(l, f->key))
		return;
	if (f->is_number)
		put_number(l, f->number);
	else
		put_value(l, f->text);
}

/* One try: a log that cannot be written must not stop what it tells of. */
void log_flush(void)
{
	if (gathered.len == 0)
		return;
	ssize_t written = write(STDERR_FILENO, gathered.text, gathered.len);

	if (written > 0)
		setup.is_cut = (size_t)written < gathered.len;
	gathered.len = 0;
}

void log_gather(bool is_on)
{
	gathered.is_on = is_on;
	log_flush();
}

/* What somebody may have to act on, and what may be the last word, does not wait. */
static void hand_over(const struct line *l, enum log_level level)
{
	if (gathered.len + l->len > GATHERED_MAX)
		log_flush();
	memcpy(gathered.text + gathered.len, l->text, l->len);
	gathered.len += l->len;
	if (!gathered.is_on || level >= LOG_WARN)
		log_flush();
}

static void put_head(struct line *l, enum log_level level, enum log_msg msg)
{
	char now[CLOCK_TEXT_MAX];

	if (setup.is_cut)
		puts_to(l, "\n");
	if (setup.is_journal)
		puts_to(l, levels[level].priority);
	if (setup.format == LOG_JSON)
		puts_to(l, "{");
	if (!setup.is_journal) {
		clock_iso(clock_now(), true, now);
		put_field(l, &LOG_S("time", now));
	}
	put_field(l, &LOG_S("level", levels[level].word));
	put_field(l, &LOG_S("msg", msgs[msg]));
}

void log_fields(enum log_level level, enum log_msg msg, const struct log_field *fields)
{
	int saved_errno = errno;
	struct line l;

	if (!log_is_on(level))
		return;
	l.len = 0;
	put_head(&l, level, msg);
	for (; fields->key != NULL; fields++)
		put_field(&l, fields);
	puts_to(&l, setup.format == LOG_JSON ? "}\n" : "\n");
	hand_over(&l, level);
	errno = saved_errno;
}
