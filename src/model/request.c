/*
 * request: the life of a request's strings, and the two questions asked of a reply.
 *
 * What goes into a header or an envelope is refused here when it could end its line: the one
 * gate for every sink, so that no template and no alert can add a header or a recipient.
 */
#include "model/request.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"

/* Longer waits are one and the same to the core, and the sum with any instant fits. */
static const int64_t retry_after_s_max = 10000000000; /* some 317 years */

enum { LIST_PIECE = 8 };

void request_init(struct request *r, enum request_kind kind)
{
	*r = (struct request){ .kind = kind };
	buf_init(&r->body, REQUEST_BODY_MAX);
}

static void release_list(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		mem_free_secret(&(*list)[i]);
	mem_free(list);
	*count = 0;
}

void request_release(struct request *r)
{
	char **secrets[] = { &r->url, &r->username, &r->password, &r->bearer, &r->proxy };
	char **plain[] = { &r->method,  &r->from,      &r->text,     &r->html,
			   &r->ca_file, &r->cert_file, &r->key_file, &r->sigv4 };

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		mem_free_secret(secrets[i]);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		mem_free(plain[i]);
	release_list(&r->headers, &r->header_count);
	release_list(&r->recipients, &r->recipient_count);
	buf_release(&r->body);
}

/* Room comes by pieces: a request of a sink has some five headers. */
static void append(char ***list, size_t *count, char *item)
{
	if (*count % LIST_PIECE == 0)
		*list = mem_resize(*list, *count + LIST_PIECE, sizeof(**list));
	(*list)[(*count)++] = item;
}

/* RFC 9110 5.6.2, and wide enough for RFC 5322's field names. */
static const bool token_chars[256] = {
	['a' ... 'z'] = true,  ['A' ... 'Z'] = true, ['0' ... '9'] = true,
	['#' ... '\''] = true, /* # $ % & ' */
	['^' ... '`'] = true,  /* ^ _ ` */
	['!'] = true,          ['*'] = true,         ['+'] = true,
	['-'] = true,          ['.'] = true,         ['|'] = true,
	['~'] = true,
};

static bool is_token(const char *name)
{
	const char *at = name;

	while (token_chars[(unsigned char)*at])
		at++;
	return *at == '\0' && at > name;
}

static bool is_named(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

/* Not by mem_printf(), which prints a text twice; and in one piece: a value may be a secret. */
static char *header_line(const char *name, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value);
	char *line = mem_resize(NULL, name_len + strlen(": ") + value_len + 1, 1);

	memcpy(line, name, name_len);
	memcpy(line + name_len, ": ", 2);
	memcpy(line + name_len + 2, value, value_len + 1);
	return line;
}

bool request_header(struct request *r, const char *name, const char *value, struct err *err)
{
	if (!is_token(name))
		return err_set(err, "no name of a header");
	if (strpbrk(value, "\r\n") != NULL)
		return err_set(err, "header %s would hold a line break", name);
	append(&r->headers, &r->header_count, header_line(name, value));
	return true;
}

bool request_set_header(struct request *r, const char *name, const char *value, struct err *err)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (!is_named(r->headers[i], name))
			continue;
		mem_free_secret(&r->headers[i]);
		r->headers[i--] = r->headers[--r->header_count];
	}
	return request_header(r, name, value, err);
}

bool request_recipient(struct request *r, const char *address, struct err *err)
{
	if (*address == '\0')
		return err_set(err, "an empty address");
	if (strpbrk(address, "\r\n\t\v\f <>") != NULL)
		return err_set(err, "an address with white space, <, > or a line break");
	append(&r->recipients, &r->recipient_count, mem_strdup(address));
	return true;
}

const char *request_get_header(const struct request *r, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < r->header_count; i++)
		if (is_named(r->headers[i], name))
			return r->headers[i] + len + 1 + strspn(r->headers[i] + len + 1, " ");
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void copy_trimmed(const char *from, const char *to, char *value, size_t size)
{
	while (from < to && is_blank(*from))
		from++;
	while (to > from && (is_blank(to[-1]) || to[-1] == '\r'))
		to--;
	size_t len = (size_t)(to - from) < size ? (size_t)(to - from) : size - 1;

	memcpy(value, from, len);
	value[len] = '\0';
}

bool reply_header(const struct reply *r, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);
	bool found = false;
	const char *next;

	for (const char *line = r->headers; *line != '\0'; line = next) {
		const char *end = line + strcspn(line, "\n");

		next = *end == '\n' ? end + 1 : end;
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		copy_trimmed(line + len + 1, end, value, size);
		found = true;
	}
	return found;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ".75" behind whole seconds, as some servers write: moves *p past it. True when it is more than 0. */
static bool skip_fraction(const char **p)
{
	bool is_more = false;

	if ((*p)[0] != '.' || !is_digit((*p)[1]))
		return false;
	for ((*p)++; is_digit(**p); (*p)++)
		is_more |= **p != '0';
	return is_more;
}

/* "120" or "119.5", also as the first of a joined list ("120, 5"), rounded up; -1 for anything
 * else. */
static int64_t whole_seconds(const char *text)
{
	int64_t seconds = 0;
	const char *p = text;

	for (; is_digit(*p); p++) {
		seconds = seconds * 10 + (*p - '0');
		if (seconds > retry_after_s_max)
			seconds = retry_after_s_max;
	}
	if (p == text)
		return -1;
	if (skip_fraction(&p) && seconds < retry_after_s_max)
		seconds++;
	while (is_blank(*p))
		p++;
	return *p == '\0' || *p == ',' ? seconds : -1;
}

int64_t reply_retry_after_ms(const struct reply *r)
{
	char text[128];
	int64_t seconds, at;

	if (!reply_header(r, "Retry-After", text, sizeof(text)))
		return -1;
	seconds = whole_seconds(text);
	if (seconds >= 0)
		return seconds * 1000;
	if (!clock_parse_http(text, &at))
		return -1;
	return at > r->at ? at - r->at : 0;
}
