/* oauth2: the keys. What is done with them is flow's (login), before a request is built. */
#include "sinks/oauth2.h"

#define IN_OAUTH2(member) offsetof(struct sink_oauth2, member)

const struct conf_key oauth2_keys[] = {
	{ .name = "token_url",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = IN_OAUTH2(token_url),
	  .help = "where a token is asked for (client credentials)" },
	{ .name = "client_id",
	  .kind = CONF_TEXT,
	  .required = true,
	  .one_line = true,
	  .offset = IN_OAUTH2(client_id),
	  .help = "who we are there" },
	{ .name = "client_secret",
	  .kind = CONF_SECRET,
	  .required = true,
	  .one_line = true,
	  .offset = IN_OAUTH2(client_secret),
	  .help = "and what proves it" },
	{ .name = "scope",
	  .kind = CONF_TEXT,
	  .one_line = true,
	  .offset = IN_OAUTH2(scope),
	  .help = "what is asked for, where the server wants it said" },
	{ .name = NULL },
};
