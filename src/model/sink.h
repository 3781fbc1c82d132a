/*
 * sink: what a destination is: a table of keys and two pure functions.
 *
 * build() turns a message into a request, judge() turns a reply into an outcome. Neither
 * touches the loop, the store, the clock or the attempt count: all they may know is in their
 * arguments. A new sink is one file in sinks/, one line in sinks/table.c, one test table.
 */
#ifndef MODEL_SINK_H
#define MODEL_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/num.h"
#include "model/conf.h"
#include "model/event.h"
#include "model/facts.h"
#include "model/people.h"
#include "model/request.h"
#include "model/tmpl.h"

enum { SINK_PARTS_MAX = 4, HANDLE_MAX = 512, PROGRESS_MAX = 2048, REASON_MAX = 240 };

/* One rendered piece of a message: `template` + suffix + ".mustache" is its file. */
struct sink_part {
	const char *name;   /* "body", "subject" … */
	const char *suffix; /* ".slack.json", ".json", ".txt", ".html", ".subject.txt" */
	const char *plain;  /* Mustache of the built-in plain rendering; must never fail */
	bool optional;      /* its file may be missing: the part is then left out */
	bool header;        /* one line: CR, LF and control characters become spaces */
	size_t max_len;     /* bytes */
};

struct message_part {
	const char *text; /* NULL: left out */
	size_t len;
};

/* One send: n events for one sink (n > 1: a digest). All borrowed. */
struct message {
	const struct facts *alerts;
	size_t count;
	const char *sink;
	const char *delivery_id; /* stable over retries */
	bool possible_repeat;
	bool test;
	int64_t now;                /* of this attempt */
	const char *handle;         /* left by an earlier delivery of this episode; "" none */
	const char *progress;       /* left by an earlier attempt of this delivery; "" none */
	bool is_digest;             /* also of one alert, where more may follow (a storm's) */
	const char *why, *storm;    /* of a digest; NULL none */
	const struct json *rest;    /* what it counts and does not list; NULL none */
	const struct json *budgets; /* all of them, where the route wants them; NULL none */
	const char *url, *base_url; /* of a sink with a preset; NULL none */
	const char *bearer;         /* of this attempt, where flow has logged in; NULL none */
	/* Whom it is for, where the sink writes to people; NULL: those of the first alert. */
	const struct people *people;
	struct message_part parts[SINK_PARTS_MAX];
};

struct outcome {
	enum verdict verdict;
	bool sink_down;          /* the destination's fault, not this alert's */
	bool alarm;              /* the operator must act: login, revoked URL, certificate */
	bool maybe_sent;         /* it may have arrived all the same */
	int64_t retry_after_ms;  /* asked for by the destination; -1: nothing asked */
	int status;              /* for the attempt's record */
	char reason[REASON_MAX]; /* one line, without secrets: what happened */
	char hint[REASON_MAX];   /* the knob to turn; "" none */
	char handle[HANDLE_MAX]; /* DELIVERED: what a later event may refer to */
	char progress[PROGRESS_MAX]; /* AGAIN, LATER: what is done already */
};

struct sink_settings;

/* How a sink logs in by OAuth 2.0 client_credentials (RFC 6749 4.4). */
struct sink_oauth2 {
	char *token_url; /* NULL: it does not */
	char *client_id, *scope;
	struct conf_secret client_secret;
};

struct sink_type {
	const char *name; /* "slack" … */
	const char *help;
	const struct conf_key *keys; /* its own; the common ones are the core's */
	size_t own_size;      /* bytes of its own settings, zeroed, then filled by keys */
	const char *template; /* base name of the shipped templates */
	struct sink_part parts[SINK_PARTS_MAX];
	size_t part_count;
	bool collapse;     /* default of the key: it shows a state */
	bool takes_preset; /* knows the key `preset` */
	bool pairs;        /* pairs opens and closes: a `first` resolved is dropped */
	size_t batch_max;
	const char *rate; /* default of the key */

	/* Of its own settings; NULL where it does not log in so. The function may be NULL. */
	struct sink_oauth2 *(*oauth2)(void *own);
	/*
	 * Of one that writes to people: do alerts name any of them, and whom do these facts mean?
	 * Which names do they ask for? Pure; all may be NULL. release() frees what check() has added to its own settings.
	 */
	bool (*names_people)(const struct sink_settings *s);
	void (*people)(const struct sink_settings *s, const struct facts *facts,
		       struct people *out);
	void (*each_people_use)(const struct sink_settings *s, const struct tmpl_uses *uses);
	void (*release)(void *own);
	/*
	 * Says every mistake that the table of keys does not show. What could not be read is
	 * NULL, 0 or empty (and said already); s->is_whole tells that all could be. May be NULL.
	 */
	void (*check)(const struct sink_settings *s, struct conf_problems *problems);
	bool (*build)(const struct sink_settings *s, const struct message *m,
		      struct request *out, struct err *err);
	void (*judge)(const struct sink_settings *s, const struct message *m,
		      const struct reply *r, struct outcome *out);
};

/* The types that exist, ended by NULL (sinks/table.c). */
extern const struct sink_type *const sink_types[];

#endif
