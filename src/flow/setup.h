/*
 * setup: a configuration that is ready to run: settings read, templates compiled.
 *
 * setup_load() reads the file, resolves secrets, compiles every template that a sink or a link
 * names, and looks whether the store's folder can be written: all mistakes are collected, and
 * with one error there is no setup. It touches neither the network nor the store.
 *
 * A setup is counted: the daemon holds the one in force, and each delivery under way the one
 * that its request was built from, so that a reload waits for no receiver.
 */
#ifndef FLOW_SETUP_H
#define FLOW_SETUP_H

#include "flow/login.h"
#include "flow/parts.h"
#include "model/settings.h"

struct setup {
	struct settings *settings; /* owned */
	struct parts **parts;      /* one a sink, in the settings' order; owned */
	struct tmpl **links;       /* one a source, NULL where there is none; owned */
	struct login **logins;     /* one a sink, NULL where it has none; owned */
	size_t holds;
};

/* With one hold. */
struct setup *setup_load(const char *path, struct conf_problems *problems)
	__attribute__((warn_unused_result));
/* One hold more; returns s. */
struct setup *setup_hold(struct setup *s);
/* One hold less; the last one frees it. */
void setup_free(struct setup **s);

/* What secrets are resolved with; of the file at path. */
struct settings_context setup_context(const char *path);

#endif
