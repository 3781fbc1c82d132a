/*
 * email_headers: what stands above a mail.
 *
 * Each field is one line here, and request_header() refuses any other: no alert can start a
 * field of its own. Folding is io's. The Message-ID does not change over retries: a mail that arrives twice can be known as
 * the same one. Follow-ups refer to the first mail of their episode, so they make one thread.
 */
#include "sinks/email_headers.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/esc.h"
#include "sinks/email_address.h"

enum {
	SUBJECT_MAX = 200,     /* characters: more is shown nowhere */
	FIELD_MAX = 128 << 10, /* bytes: a hundred recipients with long, encoded names */
};

/* ---- subject ---- */

/* One line with single blanks: io folds at blanks, and no line may be made of them alone. */
static void flatten(struct buf *out, const char *s, size_t len)
{
	bool gap = false;

	for (size_t i = 0; i < len; i++) {
		bool is_blank = (unsigned char)s[i] <= ' ' || s[i] == 0x7f;

		if (gap && !is_blank && out->len > 0)
			buf_addc(out, ' ');
		if (!is_blank)
			buf_addc(out, s[i]);
		gap = is_blank;
	}
}

/* RFC 2047 words, with the folds between them undone: the request has one line a header. */
static void add_words(struct buf *out, const char *s, size_t len)
{
	struct buf words;

	buf_init(&words, FIELD_MAX);
	esc_mail_word(&words, s, len);
	flatten(out, words.data, words.len);
	buf_release(&words);
}

static bool add_subject(struct request *r, const struct message_part *part, struct err *err)
{
	struct buf whole, line, words;
	bool ok;

	buf_init(&whole, FIELD_MAX);
	buf_init(&line, FIELD_MAX);
	buf_init(&words, FIELD_MAX);
	utf8_repair(&whole, part->text, part->len);
	flatten(&line, whole.data, whole.len);
	add_words(&words, line.data, utf8_cut(line.data, line.len, SUBJECT_MAX));
	ok = request_header(r, "Subject", words.data, err);
	buf_release(&words);
	buf_release(&line);
	buf_release(&whole);
	return ok;
}

/* ---- addresses ---- */

static bool add_addresses(struct request *r, const char *name, const char *const *list,
			  size_t count, struct err *err)
{
	struct buf text;
	bool ok = true;

	buf_init(&text, FIELD_MAX);
	for (size_t i = 0; ok && i < count; i++) {
		struct email_address a;

		if (i > 0)
			buf_adds(&text, ", ");
		ok = email_address_read(&a, list[i], err);
		if (ok)
			email_address_add(&text, &a);
	}
	ok = ok && (!text.overflow || err_set(err, "%s is too long", name));
	ok = ok && request_header(r, name, text.data, err);
	buf_release(&text);
	return ok;
}

static bool add_people(struct request *r, const struct email_settings *own, struct err *err)
{
	const char *from = own->from, *reply_to = own->reply_to;
	const char *const *to = (const char *const *)own->to.list;
	const char *const *cc = (const char *const *)own->cc.list;

	return add_addresses(r, "From", &from, 1, err) &&
	       add_addresses(r, "To", to, own->to.count, err) &&
	       (own->cc.count == 0 || add_addresses(r, "Cc", cc, own->cc.count, err)) &&
	       (reply_to == NULL || add_addresses(r, "Reply-To", &reply_to, 1, err));
}

/* ---- the thread ---- */

bool email_message_id(const struct email_settings *own, const struct message *m,
		      char id[HANDLE_MAX], struct err *err)
{
	struct email_address from;

	if (!email_address_read(&from, own->from, err))
		return false;
	snprintf(id, HANDLE_MAX, "<%s@%s>", m->delivery_id, email_address_domain(&from));
	return true;
}

bool email_has_thread(const struct message *m)
{
	const char *h = m->handle;
	size_t len = h == NULL ? 0 : strlen(h);

	return len > 2 && h[0] == '<' && h[len - 1] == '>' && strpbrk(h, " \t\r\n") == NULL;
}

static bool add_thread(struct request *r, const struct email_settings *own,
		       const struct message *m, struct err *err)
{
	char id[HANDLE_MAX];

	if (!email_message_id(own, m, id, err) || !request_header(r, "Message-ID", id, err))
		return false;
	/* The first mail, tried again: it is the thread's beginning itself. */
	if (!email_has_thread(m) || strcmp(m->handle, id) == 0)
		return true;
	return request_header(r, "In-Reply-To", m->handle, err) &&
	       request_header(r, "References", m->handle, err);
}

/* ---- the rest ---- */

/* The most severe of what is still open decides; good news is not urgent. */
static const char *importance(const struct message *m)
{
	enum alert_severity worst = SEVERITY_LOW;
	bool is_open = false;

	for (size_t i = 0; i < m->count; i++) {
		const struct facts *f = &m->alerts[i];

		if (f->event == EVENT_RESOLVED || f->event == EVENT_ACKNOWLEDGED)
			continue;
		is_open = true;
		if (f->alert != NULL && f->alert->severity > worst)
			worst = f->alert->severity;
	}
	if (!is_open)
		return "normal";
	switch (worst) {
	case SEVERITY_LOW: return "low";
	case SEVERITY_MEDIUM: return "normal";
	case SEVERITY_HIGH:
	case SEVERITY_CRITICAL: break;
	}
	return "high";
}

bool email_headers_add(struct request *r, const struct email_settings *own,
		       const struct message *m, struct err *err)
{
	char date[CLOCK_TEXT_MAX];

	clock_mail(m->now, date);
	return add_people(r, own, err) && add_subject(r, &m->parts[0], err) &&
	       request_header(r, "Date", date, err) && add_thread(r, own, m, err) &&
	       request_header(r, "MIME-Version", "1.0", err) &&
	       request_header(r, "Auto-Submitted", "auto-generated", err) &&
	       request_header(r, "X-Auto-Response-Suppress", "All", err) &&
	       request_header(r, "Importance", importance(m), err);
}
