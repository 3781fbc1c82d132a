/*
 * faults: misbehaviour that was asked for, by path and query, from the n-th request on, a number
 * of times or for a while.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/httpd.h"

enum fault_kind {
	FAULT_STATUS,   /* an error of that status, in the API's schema */
	FAULT_RESET,    /* the connection is reset */
	FAULT_HANG,     /* no answer */
	FAULT_TRUNCATE, /* half of the answer */
	FAULT_DRIP,     /* the answer, a byte at a time */
	FAULT_HTML,     /* a proxy's page of that status */
	FAULT_BADJSON,  /* the answer, cut so that it is no JSON */
};
enum { FAULT_KINDS = FAULT_BADJSON + 1 };

/* The words of the control API. */
const char *fault_word(enum fault_kind kind);
bool fault_parse(const char *word, enum fault_kind *kind);

enum { FAULTS_MAX = 64, FAULT_PATH_MAX = 256, FAULT_TEXT_MAX = 256 };

struct fault {
	enum fault_kind kind;
	char path[FAULT_PATH_MAX];  /* a prefix */
	char name[FAULT_TEXT_MAX];  /* of a query parameter; "": any query */
	char value[FAULT_TEXT_MAX]; /* of that parameter; "": only where it is not asked with */
	int status;
	char retry_after[FAULT_TEXT_MAX]; /* "": no such header */
	int64_t after;                    /* requests that are let through first */
	int64_t count;                    /* requests left; -1: any number */
	int64_t until_at;                 /* INT64_MAX: no end */
};

struct faults {
	struct fault list[FAULTS_MAX];
	size_t count;
};

/* False when there are FAULTS_MAX. */
bool faults_add(struct faults *faults, const struct fault *fault)
	__attribute__((warn_unused_result));

/*
 * The first that applies to a request at now, which uses up one of its count. A fault that lets
 * the request through leaves it to those behind it.
 */
bool faults_take(struct faults *faults, const struct httpd_request *request, int64_t now,
		 struct fault *fault);

#endif
