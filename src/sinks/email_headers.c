/*
 * email_headers: what stands above a mail.
 *
 * Each field is one line here, and request_header() refuses any other: no alert can start a
 * field of its own. Folding is io's.
 *
 * The thread. The Message-ID does not change over retries: a mail that arrives twice can be known
 * as the same one. Every mail of one alert names one root in References, an id that no mail has
 * and that is made of organisation and alert alone: so all of them make one thread, over a
 * reopening, a requeue and a lost store, whichever of them was deleted. Follow-ups also refer to
 * the first mail of their episode. A digest is many alerts': it belongs to no alert's thread, and
 * what follows on it answers it.
 *
 * Some clients look at the subject, too. By RFC 5256 the base subject is what is left without
 * "[high opened]" in front, the same over the alert's life. Outlook takes Thread-Topic and
 * Thread-Index over its own reading. Gmail takes the whole subject: the template has `one_subject`
 * for that.
 *
 * What is not said, and why: Precedence (no standard has it, some servers rank "bulk" as junk,
 * and Auto-Submitted tells responders what it was abused for) and List-Id (we are no list: nobody
 * can subscribe or leave, and those who see a List-Id look for List-Unsubscribe).
 */
#include "sinks/email_headers.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/esc.h"
#include "base/hmac.h"
#include "base/mem.h"
#include "sinks/email_address.h"

enum {
	SUBJECT_MAX = 200,     /* characters: more is shown nowhere */
	FIELD_MAX = 128 << 10, /* bytes: a hundred recipients with long, encoded names */
	ROOT_BYTES = 16,       /* of a hash */
	THREAD_STAMP = 6,      /* bytes before the GUID in a Thread-Index */
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

/* A field of text that may hold anything. */
static bool add_text(struct request *r, const char *name, const char *text, size_t len,
		     struct err *err)
{
	struct buf whole, line, words;
	bool ok;

	buf_init(&whole, FIELD_MAX);
	buf_init(&line, FIELD_MAX);
	buf_init(&words, FIELD_MAX);
	utf8_repair(&whole, text, len);
	flatten(&line, whole.data, whole.len);
	add_words(&words, line.data, utf8_cut(line.data, line.len, SUBJECT_MAX));
	ok = request_header(r, name, words.data, err);
	buf_release(&words);
	buf_release(&line);
	buf_release(&whole);
	return ok;
}

static bool add_subject(struct request *r, const struct message_part *part, struct err *err)
{
	return add_text(r, "Subject", part->text, part->len, err);
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

/* A list without anybody has no field. */
static bool add_people(struct request *r, const struct email_settings *own,
		       const struct people *people, struct err *err)
{
	const char *from = own->from, *reply_to = own->reply_to;
	const char *const *to = (const char *const *)people->to;
	const char *const *cc = (const char *const *)people->cc;

	return add_addresses(r, "From", &from, 1, err) &&
	       (people->to_count == 0 || add_addresses(r, "To", to, people->to_count, err)) &&
	       (people->cc_count == 0 || add_addresses(r, "Cc", cc, people->cc_count, err)) &&
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

/* The only alert of a message, or NULL. */
static const struct facts *only_alert(const struct message *m)
{
	return m->count == 1 && m->alerts[0].alert != NULL ? &m->alerts[0] : NULL;
}

/* The first that anybody hears of the alert: it answers nothing. */
static bool is_first(const struct facts *f)
{
	return f->event == EVENT_OPENED || f->first;
}

/* What all mails of one alert share. */
static void thread_root(const struct alert *a, unsigned char root[HMAC_LEN])
{
	char key[DEDUP_KEY_MAX];

	dedup_key(a->org_id, a->id, key);
	sha256_of(key, strlen(key), root);
}

/* Outlook's: 1, five bytes of a time (any: only the GUID behind it is compared), a GUID. */
static bool add_outlook(struct request *r, const struct alert *a,
			const unsigned char root[HMAC_LEN], struct err *err)
{
	unsigned char index[THREAD_STAMP + ROOT_BYTES] = { 1 };
	const char *topic = a->title[0] != '\0' ? a->title : a->id;
	struct buf text;

	memcpy(index + THREAD_STAMP, root, ROOT_BYTES);
	buf_init(&text, HANDLE_MAX);
	esc_base64(&text, index, sizeof(index));
	bool ok = add_text(r, "Thread-Topic", topic, strlen(topic), err) &&
		  request_header(r, "Thread-Index", text.data, err);

	buf_release(&text);
	return ok;
}

/* References: the root, then the mail that is answered, if any. */
static bool add_alert_thread(struct request *r, const struct facts *f, const char *domain,
			     const char *answered, struct err *err)
{
	unsigned char root[HMAC_LEN];
	struct buf hex;

	thread_root(f->alert, root);
	buf_init(&hex, HANDLE_MAX);
	esc_hex(&hex, root, ROOT_BYTES);
	char *id = mem_printf("<alert.%s@%s>", hex.data, domain);
	char *all = mem_printf("%s%s%s", id, answered != NULL ? " " : "",
			       answered != NULL ? answered : "");

	if (answered == NULL && !is_first(f))
		answered = id;
	bool ok = (answered == NULL || request_header(r, "In-Reply-To", answered, err)) &&
		  request_header(r, "References", all, err) &&
		  add_outlook(r, f->alert, root, err);

	mem_free(&all);
	mem_free(&id);
	buf_release(&hex);
	return ok;
}

static bool add_thread(struct request *r, const struct email_settings *own,
		       const struct message *m, struct err *err)
{
	const struct facts *f = only_alert(m);
	const char *answered = email_has_thread(m) ? m->handle : NULL;
	struct email_address from;
	char id[HANDLE_MAX];

	if (!email_address_read(&from, own->from, err) || !email_message_id(own, m, id, err) ||
	    !request_header(r, "Message-ID", id, err))
		return false;
	if (answered != NULL && strcmp(answered, id) == 0)
		answered = NULL; /* the episode's first mail, tried again */
	if (f != NULL)
		return add_alert_thread(r, f, email_address_domain(&from), answered, err);
	return answered == NULL || (request_header(r, "In-Reply-To", answered, err) &&
				    request_header(r, "References", answered, err));
}

/* ---- the rest ---- */

static const struct priority {
	const char *importance; /* RFC 2156; Outlook, Gmail */
	const char *x_priority; /* Apple Mail, Thunderbird: 1 is highest */
} priorities[] = {
	[SEVERITY_LOW] = { "low", "5" },
	[SEVERITY_MEDIUM] = { "normal", "3" },
	[SEVERITY_HIGH] = { "high", "2" },
	[SEVERITY_CRITICAL] = { "high", "1" },
};

/* The most severe of what is still open decides; good news is not urgent. */
static const struct priority *priority_of(const struct message *m)
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
	return &priorities[is_open ? worst : SEVERITY_MEDIUM];
}

/* Filters hold a priority without the name of the program that set it against a mail. */
static bool add_priority(struct request *r, const struct message *m, struct err *err)
{
	const struct priority *p = priority_of(m);

	return request_header(r, "Importance", p->importance, err) &&
	       request_header(r, "X-Priority", p->x_priority, err) &&
	       request_header(r, "X-Mailer", "Tocsin", err);
}

bool email_headers_add(struct request *r, const struct email_settings *own,
		       const struct people *people, const struct message *m, struct err *err)
{
	char date[CLOCK_TEXT_MAX];

	clock_mail(m->now, date);
	return add_people(r, own, people, err) && add_subject(r, &m->parts[0], err) &&
	       request_header(r, "Date", date, err) && add_thread(r, own, m, err) &&
	       request_header(r, "MIME-Version", "1.0", err) &&
	       request_header(r, "Auto-Submitted", "auto-generated", err) &&
	       request_header(r, "X-Auto-Response-Suppress", "All", err) &&
	       add_priority(r, m, err);
}
