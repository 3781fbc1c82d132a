/*
 * settings_listen: where the status page and the metrics are served: "HOST:PORT".
 *
 * The address must be numeric: to look a name up would block the loop, and a name that means
 * another address tomorrow is no place to listen. "localhost" is what everybody writes, and
 * means 127.0.0.1.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "model/settings_read.h"

static bool is_address(const char *text, bool in_brackets)
{
	struct in6_addr any;

	return inet_pton(in_brackets ? AF_INET6 : AF_INET, text, &any) == 1;
}

static bool read_port(const char *text, uint16_t *port)
{
	int64_t number;

	if (!num_parse_int(text, &number, NULL) || number < 0 || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Cuts "HOST:PORT" at its last colon and the brackets off; false: it has no such form. */
static bool split(const char *text, char host[SETTINGS_ADDRESS_MAX], const char **port,
		  bool *in_brackets)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);

	*in_brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (*in_brackets) {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= SETTINGS_ADDRESS_MAX)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*port = colon + 1;
	return true;
}

bool settings_parse_listen(const char *text, struct settings_listen *out, struct err *err)
{
	bool in_brackets;
	const char *port;

	*out = (struct settings_listen){ .is_on = text[0] != '\0' };
	if (!out->is_on)
		return true;
	if (!split(text, out->address, &port, &in_brackets) || !read_port(port, &out->port))
		return err_set(err,
			       "needs an address and a port, such as \"127.0.0.1:9464\" or "
			       "\"[::1]:9464\"; \"\" for none");
	if (strcmp(out->address, "localhost") == 0)
		snprintf(out->address, sizeof(out->address), "127.0.0.1");
	else if (!is_address(out->address, in_brackets))
		return err_set(err,
			       "needs a numeric address: \"127.0.0.1:%u\" for this machine "
			       "alone, \"0.0.0.0:%u\" for all that can reach it",
			       (unsigned)out->port, (unsigned)out->port);
	return true;
}

void settings_read_listen(const struct settings_reading *g, const struct conf_node *root)
{
	struct settings *s = g->settings;
	struct err err;

	if (s->listen != NULL && !settings_parse_listen(s->listen, &s->listen_at, &err))
		conf_error(&g->reader, conf_get(root, "listen"), "listen: %s", err.text);
}
