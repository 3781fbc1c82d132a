/*
 * The presets of chats and phones: no alert, however hostile or large, makes a request that is
 * invalid, over its vendor's limits, or that mentions, links or formats.
 */
#include "chat.h"

#include "base/esc.h"

/* The body, within the preset's own bound: what passes it would be filled with less. */
static char *body_of(const struct chat *c, const struct message *m, size_t *len)
{
	const struct preset_request *r = preset_choose(c->preset, m);
	struct err err = { "" };
	struct value root;
	struct buf out;

	assert_non_null(r);
	value_of_message(m, &root);
	buf_init(&out, (size_t)c->preset->body_max);
	if (!tmpl_render(r->body, &root, &out, NULL, &err))
		fail_msg("%s/%s: %s", c->preset->name, r->file, err.text);
	return buf_take(&out, len);
}

/* ---- every text of a body ---- */

typedef void text_fn(void *arg, const char *name, const char *text, size_t len);

static void each_json(const struct json_value *v, const char *name, text_fn *each, void *arg)
{
	size_t len;
	const char *text = json_text(v, &len);

	if (json_kind(v) == JSON_STRING)
		each(arg, name, text, len);
	for (const struct json_value *j = json_first(v); j != NULL; j = json_next(j))
		each_json(j, json_key(j) != NULL ? json_key(j) : name, each, arg);
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* One name=value of a form. */
static void each_form(char *pair, text_fn *each, void *arg)
{
	char *value = strchr(pair, '='), *to;

	assert_non_null(value);
	*value++ = '\0';
	to = value;
	for (const char *c = value; *c != '\0'; c++) {
		assert_in_range(*c, '!', '~');
		if (*c == '%') {
			*to++ = (char)(nibble(c[1]) << 4 | nibble(c[2]));
			c += 2;
		} else {
			*to++ = *c == '+' ? ' ' : *c;
		}
	}
	*to = '\0';
	each(arg, pair, value, (size_t)(to - value));
}

static void each_text(char *body, size_t len, text_fn *each, void *arg)
{
	struct err err;
	struct json *j;
	char *rest = NULL;

	if (body[0] == '{') {
		j = json_parse(body, len, &err);
		if (j == NULL)
			fail_msg("%s", err.text);
		each_json(json_root(j), "", each, arg);
		json_free(&j);
		return;
	}
	assert_int_equal(strlen(body), len);
	body[strcspn(body, "\n")] = '\0';
	for (char *pair = strtok_r(body, "&", &rest); pair != NULL;
	     pair = strtok_r(NULL, "&", &rest))
		each_form(pair, each, arg);
}

/* ---- what the vendors take ---- */

/* How long a text is for its vendor. */
enum unit { CHARACTERS, UTF16, HTML_UTF16, BYTES };

static size_t utf16_len(const char *text, size_t len)
{
	size_t units = 0;

	for (size_t i = 0; i < len; i++)
		units += ((unsigned char)text[i] & 0xc0) == 0x80 ? 0
			 : (unsigned char)text[i] >= 0xf0        ? 2
								 : 1;
	return units;
}

/* As after the vendor has read its tags and entities. */
static size_t html_len(const char *text, size_t len)
{
	struct buf plain;
	size_t units;

	buf_init(&plain, len + 1);
	for (size_t i = 0; i < len; i++) {
		char closes = text[i] == '<' ? '>' : text[i] == '&' ? ';' : '\0';

		if (text[i] != '<')
			buf_addc(&plain, text[i]);
		while (closes != '\0' && text[i] != closes)
			assert_true(++i < len);
	}
	units = utf16_len(plain.data, plain.len);
	buf_release(&plain);
	return units;
}

static size_t length(enum unit unit, const char *text, size_t len)
{
	switch (unit) {
	case CHARACTERS: return utf8_count(text, len);
	case UTF16: return utf16_len(text, len);
	case HTML_UTF16: return html_len(text, len);
	case BYTES: break;
	}
	return len;
}

static const struct limit {
	const char *preset, *name;
	enum unit unit;
	size_t max;
} limits[] = {
	{ "discord", "title", UTF16, 256 },
	{ "discord", "description", UTF16, 4096 },
	{ "discord", "text", UTF16, 2048 },
	{ "discord", "thread_name", UTF16, 200 }, /* 100 characters, each perhaps two */
	{ "discord", "thread_name", CHARACTERS, 100 },
	{ "discord", "username", CHARACTERS, 80 },
	{ "google-chat", "text", BYTES, 30000 },
	{ "google-chat", "threadKey", CHARACTERS, 4000 },
	{ "mattermost", "text", CHARACTERS, 16383 },
	{ "rocketchat", "text", UTF16, 5000 },
	{ "telegram", "text", HTML_UTF16, 4096 },
	{ "ntfy", "message", BYTES, 4096 },
	{ "pushover", "message", CHARACTERS, 1024 },
	{ "pushover", "title", CHARACTERS, 250 },
	{ "pushover", "url", CHARACTERS, 512 },
	{ "pushover", "url_title", CHARACTERS, 100 },
	{ "twilio", "Body", UTF16, 1600 },
	{ "matrix", "body", BYTES, 20000 },
	{ "zulip", "topic", CHARACTERS, 60 },
	{ "zulip", "content", CHARACTERS, 10000 },
};

static const char *const names[] = { "teams",      "discord",  "google-chat", "mattermost",
				     "rocketchat", "telegram", "ntfy",        "pushover",
				     "twilio",     "matrix",   "zulip" };

/* Those whose texts are markup, and what stands for live markup in them. */
static const struct live {
	const char *preset, *marks;
} lives[] = {
	{ "discord",
	  "@everyone|@here|<!channel>|<@U1>|[x](|https://evil|*evil*|_evil_|`evil|</script|~~|#evil|:evil:" },
	{ "google-chat", "@everyone|@here|<!channel>|<@U1>|https://evil|</script|<b>evil" },
	{ "mattermost",
	  "@everyone|@here|<!channel>|<@U1>|[x](|https://evil|*evil*|_evil_|`evil|</script|~~|#evil|:evil:" },
	{ "rocketchat",
	  "@everyone|@here|<!channel>|<@U1>|[x](|https://evil|*evil*|_evil_|`evil|</script|~~|#evil|:evil:" },
	{ "telegram",
	  "@everyone|@here|<!channel>|<@U1>|https://evil|evil.example|</script|<b>evil|#evil|/evil" },
	{ "matrix", "@everyone|@here|<!channel>|<@U1>|https://evil|</script|<b>evil" },
	{ "zulip",
	  "@everyone|@here|@**|<!channel>|<@U1>|[x](|https://evil|evil.example|*evil*|`evil|</script|~~|#evil|:evil:" },
};

static const char evil[] =
	"@everyone @here @**all** <!channel> <@U1> [x](https://evil.example) *evil* _evil_ `evil` "
	"~~evil~~ #evil :evil: </script><b>evil</b> /evil \\*evil* \\\\*evil* \\@everyone";

static bool is_escaped(const char *text, const char *at)
{
	size_t slashes = 0;

	while (at > text && at[-1] == '\\') {
		at--;
		slashes++;
	}
	return slashes % 2 == 1;
}

static void expect_dead(const char *preset, const char *text, const char *mark, size_t len)
{
	char *word = mem_dup(mark, len);

	for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
		if (!is_escaped(text, at))
			fail_msg("%s: live %s in %s", preset, word, text);
	mem_free(&word);
}

static void expect_harmless(void *arg, const char *name, const char *text, size_t len)
{
	const char *preset = arg;

	if (strcmp(name, "thread_name") == 0 || strcmp(name, "topic") == 0 ||
	    (strcmp(preset, "discord") == 0 && strcmp(name, "text") == 0))
		return; /* plain text there */
	assert_int_equal(strlen(text), len);
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		const char *mark = lives[i].marks;

		if (strcmp(lives[i].preset, preset) != 0)
			continue;
		for (size_t n; *mark != '\0'; mark += n + (mark[n] == '|')) {
			n = strcspn(mark, "|");
			expect_dead(preset, text, mark, n);
		}
	}
}

static void expect_fits(void *arg, const char *name, const char *text, size_t len)
{
	const char *preset = arg;

	assert_true(utf8_valid(text, len));
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct limit *l = &limits[i];
		size_t got = strcmp(l->preset, preset) == 0 && strcmp(l->name, name) == 0
				     ? length(l->unit, text, len)
				     : 0;

		if (got > l->max)
			fail_msg("%s: %s is %zu long of %zu", preset, name, got, l->max);
	}
}

static void with_each(const char *text, size_t len, text_fn *each)
{
	static const enum event_kind kinds[] = { EVENT_OPENED, EVENT_RESOLVED };

	for (size_t p = 0; p < ARRAY_LEN(names); p++) {
		struct chat *c = chat_new(names[p]);

		for (size_t i = 0; i < 2 * ARRAY_LEN(kinds); i++) {
			size_t count = i % 2 == 0 ? 1 : (size_t)c->preset->batch_max;
			struct told *t = told_new(c, text, len, count, kinds[i / 2]);
			size_t body_len;
			char *body = body_of(c, &t->message, &body_len);

			each_text(body, body_len, each, (void *)(uintptr_t)names[p]);
			mem_free(&body);
			told_free(&t);
		}
		chat_free(&c);
	}
}

static void nothing_an_alert_holds_mentions_links_or_formats(void **state)
{
	(void)state;
	with_each(evil, sizeof(evil) - 1, expect_harmless);
}

static void no_alert_passes_a_limit(void **state)
{
	static const char *const fills[] = { "x",
					     "&",
					     "*",
					     "\\",
					     "\"",
					     "<",
					     "\n",
					     " ",
					     ".",
					     "@",
					     "\xf0\x9f\x94\x94",
					     "a\xf0\x9f\x94\x94",
					     "\xcc\x81" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		struct buf text;

		buf_init(&text, LARGE);
		while (text.len + strlen(fills[i]) <= 20000)
			buf_adds(&text, fills[i]);
		with_each(text.data, text.len, expect_fits);
		buf_release(&text);
	}
	with_each("", 0, expect_fits);
}

static void a_mebibyte_and_control_characters_are_taken(void **state)
{
	char *text = mem_new(LARGE + 1);

	(void)state;
	memset(text, 'x', LARGE);
	with_each(text, LARGE / 8, expect_fits); /* eight fields: a MiB */
	for (size_t i = 0; i < 4000; i++)
		text[i] = (char)(i % 32);
	with_each(text, 4000, expect_fits);
	mem_free(&text);
}

/* ---- what people read ---- */

struct sought {
	const char *word;
	bool found;
};

static void look(void *arg, const char *name, const char *text, size_t len)
{
	struct sought *s = arg;

	(void)name;
	s->found |= memmem(text, len, s->word, strlen(s->word)) != NULL;
}

static void expect_words(const struct chat *c, const struct message *m, const char *word)
{
	struct sought s = { .word = word };
	size_t len;
	char *body = body_of(c, m, &len);

	each_text(body, len, look, &s);
	mem_free(&body);
	if (!s.found)
		fail_msg("%s: nowhere \"%s\"", c->preset->name, word);
}

static void each_says_what_who_when_where_and_that_it_is_a_test(void **state)
{
	static const char *const words[] = { "TEST",   "ALPHA", "alpha",
					     "opened", LINK,    "reminder 12" };

	(void)state;
	for (size_t p = 0; p < ARRAY_LEN(names); p++) {
		struct chat *c = chat_new(names[p]);
		struct told *t = told_new(c, "alpha", 5, 1, EVENT_OPENED);
		bool is_card = strcmp(names[p], "google-chat") == 0;

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (!is_card || strcmp(words[i], "ALPHA") != 0)
				expect_words(c, &t->message, words[i]);
		t->facts[0].event = EVENT_RESOLVED;
		t->facts[0].first = true;
		if (strcmp(names[p], "pushover") != 0)
			expect_words(c, &t->message, "opened and resolved");
		t->message.count = (size_t)c->preset->batch_max;
		for (size_t i = 1; i < t->message.count; i++)
			t->facts[i] = t->facts[0];
		expect_words(c, &t->message,
			     c->preset->batch_max == 10 ? "10 alerts" : "20 alerts");
		expect_words(c, &t->message, "TEST");
		told_free(&t);
		chat_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_an_alert_holds_mentions_links_or_formats),
		cmocka_unit_test(no_alert_passes_a_limit),
		cmocka_unit_test(a_mebibyte_and_control_characters_are_taken),
		cmocka_unit_test(each_says_what_who_when_where_and_that_it_is_a_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
