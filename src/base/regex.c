/*
 * regex: PCRE2, bounded.
 *
 * A pattern is the operator's, the subject is the API's: a pattern that backtracks without end
 * meets its subject in production only. So a match stops after MATCH_STEPS, and the answer
 * "perhaps" is given as a match, because to notify once too often is the smaller harm.
 *
 * PCRE2's compiled code runs on a small stack of its own. When that is full the plain
 * interpreter, which has the heap, decides under the same limit; only it makes a "perhaps".
 */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

enum {
	PATTERN_MAX = 4096,   /* longer than anybody can read */
	MATCH_STEPS = 100000, /* far less than a millisecond */
	HEAP_KIB = 1024,      /* for the interpreter, which keeps what it once took */
	/* "." takes in line breaks: a match is of the whole subject, and messages have lines. */
	OPTIONS = PCRE2_UTF | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C,
};

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *found; /* scratch; nobody reads what was captured */
	bool was_cut;
};

static bool set_compile_error(int code, size_t offset, struct err *err)
{
	PCRE2_UCHAR text[200];

	pcre2_get_error_message(code, text, sizeof(text));
	return err_set(err, "%s at offset %zu", (const char *)text, offset);
}

static pcre2_code *compile(const char *pattern, struct err *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	int code = 0;
	PCRE2_SIZE offset = 0;

	if (context == NULL)
		BUG("PCRE2 is out of memory");
	pcre2_set_max_pattern_length(context, PATTERN_MAX);
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
					     OPTIONS | PCRE2_ANCHORED | PCRE2_ENDANCHORED,
					     &code, &offset, context);

	pcre2_compile_context_free(context);
	if (compiled == NULL)
		set_compile_error(code, offset, err);
	return compiled;
}

struct regex *regex_new(const char *pattern, struct err *err)
{
	pcre2_code *code = compile(pattern, err);

	if (code == NULL)
		return NULL;
	struct regex *re = mem_new(sizeof(*re));

	re->code = code;
	re->limits = pcre2_match_context_create(NULL);
	re->found = pcre2_match_data_create(1, NULL);
	if (re->limits == NULL || re->found == NULL)
		BUG("PCRE2 is out of memory");
	pcre2_set_match_limit(re->limits, MATCH_STEPS);
	pcre2_set_heap_limit(re->limits, HEAP_KIB);
	pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE); /* where it cannot: the interpreter */
	return re;
}

void regex_free(struct regex **re)
{
	if (*re == NULL)
		return;
	pcre2_match_data_free((*re)->found);
	pcre2_match_context_free((*re)->limits);
	pcre2_code_free((*re)->code);
	mem_free(re);
}

static int match(const struct regex *re, const char *subject, size_t len, uint32_t options)
{
	return pcre2_match(re->code, (PCRE2_SPTR)subject, len, 0, options, re->found,
			   re->limits);
}

bool regex_matches(struct regex *re, const char *subject, size_t len, bool *hit_limit)
{
	int code = match(re, subject, len, 0);

	if (code == PCRE2_ERROR_JIT_STACKLIMIT)
		code = match(re, subject, len, PCRE2_NO_JIT);
	bool is_answer = code >= 0 || code == PCRE2_ERROR_NOMATCH;
	bool is_bad_utf8 = code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21;
	bool is_perhaps = !is_answer && !is_bad_utf8;

	re->was_cut |= is_perhaps;
	if (hit_limit != NULL)
		*hit_limit = is_perhaps;
	return code >= 0 || is_perhaps;
}

bool regex_was_cut(const struct regex *re)
{
	return re->was_cut;
}
