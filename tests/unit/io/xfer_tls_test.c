/* Whom we trust: HTTPS, SMTPS and STARTTLS against certificates good and bad. Run from the top
 * of the tree; needs openssl(1) and python3. */
#include "smtp_peer.h"

#include <sys/wait.h>

static char folder[] = "/tmp/tocsin-tls-XXXXXX";

/* A TLS front (tls_peer.py) before a peer of ours. */
struct front {
	pid_t pid;
	int its_stdin;
	int port;
};

static struct front front_open(const char *name, int port, const char *mode)
{
	struct front f;
	char target[16], printed[16] = "";
	int in[2], out[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	snprintf(target, sizeof(target), "%d", port);
	f.pid = fork();
	if (f.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]); /* or its stdin would never end */
		close(out[0]);
		execl("/usr/bin/python3", "python3", "tests/unit/io/tls_peer.py", folder, name,
		      target, mode, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	assert_true(read(out[0], printed, sizeof(printed) - 1) > 0);
	close(out[0]);
	f.its_stdin = in[1];
	f.port = (int)strtol(printed, NULL, 10);
	return f;
}

static void front_close(struct front *f)
{
	close(f->its_stdin);
	waitpid(f->pid, NULL, 0);
}

static char *path(const char *name)
{
	return mem_printf("%s/%s", folder, name);
}

static void answer_http(struct peer *p, int fd)
{
	char line[4096];

	while (peer_line(p, fd, line, sizeof(line)) > 2)
		;
	peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38);
	peer_line(p, fd, line, sizeof(line));
}

static void only_a_certificate_for_this_name_by_a_known_authority_will_do(void **state)
{
	static const struct {
		const char *name, *mode, *ca, *client;
		enum reply_kind kind;
	} cases[] = {
		{ "good", "implicit", "ca.pem", NULL, REPLY_ANSWERED },
		{ "good", "implicit", NULL, NULL,
		  REPLY_TLS }, /* no authority of the system's */
		{ "other", "implicit", "ca.pem", NULL, REPLY_TLS },   /* another name */
		{ "good", "implicit", "other.pem", NULL, REPLY_TLS }, /* another authority */
		{ "good", "implicit", "none.pem", NULL, REPLY_TLS },  /* no such file */
		{ "good", "mutual", "ca.pem", "client", REPLY_ANSWERED },
		{ "good", "implicit", "ca.pem", "none", REPLY_TLS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer *p = peer_open(answer_http, "");
		struct front f = front_open(cases[i].name, p->port, cases[i].mode);
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		request_init(&r, REQUEST_HTTP);
		r.url = mem_printf("https://127.0.0.1:%d/hook", f.port);
		r.ca_file = cases[i].ca == NULL ? NULL : path(cases[i].ca);
		if (cases[i].client != NULL) {
			r.cert_file = mem_printf("%s/%s.pem", folder, cases[i].client);
			r.key_file = mem_printf("%s/%s.key", folder, cases[i].client);
		}
		r.timeout_ms = 4000;
		client_ask(&c, &r, &h);
		print_message("  %s\n", h.error);
		assert_int_equal(h.reply.kind, cases[i].kind);
		assert_false(h.reply.maybe_sent);
		client_close(&c);
		peer_close_kept(p); /* first: the front passes on what was said last */
		front_close(&f);
		assert_int_equal(peer_saw(p, "GET /hook"), cases[i].kind == REPLY_ANSWERED);
		free(p);
	}
}

static void a_port_that_speaks_no_tls_is_no_trusted_one(void **state)
{
	struct peer *p = peer_open(smtp_serve, "S 220 hi\n");
	struct client c;
	struct request r;
	struct heard h;

	(void)state;
	client_open(&c);
	request_init(&r, REQUEST_HTTP);
	r.url = mem_printf("https://127.0.0.1:%d/hook", p->port);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_TLS);
	assert_false(h.reply.maybe_sent);
	client_close(&c);
	peer_close(p);
}

#define AFTER_TLS      "C EHLO me\nS 250-peer\nS 250 AUTH PLAIN\nC AUTH PLAIN\nS 334 \nC\nS 235 ok\n"
#define STARTTLS_FIRST "S 220 hi\nC EHLO me\nS 250-peer\nS 250 STARTTLS\nC STARTTLS\nS 220 go\n"

static void mail_and_password_go_out_only_once_it_is_trusted(void **state)
{
	static const struct {
		const char *name, *mode, *script;
		enum reply_kind kind;
	} cases[] = {
		{ "good", "implicit", "S 220 hi\n" AFTER_TLS SMTP_MAIL "S 250 ok",
		  REPLY_ANSWERED },
		{ "good", "starttls", STARTTLS_FIRST AFTER_TLS SMTP_MAIL "S 250 ok",
		  REPLY_ANSWERED },
		{ "other", "implicit", "S 220 hi\n" AFTER_TLS SMTP_MAIL "S 250 ok", REPLY_TLS },
		{ "other", "starttls", STARTTLS_FIRST AFTER_TLS SMTP_MAIL "S 250 ok",
		  REPLY_TLS },
		{ "good", "starttls", STARTTLS_FIRST "C EHLO\nS 250-peer\nS 250 HELP\n",
		  REPLY_LOGIN },
		/* AUTH offered before TLS only: what was said in plain text does not count. */
		{ "good", "starttls",
		  "S 220 hi\nC EHLO\nS 250-STARTTLS\nS 250 AUTH PLAIN\nC STARTTLS\nS 220 go\n"
		  "C EHLO\nS 250 HELP\n",
		  REPLY_LOGIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer *p = peer_open(smtp_serve, cases[i].script);
		struct front f = front_open(cases[i].name, p->port, cases[i].mode);
		bool implicit = strcmp(cases[i].mode, "implicit") == 0;
		struct client c;
		struct request r;
		struct heard h;

		client_open(&c);
		make_mail(&r, f.port);
		r.tls = implicit ? MAIL_TLS_IMPLICIT : MAIL_TLS_STARTTLS;
		mem_free(&r.url);
		r.url = mem_printf("%s://127.0.0.1:%d/me", implicit ? "smtps" : "smtp", f.port);
		r.username = mem_strdup("u");
		r.password = mem_strdup("hush");
		r.ca_file = path("ca.pem");
		client_ask(&c, &r, &h);
		print_message("  %d %s\n", h.reply.status, h.error);
		assert_int_equal(h.reply.kind, cases[i].kind);
		assert_false(h.reply.maybe_sent);
		client_close(&c);
		peer_close_kept(p); /* first: the front passes on what was said last */
		front_close(&f);
		bool through = cases[i].kind == REPLY_ANSWERED;

		assert_false(peer_saw(p, "OUT OF TURN"));
		assert_int_equal(peer_saw(p, "AUTH PLAIN\r\nAHUAaHVzaA==\r\n"), through);
		assert_int_equal(peer_saw(p, "MAIL FROM"), through);
		assert_int_equal(peer_saw(p, "\r\n.\r\nQUIT\r\n"), through);
		free(p);
	}
}

static void a_large_mail_passes_through_tls_whole(void **state)
{
	struct peer *p = peer_open(smtp_serve, "S 220 hi\nC EHLO\nS 250 ok\n" SMTP_TO_DATA
					       "S 354 go\nW 100\nD\nS 250 ok");
	struct front f = front_open("good", p->port, "implicit");
	struct client c;
	struct request r;
	struct heard h;
	enum { LARGE = 1 << 20 };

	(void)state;
	client_open(&c);
	make_mail(&r, f.port);
	r.tls = MAIL_TLS_IMPLICIT;
	mem_free(&r.url);
	r.url = mem_printf("smtps://127.0.0.1:%d/me", f.port);
	r.ca_file = path("ca.pem");
	r.timeout_ms = 9000;
	mem_free(&r.text);
	r.text = mem_new(LARGE + 1);
	memset(r.text, 'z', LARGE);
	client_ask(&c, &r, &h);
	assert_int_equal(h.reply.kind, REPLY_ANSWERED);
	assert_int_equal(h.reply.status, 250);
	client_close(&c);
	front_close(&f);
	peer_close(p);
}

static int make_certificates(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	char *command = mem_printf("sh tests/unit/io/certs.sh %s >%s/log 2>&1", folder, folder);
	int status = system(command);

	mem_free(&command);
	return status == 0 ? 0 : -1;
}

static int drop_certificates(void **state)
{
	char *command = mem_printf("rm -r %s", folder);
	int status = system(command);

	(void)state;
	mem_free(&command);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_certificate_for_this_name_by_a_known_authority_will_do),
		cmocka_unit_test(a_port_that_speaks_no_tls_is_no_trusted_one),
		cmocka_unit_test(mail_and_password_go_out_only_once_it_is_trusted),
		cmocka_unit_test(a_large_mail_passes_through_tls_whole),
	};

	return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
