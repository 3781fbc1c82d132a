/*
 * oauth2: the group `oauth2 = { token_url; client_id; client_secret; scope; }` of the sinks that
 * log in by client credentials (RFC 6749 4.4). It lies in struct sink_oauth2.
 */
#ifndef SINKS_OAUTH2_H
#define SINKS_OAUTH2_H

#include "model/conf.h"
#include "model/sink.h"

extern const struct conf_key oauth2_keys[];

#endif
