/* shown: see the header. */
#include "cli/shown.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cli/print.h"
#include "model/facts.h"

enum { DEPTH_MAX = 8, MASKED_MAX = 64 << 20 };

static const char stars[] = "***";

/* ---- what is secret ---- */

/* Every reference in the sink's group, whatever its key: its value is not for eyes. */
static void add_references(struct mask *m, const struct conf_node *n, int depth)
{
	const char *text = conf_string(n);
	struct err err;

	if (text != NULL && secret_is_reference(text)) {
		char *value = secret_resolve(text, &err);

		mask_add(m, value);
		mem_free_secret(&value);
	}
	for (size_t i = 0; depth < DEPTH_MAX && i < conf_count(n); i++)
		add_references(m, conf_at(n, i), depth + 1);
}

static bool sounds_secret(const char *name)
{
	static const char *const words[] = { "key", "token", "secret", "pass", "auth", "cred" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

static void add_vars(struct mask *m, const struct sink_settings *sink)
{
	for (size_t i = 0; i < sink->vars.count; i++)
		if (sounds_secret(sink->vars.list[i].name) ||
		    (sink->preset != NULL &&
		     preset_is_secret(sink->preset, sink->vars.list[i].name)))
			mask_add(m, sink->vars.list[i].value);
}

/* The place of the first character after the host, or NULL. */
static const char *after_host(const char *url)
{
	const char *host = strstr(url, "://");

	return strpbrk(host != NULL ? host + 3 : url, "/?#");
}

static void gather(struct mask *m, const struct sink_settings *sink,
		   const struct conf_node *group, const struct request *r)
{
	add_references(m, group, 0);
	add_vars(m, sink);
	mask_add(m, r->password);
	mask_add(m, r->bearer);
	if (r->kind == REQUEST_HTTP)
		mask_add(m, r->url);
}

/* ---- masking ---- */

/* An owned copy of text with every secret of m hidden; NULL of NULL. */
static char *masked(const struct mask *m, const char *text)
{
	char *whole = mem_strdup(text);

	for (size_t i = 0; whole != NULL && i < m->count; i++) {
		const char *at = whole, *hit;
		struct buf hidden;

		if (strstr(whole, m->list[i]) == NULL)
			continue;
		buf_init(&hidden, MASKED_MAX);
		while ((hit = strstr(at, m->list[i])) != NULL) {
			buf_add(&hidden, at, (size_t)(hit - at));
			buf_adds(&hidden, stars);
			at = hit + strlen(m->list[i]);
		}
		buf_adds(&hidden, at);
		mem_free_secret(&whole);
		whole = buf_take(&hidden, NULL);
		buf_release(&hidden);
	}
	return whole;
}

/* Only scheme and host of a URL are shown; a mail server's has no secret after them. */
static char *masked_url(const struct mask *m, const struct request *r)
{
	const char *path = after_host(r->url);

	switch (r->kind) {
	case REQUEST_MAIL: return masked(m, r->url);
	case REQUEST_HTTP: break;
	}
	if (path == NULL || path[1] == '\0')
		return mem_strdup(r->url);
	return mem_printf("%.*s/%s", (int)(path - r->url), r->url, stars);
}

/* Headers that sinks make of what is no secret. */
static bool is_open(const char *header, size_t len)
{
	static const char *const open[] = {
		"User-Agent",        "Content-Type",        "webhook-id", "webhook-timestamp",
		"webhook-signature", "X-Hub-Signature-256", "Accept",     "Prefer"
	};
	static const char event[] = "ce-"; /* attributes of a CloudEvent */

	if (strncasecmp(header, event, sizeof(event) - 1) == 0)
		return true;

	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		if (strlen(open[i]) == len && strncasecmp(open[i], header, len) == 0)
			return true;
	return false;
}

static void add_header(struct shown *s, char *line)
{
	s->headers = mem_resize(s->headers, s->header_count + 1, sizeof(*s->headers));
	s->headers[s->header_count++] = line;
}

/* Mail headers are all made by the sink; only a secret within one is hidden. */
static void copy_headers(struct shown *s, const struct mask *m, const struct request *r)
{
	for (size_t i = 0; i < r->header_count; i++) {
		const char *line = r->headers[i];
		size_t len = strcspn(line, ":");

		if (r->kind == REQUEST_MAIL || is_open(line, len))
			add_header(s, masked(m, line));
		else
			add_header(s, mem_printf("%.*s: %s", (int)len, line, stars));
	}
	if (r->bearer != NULL)
		add_header(s, mem_printf("Authorization: Bearer %s", stars));
	else if (r->username != NULL && r->kind == REQUEST_HTTP)
		add_header(s, mem_printf("Authorization: Basic %s", stars));
}

static void copy_mail(struct shown *s, const struct mask *m, const struct request *r)
{
	s->body = masked(m, r->text);
	s->html = masked(m, r->html);
	s->from = mem_strdup(r->from);
	s->recipients = mem_array(r->recipient_count, sizeof(*s->recipients));
	for (size_t i = 0; i < r->recipient_count; i++)
		s->recipients[s->recipient_count++] = mem_strdup(r->recipients[i]);
}

void shown_init(struct shown *s, const struct sink_settings *sink,
		const struct conf_node *group, const struct request *r)
{
	struct mask secrets = { .list = NULL };

	*s = (struct shown){ .method =
				     mem_strdup(r->kind == REQUEST_MAIL ? "MAIL" : r->method) };
	gather(&secrets, sink, group, r);
	gather(&s->answer, sink, group, r);
	if (r->kind == REQUEST_HTTP)
		mask_add_url(&s->answer, r->url);
	s->url = masked_url(&secrets, r);
	copy_headers(s, &secrets, r);
	switch (r->kind) {
	case REQUEST_HTTP: s->body = masked(&secrets, r->body.data); break;
	case REQUEST_MAIL: copy_mail(s, &secrets, r); break;
	}
	mask_release(&secrets);
}

static void release_list(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		mem_free(&(*list)[i]);
	mem_free(list);
	*count = 0;
}

void shown_release(struct shown *s)
{
	mem_free(&s->method);
	mem_free(&s->url);
	release_list(&s->headers, &s->header_count);
	mem_free(&s->body);
	mem_free(&s->html);
	mem_free(&s->from);
	release_list(&s->recipients, &s->recipient_count);
	mask_release(&s->answer);
}

/* ---- showing ---- */

static void print_part(FILE *out, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	fputc('\n', out);
	print_block(out, text, strlen(text));
}

void shown_print(const struct shown *s, FILE *out)
{
	fprintf(out, "%s ", s->method);
	print_text(out, s->url, 1000);
	fputc('\n', out);
	if (s->from != NULL)
		fprintf(out, "from <%s>\n", s->from);
	for (size_t i = 0; i < s->recipient_count; i++)
		fprintf(out, "to <%s>\n", s->recipients[i]);
	for (size_t i = 0; i < s->header_count; i++)
		print_block(out, s->headers[i], strlen(s->headers[i]));
	print_part(out, s->body);
	if (s->html != NULL)
		fprintf(out, "\nand %zu bytes of HTML\n", strlen(s->html));
}

static bool is_repeated(const struct shown *s, size_t i, size_t len)
{
	for (size_t k = 0; k < i; k++)
		if (strncasecmp(s->headers[k], s->headers[i], len + 1) == 0)
			return true;
	return false;
}

static void headers_json(const struct shown *s, struct jline *j)
{
	jline_open(j, "headers", '{');
	for (size_t i = 0; i < s->header_count; i++) {
		size_t len = strcspn(s->headers[i], ":");
		const char *value = s->headers[i] + len;

		if (is_repeated(s, i, len)) /* a key stands once in an object */
			continue;
		char *name = mem_dup(s->headers[i], len);

		jline_text(j, name, value + strspn(value, ": "));
		mem_free(&name);
	}
	jline_close(j, '}');
}

void shown_json(const struct shown *s, struct jline *j)
{
	jline_open(j, "request", '{');
	jline_text(j, "method", s->method);
	jline_text(j, "url", s->url);
	headers_json(s, j);
	if (s->from != NULL) {
		jline_text(j, "from", s->from);
		jline_open(j, "to", '[');
		for (size_t i = 0; i < s->recipient_count; i++)
			jline_text(j, NULL, s->recipients[i]);
		jline_close(j, ']');
	}
	jline_text(j, "body", s->body);
	if (s->html != NULL)
		jline_text(j, "html", s->html);
	jline_close(j, '}');
}

void shown_answer(const struct shown *s, const struct reply *r, char *out, size_t size)
{
	mask_text(&s->answer, r->body, r->body_len, out, size);
}
