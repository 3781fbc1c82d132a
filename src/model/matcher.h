/*
 * matcher: one `field op value`, compiled once, asked often.
 *
 * op is one of = != =~ !~ < <= > >=. Null and missing equal the empty string; < and its kin
 * compare severities by rank, times as times, numbers as numbers; =~ must match the whole field
 * (contract.md sections 1 and 9). In doubt an alert matches: an unknown severity ranks as high,
 * and a pattern that hits its limit of steps holds.
 */
#ifndef MODEL_MATCHER_H
#define MODEL_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/facts.h"

enum matcher_op { OP_EQ, OP_NE, OP_MATCH, OP_NO_MATCH, OP_LE, OP_LT, OP_GE, OP_GT };

/* One side of a comparison: its text, and what that means where it means something. */
struct operand {
	const char *text; /* len bytes */
	size_t len;
	bool is_number, is_whole, is_time, is_severity;
	double number;
	int64_t whole, time;
	enum alert_severity severity; /* high for what is none */
};

struct matcher;

struct matcher *matcher_new(const char *text, struct err *err)
	__attribute__((warn_unused_result));
void matcher_free(struct matcher **m);
bool matcher_matches(const struct matcher *m, const struct facts *facts);
/* For a warning: false, with err, when it may match but is more likely a typo. */
bool matcher_is_plausible(const struct matcher *m, struct err *err);
/* For a warning: false, with err, when its field has a value only once a route is chosen. */
bool matcher_is_early(const struct matcher *m, struct err *err);
/* Its pattern has hit the limit of steps at least once, and so held without being sure. */
bool matcher_was_cut(const struct matcher *m);

const char *matcher_text(const struct matcher *m);
const char *matcher_field(const struct matcher *m);
enum matcher_op matcher_op(const struct matcher *m);
const struct operand *matcher_operand(const struct matcher *m);
/* Its = or != is about the bytes alone, since the value means nothing but its text. */
bool matcher_is_of_bytes(const struct matcher *m);
/*
 * For who has too many to ask each: true of one that holds, where its field is a text or missing,
 * for this value alone, byte by byte. Fills field and value of any.
 */
bool matcher_is_word(const struct matcher *m, const char **field, const char **value);
/* Both ask the same of the same field, however they are written. */
bool matcher_is_same(const struct matcher *a, const struct matcher *b);

/* ---- many matchers, one alert: each field is looked up and understood once ---- */

struct sight {
	struct value value;
	struct operand operand; /* its text is "" where the field is missing */
	bool is_understood;     /* the rest of operand is filled; by the first that needs it */
};

/* Looks a field up. Borrowed from facts; a sight is not to be copied. */
void matcher_see(const char *field, const struct facts *facts, struct sight *out);
/* The same for a text or a number of no alert. */
void matcher_see_text(enum value_kind kind, const char *text, size_t len, struct sight *out);
/* Does it hold for what was seen of its field? */
bool matcher_holds(const struct matcher *m, struct sight *s);

#endif
