/*
 * ruling: applies a row of policy, and holds the rows for failed connections.
 *
 * A connection that fails says nothing about the alert, so all of them hold the destination,
 * even those that are our own machine's: while it is held the rows do not age. The operator
 * is called where waiting cannot help: a certificate, a login, a machine out of sockets.
 *
 * Whether a cut or silent exchange may have been heard is not for policy to guess: io knows
 * (reply.maybe_sent) and the outcome passes it on.
 */
#include "sinks/ruling.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

enum { STATUS_MAX = 5 + NUM_TEXT_MAX };

static const struct ruling troubles[] = {
	[REPLY_RESOLVE] = { VERDICT_LATER, BLAME_DOWN, "the name does not resolve", NULL,
			    "is the host right, and does DNS work here?" },
	[REPLY_CONNECT] = { VERDICT_LATER, BLAME_DOWN, "no connection", NULL,
			    "is host and port right, or is a proxy needed?" },
	[REPLY_TLS] = { VERDICT_LATER, BLAME_OPERATOR, "no trusted TLS", "ca_file",
			"names a private CA; else the server must offer TLS with a valid "
			"certificate for its name, and want none of ours" },
	[REPLY_LOGIN] = { VERDICT_LATER, BLAME_OPERATOR, "the login was refused", "username",
			  "check it and password" },
	[REPLY_TIMEOUT] = { VERDICT_LATER, BLAME_DOWN, "timed out", "timeout",
			    "raise it if the receiver needs longer" },
	[REPLY_CUT] = { VERDICT_LATER, BLAME_DOWN, "the connection was cut", "retry",
			RULING_WAITS },
	[REPLY_GARBLED] = { VERDICT_LATER, BLAME_DOWN, "the peer does not speak the protocol",
			    NULL, "is host, port and scheme right?" },
	[REPLY_LOCAL] = { VERDICT_LATER, BLAME_OPERATOR, "this machine could not send", NULL,
			  "is it readable as an address, ca_file a CA, and are there sockets and "
			  "memory left?" },
};

const struct ruling *ruling_of_trouble(enum reply_kind kind)
{
	switch (kind) {
	case REPLY_ANSWERED:
	case REPLY_TOO_LARGE: return NULL;
	case REPLY_RESOLVE:
	case REPLY_CONNECT:
	case REPLY_TLS:
	case REPLY_LOGIN:
	case REPLY_TIMEOUT:
	case REPLY_CUT:
	case REPLY_GARBLED:
	case REPLY_LOCAL: break;
	}
	return &troubles[kind];
}

void ruling_say(char text[REASON_MAX], const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	vsnprintf(text, REASON_MAX, format, args);
	va_end(args);
	len = strlen(text);
	if (len + 1 < REASON_MAX)
		return;
	/* It may have been cut within a character: the last one goes. */
	while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	text[len > 0 ? len - 1 : 0] = '\0';
}

/*
 * What the peer said last is not why a connection failed later, unless it ended there: a refused
 * login, or a yes before the cut.
 */
static int status_of(const struct ruling *ruling, const struct reply *r)
{
	bool is_telling = ruling_of_trouble(r->kind) == NULL || r->kind == REPLY_LOGIN ||
			  ruling->verdict == VERDICT_DELIVERED;

	return is_telling ? r->status : 0;
}

/* "HTTP 404", "SMTP 550", or nothing where no status came. */
static void status_text(const struct judge *judge, int status, char text[STATUS_MAX])
{
	bool is_mail = strcmp(judge->address, "server") == 0;

	text[0] = '\0';
	if (status <= 0)
		return;
	memcpy(text, is_mail ? "SMTP " : "HTTP ", 5);
	num_text(status, text + 5);
}

/* The answer, or where none came io's words for why not: they say what `what` would. */
static void give_reason(const struct ruling *ruling, const struct judge *judge,
			const struct reply *r, struct outcome *out)
{
	char status[STATUS_MAX], quote[MASK_TEXT_MAX + 1];
	bool is_failure = ruling_of_trouble(r->kind) != NULL && r->error[0] != '\0';
	const char *what = is_failure || ruling->what == NULL ? "" : ruling->what;
	struct mask mask = { 0 };

	status_text(judge, out->status, status);
	if (ruling->verdict == VERDICT_DELIVERED) {
		memcpy(out->reason, status, sizeof(status));
		return;
	}
	judge->secrets(judge->settings, &mask);
	mask_add(&mask, judge->bearer);
	mask_text(&mask, is_failure ? r->error : r->body,
		  is_failure ? strlen(r->error) : r->body_len, quote, sizeof(quote));
	mask_release(&mask);
	ruling_say(out->reason, "%s%s%s%s%s", status,
		   status[0] != '\0' && what[0] != '\0' ? ", " : "", what,
		   (status[0] != '\0' || what[0] != '\0') && quote[0] != '\0' ? ": " : "",
		   quote);
}

void ruling_apply(const struct ruling *ruling, const struct judge *judge, const struct reply *r,
		  struct outcome *out)
{
	bool is_done = ruling->verdict == VERDICT_DELIVERED;

	*out = (struct outcome){
		.verdict = ruling->verdict,
		.sink_down = ruling->blame != BLAME_NOBODY,
		.alarm = ruling->blame == BLAME_OPERATOR,
		.maybe_sent = !is_done && r->maybe_sent,
		.retry_after_ms = is_done ? -1 : reply_retry_after_ms(r),
		.status = status_of(ruling, r),
	};
	give_reason(ruling, judge, r, out);
	if (ruling->advice != NULL)
		ruling_say(out->hint, "sinks: %.80s: %s: %s", judge->settings->name,
			   ruling->key == NULL ? judge->address : ruling->key, ruling->advice);
}
