/*
 * mask: every secret that could stand in an answer becomes ***, before anything is cut.
 *
 * The order matters: a cut first could leave half a secret that no longer matches. Pieces of a
 * URL are hidden one by one as well, for a server writes them in its own way ("\/T0\/B0\/…",
 * "&amp;", a path without its query). Short pieces ("v1", "in") are no secrets, and hiding them
 * would make the answer unreadable.
 */
#include "sinks/mask.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/esc.h"
#include "base/mem.h"
#include "model/facts.h"

enum {
	SECRET_MIN = 4,      /* bytes; shorter texts would hide half of every answer */
	PIECE_MIN = 6,       /* of a URL or a header: "hooks" may be read, a token may not */
	LOOK_MAX = 64 << 10, /* of an answer; io keeps no more */
	SHOW_MAX = 4 << 10,  /* after hiding: where the shown line may come from */
};

void mask_release(struct mask *m)
{
	for (size_t i = 0; i < m->count; i++)
		mem_free_secret(&m->list[i]);
	mem_free(&m->list);
	m->count = 0;
}

/* Longest first: a piece that is hidden first would keep a longer secret from being found. */
static void add_piece(struct mask *m, const char *bytes, size_t len, size_t min)
{
	size_t i = m->count;

	if (len < min)
		return;
	m->list = mem_resize(m->list, m->count + 1, sizeof(*m->list));
	for (; i > 0 && strlen(m->list[i - 1]) < len; i--)
		m->list[i] = m->list[i - 1];
	m->list[i] = mem_dup(bytes, len);
	m->count++;
}

void mask_add(struct mask *m, const char *secret)
{
	if (secret != NULL)
		add_piece(m, secret, strlen(secret), SECRET_MIN);
}

void mask_add_url(struct mask *m, const char *url)
{
	const char *host, *path;

	if (url == NULL)
		return;
	add_piece(m, url, strlen(url), PIECE_MIN);
	host = strstr(url, "://");
	path = strpbrk(host == NULL ? url : host + 3, "/?#");
	if (path == NULL)
		return;
	add_piece(m, path, strlen(path), PIECE_MIN);
	while (*path != '\0') {
		size_t len = strcspn(path, "/?#&=");

		add_piece(m, path, len, PIECE_MIN);
		path += len;
		path += strspn(path, "/?#&=");
	}
}

void mask_add_pairs(struct mask *m, const struct conf_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *value = pairs->list[i].value;

		if (value != NULL)
			add_piece(m, value, strlen(value), PIECE_MIN);
		mask_add(m, pairs->list[i].former);
	}
}

void mask_add_secret(struct mask *m, const struct conf_secret *secret)
{
	mask_add(m, secret->value);
	mask_add(m, secret->former);
}

static void hide(struct buf *text, const char *secret)
{
	const char *at = text->data, *hit;
	struct buf hidden;

	buf_init(&hidden, text->max_len);
	while ((hit = strstr(at, secret)) != NULL) {
		buf_add(&hidden, at, (size_t)(hit - at));
		buf_adds(&hidden, "***");
		at = hit + strlen(secret);
	}
	buf_adds(&hidden, at);
	buf_release(text);
	*text = hidden;
}

/* The length of a control character (C0, DEL, C1) or a space at s; 0 for anything else. */
static size_t blank_len(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];

	if (c <= ' ' || c == 0x7f)
		return 1;
	return c == 0xc2 && len > 1 && (unsigned char)s[1] < 0xa0 ? 2 : 0;
}

/* One line of at most SHOW_MAX bytes in, at most MASK_TEXT_MAX bytes out. */
static size_t one_line(const char *s, size_t len, char *out)
{
	size_t used = 0;
	bool gap = false;

	for (size_t i = 0; i < len;) {
		size_t blank = blank_len(s + i, len - i);
		size_t bytes = blank == 0 ? utf8_cut(s + i, len - i, 1) : blank;

		if (blank == 0) {
			if (used + (gap ? 1 : 0) + bytes > MASK_TEXT_MAX)
				break;
			if (gap)
				out[used++] = ' ';
			memcpy(out + used, s + i, bytes);
			used += bytes;
		}
		gap = blank > 0 && used > 0;
		i += bytes;
	}
	return used;
}

void mask_text(const struct mask *m, const char *bytes, size_t len, char *out, size_t size)
{
	struct buf text, whole;
	size_t show;

	if (size <= MASK_TEXT_MAX)
		BUG("room for %zu bytes only", size);
	buf_init(&text, LOOK_MAX); /* *** is no longer than any secret */
	buf_add(&text, bytes, len < LOOK_MAX ? len : LOOK_MAX);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\0')
			text.data[i] = ' ';
	for (size_t i = 0; i < m->count; i++)
		hide(&text, m->list[i]);
	show = text.len < SHOW_MAX ? text.len : SHOW_MAX;
	buf_init(&whole, SHOW_MAX * 3);
	utf8_repair(&whole, text.data, show);
	out[one_line(whole.data, whole.len, out)] = '\0';
	buf_release(&whole);
	buf_release(&text);
}
