/*
 * preset: a vendor's API as data: what is sent for which event, and what its answers mean.
 *
 * A preset is one file, NAME.preset, that an operator can copy and change. Its head is a
 * libconfig text; each part after a line `=== NAME.SUFFIX` is one HTTP request as Mustache
 * (model/tmpl): "METHOD URL", headers, an empty line, the body, whose escaping SUFFIX chooses.
 * Values in the URL are percent-encoded, in a header they stay one line, and a header whose
 * value comes out empty is left out. A part that no request of the head names is a partial.
 *
 *   title      what it is called in lists
 *   base_url   in front of its paths; without one the sink's `url` is the whole address
 *   own_host   true: base_url is but an example, and the sink must name its own
 *   vars       ( { name; help; required; secret; fallback; } ), read as {{vars.NAME}}
 *   maps       ( { name; of; values = { … }; other; } ): {{map.NAME}} of the alert's field `of`
 *   requests   ( { name; events; handle; repeat; step; keep; } ): the first that fits is sent
 *   answers    ( { requests; status; json; is | is_not | has; verdict; … } ): the first that fits
 *              rules, and what none of them fits is ruled as any webhook's answer
 *   batch_max collapse pairs rate limits retry_after username password sigv4
 *
 * Pure: bytes come in. A struct preset owns everything in it.
 */
#ifndef MODEL_PRESET_H
#define MODEL_PRESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/num.h"
#include "model/conf.h"
#include "model/event.h"
#include "model/tmpl.h"

struct message;
struct facts;

enum { PRESET_EVENT_DIGEST = EVENT_KIND_COUNT }; /* its bit in a request's events */

struct preset_var {
	char *name, *help, *fallback; /* fallback NULL: none */
	bool required, is_secret;
};

struct preset_map {
	char *name, *of, *other; /* other NULL: missing */
	struct conf_pairs values;
};

/* Whether a request wants a handle, a possible repeat. */
enum preset_need { PRESET_EITHER, PRESET_WITH, PRESET_WITHOUT };

struct preset_header {
	char *name;
	struct tmpl *value;
};

struct preset_request {
	char *name;
	struct conf_texts event_names;
	unsigned events; /* bits of enum event_kind and PRESET_EVENT_DIGEST */
	enum preset_need handle, repeat;
	char *step; /* NULL: the first step of a delivery */
	char *keep; /* where the handle stands in the JSON of its answer; NULL: none */

	char *method;
	struct tmpl *url;
	struct preset_header *headers;
	size_t header_count;
	struct tmpl *body; /* NULL: none */
	char *file;        /* NAME.SUFFIX */
};

/* Whose fault an answer is, where it is not a success. */
enum preset_fault { PRESET_FAULT_MESSAGE, PRESET_FAULT_DESTINATION, PRESET_FAULT_OPERATOR };

struct preset_answer {
	struct conf_texts requests; /* none: all */
	char *status;               /* "202", "200-299"; NULL: any */
	int from, to;
	char *json;              /* a path into the answer; NULL: the whole text */
	char *is, *is_not, *has; /* what must be there; NULL: not asked */
	enum verdict verdict;
	enum preset_fault fault;
	char *reason, *key, *advice;
	char *step; /* AGAIN: the request that is next */
	char *keep; /* AGAIN: where what it needs stands, {{kept}} */
};

struct preset {
	char *name, *path;
	char *bytes; /* the file as it is */
	size_t len;
	char *title, *base_url;
	struct preset_var *vars;
	size_t var_count;
	struct preset_map *maps;
	size_t map_count;
	struct preset_request *requests;
	size_t request_count;
	struct preset_answer *answers;
	size_t answer_count;
	int64_t batch_max, body_max;
	bool collapse, pairs, own_host;
	char *rate;
	struct conf_pairs limits;  /* for people: what the vendor takes */
	char *retry_after;         /* where the wait stands in an answer, in seconds; NULL */
	char *username, *password; /* names of vars: HTTP basic, or the keys of sigv4 */
	char *sigv4_text;
	struct tmpl *sigv4; /* "aws:amz:REGION:SERVICE"; NULL: not signed */
};

/* NULL when there is any mistake; all of them are in problems, with the file's lines. */
struct preset *preset_read(const char *name, const char *path, const char *bytes, size_t len,
			   struct conf_problems *problems) __attribute__((warn_unused_result));
void preset_free(struct preset **p);

/* The events that it sends anything for: bits as of a request. */
unsigned preset_events(const struct preset *p);
const char *preset_event_name(int event);

/* What is to be sent next for this message; NULL: nothing fits. */
const struct preset_request *preset_choose(const struct preset *p, const struct message *m);

/* Is the sink's var of this name a secret? One that the preset does not know may be one. */
bool preset_is_secret(const struct preset *p, const char *name);

/* {{map.NAME}} of one alert: its text, or NULL. */
const char *preset_map(const struct preset *p, const struct facts *f, const char *name,
		       size_t len);

/*
 * A delivery of several steps: progress is the name of the next one, a tab, and what the answer
 * gave. "" is the first step.
 */
void preset_write_progress(char *progress, size_t size, const char *step, const char *kept);
bool preset_is_at_step(const char *progress, const char *step);
const char *preset_kept(const char *progress);

#endif
