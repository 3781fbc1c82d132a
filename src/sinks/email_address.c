/* email_address: reads and writes one mailbox (RFC 5322 3.4, without its obsolete forms). */
#include "sinks/email_address.h"

#include <string.h>

#include "base/esc.h"

enum { LOCAL_MAX = 64 }; /* bytes before the @; RFC 5321 4.5.3.1.1 */

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Only letters and the bytes of `more`. */
static bool is_made_of(const char *s, size_t len, const char *more)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == '\0' ||
		    (strchr(letters, s[i]) == NULL && strchr(more, s[i]) == NULL))
			return false;
	return len > 0;
}

static bool read_address(struct email_address *a, const char *s, size_t len, struct err *err)
{
	const char *at = memchr(s, '@', len);
	size_t local = at == NULL ? len : (size_t)(at - s);
	size_t domain = len - local - (at == NULL ? 0 : 1);

	if (memchr(s, ',', len) != NULL || memchr(s, ';', len) != NULL)
		return err_set(err, "holds several addresses: write [ \"a@x\", \"b@y\" ]");
	if (at == NULL || local == 0 || domain == 0)
		return err_set(err, "is no address: name@domain, or Name <name@domain>");
	if (local > LOCAL_MAX || len > EMAIL_ADDRESS_MAX)
		return err_set(err, "is too long for an address");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80)
			return err_set(err, "must be ASCII: write the domain in its xn-- form");
	if (!is_made_of(s, local, "!#$%&'*+-/=?^_`{|}~."))
		return err_set(err, "has a character before the @ that no address has");
	if (!is_made_of(at + 1, domain, ".-[]:") || at[1] == '.' || s[len - 1] == '.')
		return err_set(err, "has no valid domain behind the @");
	memcpy(a->address, s, len);
	a->address[len] = '\0';
	return true;
}

static void trim(const char **s, size_t *len)
{
	while (*len > 0 && (**s == ' ' || **s == '\t')) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t'))
		(*len)--;
}

/* Takes the name as it is meant: without the quotes that a header would need. */
static bool read_name(struct email_address *a, const char *s, size_t len, struct err *err)
{
	bool is_quoted;
	size_t used = 0;

	trim(&s, &len);
	is_quoted = len >= 2 && s[0] == '"' && s[len - 1] == '"';
	if (is_quoted) {
		s++;
		len -= 2;
	}
	if (len > EMAIL_NAME_MAX)
		return err_set(err, "has a name of over %d bytes", EMAIL_NAME_MAX);
	if (!utf8_valid(s, len))
		return err_set(err, "has a name that is not UTF-8");
	for (size_t i = 0; i < len; i++) {
		if (is_quoted && s[i] == '\\' && i + 1 < len)
			i++;
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return err_set(err, "has a control character in its name");
		a->name[used++] = s[i];
	}
	a->name[used] = '\0';
	return true;
}

bool email_address_read(struct email_address *a, const char *text, struct err *err)
{
	size_t len = strlen(text);
	const char *open;

	*a = (struct email_address){ .name = "" };
	if (strpbrk(text, "\r\n") != NULL)
		return err_set(err, "holds a line break");
	trim(&text, &len);
	if (len == 0 || text[len - 1] != '>')
		return read_address(a, text, len, err);
	open = strrchr(text, '<');
	if (open == NULL)
		return err_set(err, "has a > without a <");
	return read_address(a, open + 1, len - (size_t)(open + 1 - text) - 1, err) &&
	       read_name(a, text, (size_t)(open - text), err);
}

const char *email_address_domain(const struct email_address *a)
{
	return strchr(a->address, '@') + 1;
}

static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* RFC 2047 words, the folds between them undone. */
static bool add_words(struct buf *out, const char *name)
{
	struct buf words;
	bool ok;

	buf_init(&words, EMAIL_NAME_MAX * 3);
	ok = esc_mail_word(&words, name, strlen(name));
	for (size_t i = 0; ok && i < words.len; i++)
		ok = words.data[i] == '\r' || words.data[i] == '\n' ||
		     buf_addc(out, words.data[i]);
	buf_release(&words);
	return ok;
}

static bool add_name(struct buf *out, const char *name)
{
	bool ok;

	if (!is_ascii(name))
		return add_words(out, name);
	if (is_made_of(name, strlen(name), "!#$%&'*+-/?^_`{|}~ "))
		return buf_adds(out, name);
	ok = buf_addc(out, '"');
	for (; *name != '\0'; name++)
		ok = ok && (strchr("\"\\", *name) == NULL || buf_addc(out, '\\')) &&
		     buf_addc(out, *name);
	return ok && buf_addc(out, '"');
}

bool email_address_add(struct buf *out, const struct email_address *a)
{
	if (a->name[0] == '\0')
		return buf_adds(out, a->address);
	return add_name(out, a->name) && buf_addf(out, " <%s>", a->address);
}
