/* Logging in to mail servers: what is said to which, and what is never said. */
#include "smtp_peer.h"

#define OFFER(ways) "S 220 hi\nC EHLO\nS 250-peer\nS 250 AUTH " ways "\n"

/* What is said after AUTH, in clear: base64 of what a server of that kind must hear. */
static void each_way_to_log_in_is_spoken_as_the_server_offers_it(void **state)
{
	static const struct {
		const char *script;
		bool bearer;
		const char *said;
	} rows[] = {
		{ OFFER("PLAIN LOGIN") "C AUTH PLAIN\nS 334 \nC\n", false, "AHUAaHVzaA==" },
		{ OFFER("LOGIN") "C AUTH LOGIN\nS 334 VXNlcm5hbWU6\nC dQ==\nS 334 UGFzc3dvcmQ6\nC\n",
		  false, "aHVzaA==" },
		/* RFC 2195's digest of <1@peer> under "hush". */
		{ OFFER("CRAM-MD5 PLAIN") "C AUTH CRAM-MD5\nS 334 PDFAcGVlcj4=\nC\n", false,
		  "dSA1YzAyZWRkNDVlZWUzZDRiMzNiMWMyMjg3OWYzNmM3YQ==" },
		{ OFFER("PLAIN XOAUTH2") "C AUTH XOAUTH2\nS 334 \nC\n", true,
		  "dXNlcj11AWF1dGg9QmVhcmVyIHQwa2VuAQE=" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *script = mem_printf("%sS 235 ok\n" SMTP_MAIL "S 250 ok", rows[i].script);
		struct peer *p = peer_open(smtp_serve, script);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_mail(&r, p->port);
		r.username = mem_strdup("u");
		*(rows[i].bearer ? &r.bearer : &r.password) =
			mem_strdup(rows[i].bearer ? "t0ken" : "hush");
		client_ask(&c, &r, &h);
		client_close(&c);
		peer_close_kept(p);
		assert_int_equal(h.reply.kind, REPLY_ANSWERED);
		assert_true(peer_saw(p, rows[i].said));
		assert_false(peer_saw(p, "OUT OF TURN"));
		free(p);
		mem_free(&script);
	}
}

/* Where only passwords are taken, none of ours is made up, empty or otherwise. */
static void a_bearer_is_never_sent_another_way(void **state)
{
	static const struct {
		const char *script;
		int status;
	} rows[] = {
		{ OFFER("PLAIN LOGIN CRAM-MD5"), 0 },
		{ SMTP_HELLO, 0 },
		{ OFFER("XOAUTH2") "C AUTH XOAUTH2\nS 334 \nC\nS 334 eyJzdGF0dXMiOiI0MDEifQ==\n",
		  334 },
		{ OFFER("XOAUTH2") "C AUTH XOAUTH2\nS 334 \nC\nS 535 5.7.8 expired\n", 535 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct peer *p = peer_open(smtp_serve, rows[i].script);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_mail(&r, p->port);
		r.username = mem_strdup("u");
		r.bearer = mem_strdup("t0ken");
		client_ask(&c, &r, &h);
		client_close(&c);
		peer_close_kept(p);
		print_message("  %s\n", h.error);
		assert_int_equal(h.reply.kind, REPLY_LOGIN);
		assert_int_equal(h.reply.status, rows[i].status);
		assert_false(peer_saw(p, "MAIL"));
		assert_false(peer_saw(p, "AUTH PLAIN") || peer_saw(p, "AUTH LOGIN") ||
			     peer_saw(p, "AUTH CRAM"));
		assert_null(strstr(h.error, "t0ken"));
		free(p);
	}
}

static void starttls_that_is_not_offered_gets_neither_mail_nor_password(void **state)
{
	static const char *const scripts[] = {
		SMTP_HELLO,
		"S 220 hi\nC EHLO\nS 250-peer\nS 250 AUTH PLAIN\n",
		"S 220 hi\nC EHLO\nS 250-peer\nS 250 STARTTLS\nC STARTTLS\nS 454 no TLS now\n",
		"S 220 hi\nC EHLO\nS 502 no\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct peer *p = peer_open(smtp_serve, scripts[i]);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_mail(&r, p->port);
		r.tls = MAIL_TLS_STARTTLS;
		r.username = mem_strdup("u");
		r.password = mem_strdup("hush");
		client_ask(&c, &r, &h);
		print_message("  %d %s\n", h.reply.status, h.error);
		assert_int_equal(h.reply.kind, i < 3 ? REPLY_TLS : REPLY_ANSWERED);
		assert_false(h.reply.maybe_sent);
		client_close(&c);
		peer_close_kept(p);
		assert_false(peer_saw(p, "MAIL"));
		assert_false(peer_saw(p, "AUTH"));
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_log_in_is_spoken_as_the_server_offers_it),
		cmocka_unit_test(a_bearer_is_never_sent_another_way),
		cmocka_unit_test(starttls_that_is_not_offered_gets_neither_mail_nor_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
