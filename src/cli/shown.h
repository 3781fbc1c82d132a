/*
 * shown: a request as it may be shown: everything that went out, every secret as ***.
 *
 * Secret are: what comes after a URL's host, logins and tokens, every value of the sink that
 * the configuration takes from elsewhere (env:, file:, cred:), values of `vars` whose names say
 * so (routing_key, token …), and headers other than those that sinks make themselves. A text
 * may hold a secret anywhere, so they are looked for in the body and the answer too.
 */
#ifndef CLI_SHOWN_H
#define CLI_SHOWN_H

#include <stddef.h>
#include <stdio.h>

#include "cli/jline.h"
#include "model/conf.h"
#include "model/request.h"
#include "model/settings.h"
#include "sinks/mask.h"

struct shown {
	char *method, *url;
	char **headers; /* "Name: value" */
	size_t header_count;
	char *body, *html; /* html: of a mail, or NULL */
	char *from;        /* mail: the envelope */
	char **recipients;
	size_t recipient_count;
	struct mask answer; /* what to hide in what the peer says */
};

/* Copies what may be shown of r; group is the sink's in the configuration. */
void shown_init(struct shown *s, const struct sink_settings *sink,
		const struct conf_node *group, const struct request *r);
void shown_release(struct shown *s);

/* For people; and as the member "request" of an object. */
void shown_print(const struct shown *s, FILE *out);
void shown_json(const struct shown *s, struct jline *j);

/* The answer as one line; out has room for MASK_TEXT_MAX + 1 bytes. */
void shown_answer(const struct shown *s, const struct reply *r, char *out, size_t size);

#endif
