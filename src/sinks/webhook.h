/*
 * webhook: the settings of a generic webhook, and what can be wrong with them.
 */
#ifndef SINKS_WEBHOOK_H
#define SINKS_WEBHOOK_H

#include "base/buf.h"
#include "model/conf.h"
#include "model/settings.h"
#include "model/sink.h"

struct webhook_basic {
	char *username; /* NULL: not set */
	struct conf_secret password;
};

enum webhook_signature { WEBHOOK_STANDARD, WEBHOOK_SHA256 };

struct webhook_settings {
	struct conf_secret url, bearer;
	char *method;   /* NULL: POST, or the preset's */
	char *base_url; /* in place of the preset's; NULL: the preset's */
	enum webhook_signature signature;
	struct conf_pairs headers;
	struct conf_texts secrets; /* resolved */
	struct webhook_basic basic;
	struct sink_oauth2 oauth2;
	char *cert_file, *key_file; /* PEM; NULL: no certificate of ours */
};

extern const struct sink_type webhook_sink;

/*
 * Adds the bytes that a secret stands for: base64 after whsec_, else the text itself. False when
 * it is no base64, or more than key takes.
 */
bool webhook_key(const char *secret, struct buf *key) __attribute__((warn_unused_result));
extern const char webhook_key_prefix[];

/* Says every mistake in the settings of a webhook. */
void webhook_check(const struct sink_settings *s, struct conf_problems *problems);

#endif
