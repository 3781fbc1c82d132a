/*
 * smtp_peer: SMTP servers by script, for peer.h. One step a line:
 *
 *   S text      say it, | is a CRLF   C prefix    hear a line that begins so ("C" alone: any)
 *   D           hear up to the dot    W ms        wait
 *   X           close                 H           say nothing until the client goes
 *
 * After the last step the peer hears what still comes, so that a test can tell what was said.
 */
#ifndef TESTS_UNIT_IO_SMTP_PEER_H
#define TESTS_UNIT_IO_SMTP_PEER_H

#include "peer.h"

static inline bool smtp_hear(struct peer *p, int fd, const char *prefix, size_t len)
{
	char line[4096];

	if (peer_line(p, fd, line, sizeof(line)) == 0)
		return false;
	if (len > 0 && strncmp(line, prefix, len) != 0)
		peer_note(p, "OUT OF TURN\n", 12);
	return true;
}

/* In one piece: what is said together must arrive together. */
static inline bool smtp_say(int fd, const char *text, size_t len)
{
	char out[4096];
	size_t out_len = 0;

	for (size_t i = 0; i < len && out_len + 4 < sizeof(out); i++) {
		if (text[i] == '|')
			out[out_len++] = '\r';
		out[out_len++] = text[i] == '|' ? '\n' : text[i];
	}
	memcpy(out + out_len, "\r\n", 2);
	return peer_say(fd, out, out_len + 2);
}

static inline bool smtp_step(struct peer *p, int fd, const char *step, size_t len)
{
	char line[4096];

	switch (step[0]) {
	case 'S': return smtp_say(fd, step + 2, len - 2);
	case 'C': return smtp_hear(p, fd, step + 2, len < 2 ? 0 : len - 2);
	case 'W': usleep((useconds_t)strtoul(step + 2, NULL, 10) * 1000); return true;
	case 'X': return false;
	case 'D':
		while (peer_line(p, fd, line, sizeof(line)) > 0)
			if (strcmp(line, ".\r\n") == 0)
				return true;
		return false;
	}
	return true; /* H: nothing, the end of the script hears on */
}

static inline void smtp_serve(struct peer *p, int fd)
{
	char line[4096];

	for (const char *step = p->script; *step != '\0';) {
		size_t len = strcspn(step, "\n");

		if (!smtp_step(p, fd, step, len))
			return;
		step += len + (step[len] == '\n');
	}
	while (peer_line(p, fd, line, sizeof(line)) > 0)
		;
}

#define SMTP_HELLO   "S 220 hi\nC EHLO me\nS 250-peer\nS 250-SIZE 1000\nS 250 HELP\n"
#define SMTP_AUTH    "S 220 hi\nC EHLO me\nS 250-peer\nS 250 AUTH PLAIN\nC AUTH PLAIN\nS 334 \nC\n"
#define SMTP_TO_DATA "C MAIL FROM:<a@x.org>\nS 250 ok\nC RCPT TO:<b@x.org>\nS 250 ok\nC DATA\n"
#define SMTP_MAIL    SMTP_TO_DATA "S 354 go\nD\n"

static inline void make_mail(struct request *r, int port)
{
	struct err err;

	request_init(r, REQUEST_MAIL);
	r->url = mem_printf("smtp://127.0.0.1:%d/me", port);
	r->from = mem_strdup("a@x.org");
	assert_true(request_recipient(r, "b@x.org", &err));
	assert_true(request_header(r, "Subject", "Hi", &err));
	r->text = mem_strdup("Hello\r\n");
	r->tls = MAIL_TLS_NONE;
	r->timeout_ms = 4000;
}

#endif
