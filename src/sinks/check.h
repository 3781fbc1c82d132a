/*
 * check: how a sink says what is wrong with its settings, and what is wrong with a url.
 *
 * Messages read as those of the tables of keys: `sink "sec": url: what is wrong and the remedy`.
 * None of them quotes a value, for it may be a secret.
 */
#ifndef SINKS_CHECK_H
#define SINKS_CHECK_H

#include "model/conf.h"
#include "model/settings.h"

void check_error(const struct sink_settings *s, struct conf_problems *p, const char *key,
		 const char *text);
void check_warning(const struct sink_settings *s, struct conf_problems *p, const char *key,
		   const char *text);

/*
 * The sink's `url`: no scheme, host or only part of one, a login, a fragment or a blank in it,
 * http where it is not allowed. False when something was wrong.
 */
bool check_url(const struct sink_settings *s, struct conf_problems *p, const char *url);

/* The same of another key that holds a url. */
bool check_url_of(const struct sink_settings *s, struct conf_problems *p, const char *key,
		  const char *url);

/* Likewise of `base_url`, which paths follow: no slash at its end, nothing asked. */
bool check_base_url(const struct sink_settings *s, struct conf_problems *p, const char *url);

#endif
