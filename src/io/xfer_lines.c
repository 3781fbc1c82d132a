/*
 * xfer_lines: SMTP connections that are kept between two mails.
 *
 *   a mail is taken ──▶ KEPT ──▶ the next mail to the same server under the same login
 *                        ├ IDLE_MS pass: QUIT, closed
 *                        ├ the server says anything, or closes: closed
 *                        └ KEPT_MAX others are kept: the oldest, QUIT, closed
 *
 * A TLS handshake and a login cost more than the mail, and servers count connections; but they
 * also have few of them, and limits for mails on one. So a line is kept for a short while and
 * lent MAILS_MAX times, fewer than the limits that are known.
 *
 * Two mails may share a line only when nothing of a new connection would differ: server, TLS,
 * login, authorities, proxy. The key is a hash of all of it, so no password is kept here.
 *
 * The easy handle of a line stays in the multi handle: libcurl closes the connection of one that
 * is taken out.
 */
#include <curl/curl.h>
#include <ev.h>
#include <string.h>

#include "base/hmac.h"
#include "base/mem.h"
#include "io/xfer_own.h"

enum {
	IDLE_MS = 2000, /* servers give minutes, but a slot of theirs is not ours to sit on */
	MAILS_MAX = 100,
	KEPT_MAX = 64,
	KEY_TEXT_MAX = 64 << 10,
};

struct line {
	struct lines *lines;
	struct line *newer, *older;
	unsigned char key[HMAC_LEN];
	struct handle *handle;
	ev_io socket;
	struct timer *idle;
	int mails; /* that it carried */
};

struct lines {
	struct xfer *x;
	struct turn *turn;
	struct line *newest, *oldest;
	size_t count;
};

struct lines *xfer_lines_new(struct xfer *x, struct turn *turn)
{
	struct lines *l = mem_new(sizeof(*l));

	l->x = x;
	l->turn = turn;
	return l;
}

/* ---- the list ----------------------------------------------------------------------------- */

static void link_line(struct lines *l, struct line *line)
{
	line->older = l->newest;
	*(l->newest == NULL ? &l->oldest : &l->newest->newer) = line;
	l->newest = line;
	l->count++;
}

/* Takes a line's handle out of it, and the line away. */
static struct handle *unlink_line(struct line *line)
{
	struct lines *l = line->lines;
	struct handle *handle = line->handle;

	*(line->newer == NULL ? &l->newest : &line->newer->older) = line->older;
	*(line->older == NULL ? &l->oldest : &line->older->newer) = line->newer;
	l->count--;
	ev_io_stop(turn_loop(l->turn), &line->socket);
	timer_free(&line->idle);
	mem_free(&line);
	return handle;
}

static void hang_up(struct line *line, bool polite)
{
	struct xfer *x = line->lines->x;
	struct handle *handle = unlink_line(line);
	size_t sent;

	if (polite) /* the answer is not waited for */
		(void)curl_easy_send(xfer_handle_easy(handle), "QUIT\r\n", 6, &sent);
	xfer_hang_up(x, &handle);
}

void xfer_lines_free(struct lines **l)
{
	if (*l == NULL)
		return;
	while ((*l)->oldest != NULL)
		hang_up((*l)->oldest, true);
	mem_free(l);
}

/* Nobody asked the server anything: a farewell, an end, or an answer that came too late. */
static void on_socket(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	hang_up(watcher->data, false);
}

static void on_idle(void *arg)
{
	hang_up(arg, true);
}

/* ---- lending ------------------------------------------------------------------------------ */

static void add_to_key(struct buf *all, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	buf_addf(all, "%d %zu ", text != NULL, len);
	buf_add(all, text == NULL ? "" : text, len);
}

/* False when it is too long to be one: such a line is not kept. */
static bool key_of(const struct request *r, unsigned char key[HMAC_LEN])
{
	const char *texts[] = { r->url,     r->username, r->password,  r->bearer,
				r->ca_file, r->proxy,    r->cert_file, r->key_file };
	struct buf all;

	buf_init(&all, KEY_TEXT_MAX);
	buf_addf(&all, "%d ", (int)r->tls);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_to_key(&all, texts[i]);
	bool whole = !all.overflow;

	sha256_of(all.data, all.len, key);
	memset(all.data, 0, all.len);
	buf_release(&all);
	return whole;
}

bool xfer_line_take(struct lines *l, struct transfer *t, int *mails)
{
	unsigned char key[HMAC_LEN];

	if (l->count == 0 || !key_of(&t->request, key))
		return false;
	for (struct line *line = l->newest; line != NULL; line = line->older) {
		if (memcmp(line->key, key, sizeof(key)) != 0)
			continue;
		*mails = line->mails;
		t->handle = unlink_line(line);
		xfer_handle_lend(t->handle, t);
		return true;
	}
	return false;
}

bool xfer_line_keep(struct lines *l, struct transfer *t, int mails)
{
	unsigned char key[HMAC_LEN];
	curl_socket_t socket = CURL_SOCKET_BAD;

	curl_easy_getinfo(xfer_handle_easy(t->handle), CURLINFO_ACTIVESOCKET, &socket);
	if (mails >= MAILS_MAX || socket == CURL_SOCKET_BAD || !key_of(&t->request, key))
		return false;
	if (l->count == KEPT_MAX)
		hang_up(l->oldest, true);
	struct line *line = mem_new(sizeof(*line));

	line->lines = l;
	line->mails = mails;
	memcpy(line->key, key, sizeof(key));
	line->handle = t->handle;
	t->handle = NULL;
	xfer_handle_lend(line->handle, NULL);
	ev_io_init(&line->socket, on_socket, socket, EV_READ);
	line->socket.data = line;
	ev_io_start(turn_loop(l->turn), &line->socket);
	line->idle = timer_new(l->turn, on_idle, line);
	timer_set(line->idle, IDLE_MS);
	link_line(l, line);
	return true;
}
