/*
 * xfer_mail: one mail over one SMTP connection (RFC 5321).
 *
 *             libcurl                              here
 *   ┌───────────────────────────┐  ┌──────────────────────────────────────────────┐
 *   CONNECT: name, TCP, TLS,    ──▶ SENDER ─▶ RCPT (each) ─▶ DATA ─▶ CONTENT ─▶ end
 *   greeting, EHLO, STARTTLS, AUTH    any refusal ─────────────────────────────▶ end
 *
 * Why not all by libcurl: in a multi handle it sends the final dot and then waits for the
 * answer in a blocking loop, and again for the answer to QUIT (measured on 7.88: a server that
 * took two seconds to accept a mail stopped our whole loop for two seconds). So it only
 * connects and logs in (CURLOPT_CONNECT_ONLY), and the six commands after that are spoken here
 * through curl_easy_send() and curl_easy_recv(), which never wait. It also gives what
 * libcurl hides: each recipient's answer, and whether the final dot had left.
 *
 * The first curl_easy_send() also ties the connection to its handle again. Until then it lies
 * among libcurl's idle ones, and a connection that is idle may be pruned; so xfer_mail_talk() sends
 * at once.
 *
 * Some recipients may be refused while others are not: the mail goes to the others, and the
 * reply lists every answer.
 *
 * After a mail that was taken the connection is kept for the next one (xfer_lines.c), which then
 * begins at SENDER. After anything else it is closed: servers differ in what they keep of a
 * refused mail, and a late answer must never be taken for the next mail's. A kept connection may
 * have died, or its server may have had enough of us: whatever is wrong before it has answered
 * to MAIL is tried once more over a new one, since nothing was told yet. QUIT is sent, its
 * answer is not waited for.
 *
 * Credentials are there to be used: a server that offers no AUTH gets no mail (libcurl would
 * go on without), and the reply is REPLY_LOGIN with status 0.
 */
#include <curl/curl.h>
#include <ev.h>
#include <string.h>

#include "base/clock.h"
#include "base/kill.h"
#include "base/mem.h"
#include "io/mime.h"
#include "io/xfer_own.h"

enum {
	MAIL_LEN_MAX =
		4 * REQUEST_BODY_MAX, /* quoted-printable makes up to three of one byte */
	COMMAND_LEN_MAX = 2048,
	ANSWER_KEPT_MAX = 2048,
	ANSWERS_READ_MAX = 64 << 10, /* of a whole conversation */
	CHUNK_LEN = 16 << 10,        /* one TLS record */
};

enum step { STEP_CONNECT, STEP_SENDER, STEP_RCPT, STEP_DATA, STEP_CONTENT };

struct mail {
	struct transfer *t;
	struct lines *lines;
	enum step step;
	bool logged_in;
	int mails_before;   /* over this connection */
	struct buf content; /* as DATA sends it */

	/* Once the conversation is ours. */
	struct turn *turn;
	ev_io socket;
	struct timer *deadline; /* NULL: not ours yet, or no more */
	struct buf command;
	const char *out; /* what is being sent: the command or the content */
	size_t out_len, out_sent;
	bool dot_sent; /* the final dot was given away, whether or not it got through */

	/* What the server says. */
	struct buf in; /* received, not yet a whole line */
	size_t heard_len;
	struct buf answer; /* the last one, its lines joined by CRLF */
	bool answer_whole;
	int code;
	struct reply_line *rcpt; /* owns the texts */
	size_t rcpt_count, accepted_count;
};

/* ---- life --------------------------------------------------------------------------------- */

static bool write_content(struct mail *m)
{
	const struct request *r = &m->t->request;
	struct buf plain;

	if (r->recipient_count == 0)
		return err_set(&m->t->error, "a mail without a recipient");
	buf_init(&plain, MAIL_LEN_MAX);
	bool fits = mime_write(&plain, r) && mime_stuff(&m->content, plain.data, plain.len);

	buf_release(&plain);
	return fits || err_set(&m->t->error, "the mail is too large");
}

struct mail *xfer_mail_new(struct transfer *t, struct turn *turn, struct lines *lines)
{
	struct mail *m = mem_new(sizeof(*m));

	m->t = t;
	m->lines = lines;
	m->turn = turn;
	m->answer_whole = true;
	buf_init(&m->content, MAIL_LEN_MAX);
	buf_init(&m->command, COMMAND_LEN_MAX);
	buf_init(&m->in, ANSWERS_READ_MAX);
	buf_init(&m->answer, ANSWER_KEPT_MAX);
	m->rcpt = mem_array(t->request.recipient_count, sizeof(*m->rcpt));
	if (!write_content(m))
		xfer_mail_free(&m);
	return m;
}

/* Stops listening; the connection itself is libcurl's to close. */
static void leave(struct mail *m)
{
	if (m->deadline == NULL)
		return;
	ev_io_stop(turn_loop(m->turn), &m->socket);
	timer_free(&m->deadline);
}

void xfer_mail_free(struct mail **m)
{
	struct mail *mail = *m;

	if (mail == NULL)
		return;
	leave(mail);
	for (size_t i = 0; i < mail->rcpt_count; i++)
		mem_free(&mail->rcpt[i].text);
	mem_free(&mail->rcpt);
	buf_release(&mail->content);
	buf_release(&mail->command);
	buf_release(&mail->in);
	buf_release(&mail->answer);
	mem_free(m);
}

/* ---- what the server says ----------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One line of an answer, without CRLF; false when it is none. */
static bool hear_line(struct mail *m, const char *line, size_t len)
{
	if (len < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]) ||
	    (len > 3 && line[3] != ' ' && line[3] != '-'))
		return false;
	if (m->answer_whole)
		buf_clear(&m->answer);
	else if (m->answer.len + 2 + len <= ANSWER_KEPT_MAX)
		buf_adds(&m->answer, "\r\n");
	if (m->answer.len + len <= ANSWER_KEPT_MAX)
		buf_add(&m->answer, line, len);
	m->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	m->answer_whole = len == 3 || line[3] == ' ';
	return true;
}

static size_t without_line_end(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	return len;
}

size_t xfer_mail_heard_line(char *bytes, size_t size, size_t count, void *transfer)
{
	struct mail *m = ((struct transfer *)transfer)->mail;
	size_t len = size * count;

	m->heard_len += len;
	if (m->heard_len > ANSWERS_READ_MAX)
		return 0;
	/* libcurl decides here what is an answer; we only listen. */
	if (hear_line(m, bytes, without_line_end(bytes, len)) && m->code == 235)
		m->logged_in = true;
	return len;
}

/* Moves the first line of what was received into the answer; false when there is no whole
 * line, or (*garbled) when it is no answer. */
static bool take_line(struct mail *m, bool *garbled)
{
	const char *lf = memchr(m->in.data, '\n', m->in.len);

	if (lf == NULL)
		return false;
	size_t len = (size_t)(lf - m->in.data) + 1;

	*garbled = !hear_line(m, m->in.data, without_line_end(m->in.data, len));
	memmove(m->in.data, m->in.data + len, m->in.len - len);
	buf_truncate(&m->in, m->in.len - len);
	return !*garbled;
}

/* ---- the reply ---------------------------------------------------------------------------- */

/* For LOGIN no status means that no AUTH was tried. */
static int status_of(const struct mail *m, enum reply_kind kind)
{
	return kind == REPLY_LOGIN && m->code < 300 ? 0 : m->code;
}

static void fill(struct mail *m, enum reply_kind kind, const char *detail)
{
	struct transfer *t = m->t;

	leave(m);
	t->reply.kind = kind;
	t->reply.status = status_of(m, kind);
	t->reply.maybe_sent = m->dot_sent && kind != REPLY_ANSWERED;
	t->reply.body = m->answer.data;
	t->reply.body_len = m->answer.len;
	t->reply.rcpt = m->rcpt;
	t->reply.rcpt_count = m->rcpt_count;
	xfer_reply_explain(t, detail);
}

/* What libcurl calls strange is often a plain refusal: a greeting of 421, EHLO answered 550. */
static enum reply_kind connect_kind(const struct mail *m, int curl_code)
{
	enum reply_kind kind = xfer_reply_kind(curl_code);

	if (m->heard_len > ANSWERS_READ_MAX)
		return REPLY_GARBLED;
	if (kind == REPLY_CUT &&
	    m->code == 421) /* it said so, to EHLO; libcurl went on to HELO */
		return REPLY_ANSWERED;
	return kind == REPLY_GARBLED && m->code >= 400 ? REPLY_ANSWERED : kind;
}

static const char *connect_detail(const struct mail *m, int curl_code)
{
	if (m->heard_len > ANSWERS_READ_MAX)
		return "an endless answer";
	if (curl_code == CURLE_USE_SSL_FAILED && m->code < 400)
		return "the server offers no STARTTLS";
	if (curl_code == CURLE_LOGIN_DENIED && m->code < 300)
		return "the server offers no AUTH that we know";
	if (curl_code == CURLE_LOGIN_DENIED)
		return m->answer.data;
	return xfer_handle_complaint(m->t->handle);
}

void xfer_mail_judge(struct transfer *t, int curl_code)
{
	fill(t->mail, connect_kind(t->mail, curl_code), connect_detail(t->mail, curl_code));
}

void xfer_mail_judge_cut(struct transfer *t)
{
	fill(t->mail, REPLY_CUT, "by us, to end");
}

/* Nothing but 2xx for the mail, and nothing beside it: the next one may go the same way. */
static bool is_reusable(const struct mail *m, enum reply_kind kind)
{
	return kind == REPLY_ANSWERED && m->dot_sent && m->out_sent == m->out_len &&
	       m->code >= 200 && m->code < 300 && m->in.len == 0;
}

/* A kept connection that does not take MAIL says nothing of this mail. */
static bool is_worn_out(const struct mail *m, enum reply_kind kind)
{
	return m->mails_before > 0 && m->step == STEP_SENDER && kind != REPLY_TIMEOUT &&
	       kind != REPLY_LOCAL;
}

static void connect_anew(struct mail *m)
{
	leave(m);
	xfer_hang_up(m->t->x, &m->t->handle);
	m->mails_before = 0;
	m->step = STEP_CONNECT;
	m->logged_in = false;
	m->out_len = m->out_sent = 0;
	m->heard_len = 0;
	m->code = 0;
	m->answer_whole = true;
	buf_clear(&m->in);
	buf_clear(&m->answer);
	xfer_connect(m->t);
}

/* The last act of every path below: m is gone when it returns, or begins anew. */
static void end(struct mail *m, enum reply_kind kind, const char *detail)
{
	struct transfer *t = m->t;
	size_t sent;
	bool polite = kind == REPLY_ANSWERED || kind == REPLY_LOGIN;

	if (is_worn_out(m, kind)) {
		connect_anew(m);
		return;
	}
	bool kept = is_reusable(m, kind) && xfer_line_keep(m->lines, t, m->mails_before + 1);

	if (!kept && polite &&
	    m->out_sent == m->out_len) /* not amid the mail, only if at once */
		(void)curl_easy_send(xfer_handle_easy(t->handle), "QUIT\r\n", 6, &sent);
	fill(m, kind, detail);
	xfer_end(t);
}

/* An answer that was not the one hoped for. */
static void end_refused(struct mail *m)
{
	end(m, m->code >= 400 ? REPLY_ANSWERED : REPLY_GARBLED, m->answer.data);
}

static void on_deadline(void *arg)
{
	static const char *const waiting[] = {
		[STEP_CONNECT] = "connecting",       [STEP_SENDER] = "after MAIL",
		[STEP_RCPT] = "after RCPT",          [STEP_DATA] = "after DATA",
		[STEP_CONTENT] = "sending the mail",
	};
	struct mail *m = arg;

	end(m, REPLY_TIMEOUT, m->dot_sent ? "after the mail" : waiting[m->step]);
}

/* ---- sending ------------------------------------------------------------------------------ */

static void watch(struct mail *m)
{
	int events = EV_READ | (m->out_sent < m->out_len ? EV_WRITE : 0);
	struct ev_loop *loop = turn_loop(m->turn);

	if (events == (m->socket.events & (EV_READ | EV_WRITE)))
		return;
	ev_io_stop(loop, &m->socket);
	ev_io_set(&m->socket, m->socket.fd, events);
	ev_io_start(loop, &m->socket);
}

/* Reads what there is: CURLE_OK for some, CURLE_AGAIN for none yet, else it is over. */
static CURLcode receive(struct mail *m)
{
	char bytes[4096];
	size_t len = 0;
	CURLcode code =
		curl_easy_recv(xfer_handle_easy(m->t->handle), bytes, sizeof(bytes), &len);

	if (code != CURLE_OK)
		return code;
	m->heard_len += len;
	if (len == 0)
		return CURLE_GOT_NOTHING;
	if (m->heard_len > ANSWERS_READ_MAX || !buf_add(&m->in, bytes, len))
		return CURLE_WEIRD_SERVER_REPLY;
	return CURLE_OK;
}

/* The connection does not take our bytes: perhaps the server said why before it closed. */
static void end_broken(struct mail *m)
{
	bool garbled = false, spoke = false;

	while (receive(m) == CURLE_OK)
		;
	while (take_line(m, &garbled))
		spoke = true;
	if (spoke && m->answer_whole && m->code >= 400)
		end(m, REPLY_ANSWERED, NULL);
	else
		end(m, REPLY_CUT, "while sending");
}

/* Gives away what it can; false when that was the end. */
static bool flush(struct mail *m)
{
	while (m->out_sent < m->out_len) {
		size_t left = m->out_len - m->out_sent, sent = 0;
		size_t len = left < CHUNK_LEN ? left : CHUNK_LEN;

		/* Noted before: what of a refused write reached the wire is not ours to know. */
		if (m->step == STEP_CONTENT && len == left)
			m->dot_sent = true;
		CURLcode code = curl_easy_send(xfer_handle_easy(m->t->handle),
					       m->out + m->out_sent, len, &sent);

		if (code == CURLE_AGAIN)
			break;
		if (code != CURLE_OK) {
			end_broken(m);
			return false;
		}
		m->out_sent += sent;
		if (m->dot_sent)
			KILL_POINT("mail-sent");
		else
			KILL_POINT("mail-command-sent");
	}
	watch(m);
	return true;
}

/* Sends out for a step; false when that was the end. What the server said before it was asked
 * would pass for the answer: such a conversation cannot be trusted any further. */
static bool say(struct mail *m, enum step step, const char *out, size_t len)
{
	if (m->in.len > 0) {
		end(m, REPLY_GARBLED, "the server answers what it was not asked");
		return false;
	}
	m->step = step;
	m->out = out;
	m->out_len = len;
	m->out_sent = 0;
	return flush(m);
}

static bool say_command(struct mail *m, enum step step, const char *verb, const char *address)
{
	buf_clear(&m->command);
	bool fits = address == NULL ? buf_addf(&m->command, "%s\r\n", verb)
				    : buf_addf(&m->command, "%s:<%s>\r\n", verb, address);

	if (!fits) {
		end(m, REPLY_LOCAL, "an address is too long");
		return false;
	}
	return say(m, step, m->command.data, m->command.len);
}

/* ---- the conversation: each returns false when that was the end --------------------------- */

static bool next_recipient_or_data(struct mail *m)
{
	const struct request *r = &m->t->request;

	if (m->rcpt_count < r->recipient_count)
		return say_command(m, STEP_RCPT, "RCPT TO", r->recipients[m->rcpt_count]);
	if (m->accepted_count > 0)
		return say_command(m, STEP_DATA, "DATA", NULL);
	end_refused(m);
	return false;
}

static bool hear_recipient(struct mail *m)
{
	bool accepted = m->code >= 200 && m->code < 300;

	if (m->code < 200 || (m->code >= 300 && m->code < 400)) {
		end_refused(m);
		return false;
	}
	m->rcpt[m->rcpt_count++] = (struct reply_line){
		.code = m->code,
		.text = mem_dup(m->answer.data, strcspn(m->answer.data, "\r")),
	};
	m->accepted_count += accepted;
	if (m->code == 421) { /* closes, whatever it said of the others */
		end_refused(m);
		return false;
	}
	return next_recipient_or_data(m);
}

static void hear_verdict(struct mail *m)
{
	bool accepted = m->code >= 200 && m->code < 300;

	KILL_POINT("mail-verdict");
	if (!m->dot_sent) /* it will not have the rest of it */
		end_refused(m);
	else if (accepted)
		end(m, REPLY_ANSWERED, NULL);
	else
		end_refused(m);
}

static bool hear_answer(struct mail *m)
{
	KILL_POINT("mail-answered");
	switch (m->step) {
	case STEP_CONNECT: break;
	case STEP_SENDER:
		if (m->code >= 200 && m->code < 300)
			return next_recipient_or_data(m);
		break;
	case STEP_RCPT: return hear_recipient(m);
	case STEP_DATA:
		if (m->code == 354)
			return say(m, STEP_CONTENT, m->content.data, m->content.len);
		break;
	case STEP_CONTENT: hear_verdict(m); return false;
	}
	end_refused(m);
	return false;
}

/* The lines received so far; false when that was the end. */
static bool hear_lines(struct mail *m)
{
	bool garbled = false;

	while (take_line(m, &garbled))
		if (m->answer_whole && !hear_answer(m))
			return false;
	if (garbled)
		end(m, REPLY_GARBLED, "no SMTP answer");
	return !garbled;
}

static void hear(struct mail *m)
{
	CURLcode code;

	while ((code = receive(m)) == CURLE_OK)
		if (!hear_lines(m))
			return;
	if (code == CURLE_WEIRD_SERVER_REPLY)
		end(m, REPLY_GARBLED, "an endless answer");
	else if (code != CURLE_AGAIN)
		end(m, REPLY_CUT, m->dot_sent ? "before the mail was answered" : NULL);
}

/* What a kept connection says before it is asked is no answer to us. */
static bool is_stale(struct mail *m)
{
	return m->mails_before > 0 && m->step == STEP_SENDER && m->out_sent == 0 &&
	       receive(m) != CURLE_AGAIN;
}

static void on_socket(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct mail *m = watcher->data;

	(void)loop;
	(void)events;
	if (is_stale(m))
		connect_anew(m);
	else if (flush(m))
		hear(m);
}

/* The conversation is ours from here on. False: there is no connection after all. */
static bool enter(struct mail *m)
{
	struct transfer *t = m->t;
	curl_socket_t socket = CURL_SOCKET_BAD;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_ACTIVESOCKET, &socket);
	if (socket == CURL_SOCKET_BAD)
		return false;
	m->deadline = timer_new(m->turn, on_deadline, m);
	timer_set(m->deadline, t->timeout_ms - (clock_steady() - t->started_at));
	ev_io_init(&m->socket, on_socket, socket, 0);
	m->socket.data = m;
	return true;
}

static const char *sender(const struct mail *m)
{
	return m->t->request.from == NULL ? "" : m->t->request.from;
}

void xfer_mail_talk(struct mail *m)
{
	if (m->t->request.username != NULL && !m->logged_in) {
		end(m, REPLY_LOGIN, "the server offers no AUTH, so it gets no mail");
		return;
	}
	if (!enter(m)) {
		end(m, REPLY_CUT, "after connecting");
		return;
	}
	say_command(m, STEP_SENDER, "MAIL FROM", sender(m));
}

bool xfer_mail_resume(struct mail *m)
{
	if (!xfer_line_take(m->lines, m->t, &m->mails_before))
		return false;
	if (!enter(m) || !buf_addf(&m->command, "MAIL FROM:<%s>\r\n", sender(m))) {
		leave(m);
		xfer_hang_up(m->t->x, &m->t->handle);
		m->mails_before = 0;
		return false;
	}
	m->logged_in = true;
	m->step = STEP_SENDER;
	m->out = m->command.data;
	m->out_len = m->command.len;
	watch(m); /* it can be written to at once, but no callback may run from here */
	return true;
}
