/*
 * matcher: one `field op value`, compiled once, asked often.
 *
 * What a comparison compares is decided by the two sides, in this order: severities by rank
 * (the field `severity`, or two words that are severities), numbers, times, text. A date is a
 * time: its midnight in UTC. Equal texts are equal whatever they mean. In doubt an alert matches rather than not: an unknown severity
 * ranks as high, and a pattern that hits its limit holds. Only a value that no field can be
 * less than is refused, because its matcher could never hold.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/regex.h"
#include "model/matcher.h"

/* Longer ones first: the first that fits is taken. */
static const struct {
	const char *text;
	enum matcher_op op;
} ops[] = {
	{ "!=", OP_NE }, { "=~", OP_MATCH }, { "!~", OP_NO_MATCH }, { "<=", OP_LE },
	{ ">=", OP_GE }, { "=", OP_EQ },     { "<", OP_LT },        { ">", OP_GT },
};

struct matcher {
	char *text, *field, *value;
	enum matcher_op op;
	bool by_severity; /* the field is `severity`: any word has a rank */
	struct operand right;
	struct regex *regex; /* of =~ and !~ */
};

/* ---- meaning ---- */

/* Past 2^53 a double rounds, and ids and token counts may be that long. */
static void read_number(struct operand *o)
{
	char digits[24];

	o->is_number = num_parse_decimal(o->text, o->len, &o->number);
	if (!o->is_number || o->len >= sizeof(digits))
		return;
	memcpy(digits, o->text, o->len);
	digits[o->len] = '\0';
	o->is_whole = num_parse_int(digits, &o->whole, NULL);
}

static void read_severity(struct operand *o)
{
	char word[16] = ""; /* the empty word is an unknown severity, as a long one is */

	if (o->len < sizeof(word)) {
		memcpy(word, o->text, o->len);
		word[o->len] = '\0';
	}
	o->severity = alert_severity_rank(word, &o->is_severity);
}

/* A day alone (2026-11-24) is its midnight. */
static void read_time(struct operand *o)
{
	char midnight[] = "yyyy-mm-ddT00:00:00Z";

	o->is_time = clock_parse_iso(o->text, o->len, &o->time);
	if (o->is_time || o->len != sizeof("yyyy-mm-dd") - 1)
		return;
	memcpy(midnight, o->text, o->len);
	o->is_time = clock_parse_iso(midnight, sizeof(midnight) - 1, &o->time);
}

static void understand(struct operand *o)
{
	read_number(o);
	read_severity(o);
	read_time(o);
}

/* ---- parsing ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_spaces(const char *s)
{
	while (is_space(*s))
		s++;
	return s;
}

/* Fields unknown to us have any name, so only what would be misread is refused. */
static bool take_field(struct matcher *m, const char **s, struct err *err)
{
	const char *start = skip_spaces(*s);
	size_t len = strcspn(start, " \t\r\n=!<>~\"'");

	if (len == 0)
		return err_set(err, "begins without a field: write \"severity >= high\"");
	m->field = mem_dup(start, len);
	if (m->field[0] == '.' || m->field[len - 1] == '.' || strstr(m->field, "..") != NULL)
		return err_set(err, "\"%s\" is no field: a dot stands between two names",
			       m->field);
	m->by_severity = strcmp(m->field, "severity") == 0;
	*s = skip_spaces(start + len);
	return true;
}

static bool take_op(struct matcher *m, const char **s, struct err *err)
{
	if (strncmp(*s, "==", 2) == 0)
		return err_set(err, "there is no ==: write =");
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (strncmp(*s, ops[i].text, strlen(ops[i].text)) == 0) {
			m->op = ops[i].op;
			*s = skip_spaces(*s + strlen(ops[i].text));
			return true;
		}
	}
	return err_set(err, "needs one of = != =~ !~ < <= > >= after \"%s\"", m->field);
}

static bool take_value(struct matcher *m, const char *s, struct err *err)
{
	size_t len = strlen(s);

	while (len > 0 && is_space(s[len - 1]))
		len--;
	if (len == 0)
		return err_set(err, "has no value: write '' for \"empty or missing\"");
	if (s[0] != '"' && s[0] != '\'') {
		m->value = mem_dup(s, len);
		return true;
	}
	const char *close = memchr(s + 1, s[0], len - 1);

	if (close == NULL)
		return err_set(err, "has a quote %c that is not closed", s[0]);
	if (close != s + len - 1)
		return err_set(err, "goes on after the closing quote %c: quote the whole value",
			       s[0]);
	m->value = mem_dup(s + 1, len - 2);
	return true;
}

static bool is_ordering(enum matcher_op op)
{
	return op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE;
}

static bool check_order(const struct matcher *m, struct err *err)
{
	if (!is_ordering(m->op) || m->right.is_severity)
		return true;
	if (m->by_severity)
		return err_set(err, "severity is compared with low, medium, high or critical");
	if (m->right.is_number || m->right.is_time)
		return true;
	return err_set(err, "can never hold: < <= > >= compare numbers, times and severities");
}

static bool compile(struct matcher *m, struct err *err)
{
	const char *s = m->text;

	if (!take_field(m, &s, err) || !take_op(m, &s, err) || !take_value(m, s, err))
		return false;
	m->right = (struct operand){ .text = m->value, .len = strlen(m->value) };
	understand(&m->right);
	if (m->op != OP_MATCH && m->op != OP_NO_MATCH)
		return check_order(m, err);
	m->regex = regex_new(m->value, err);
	return m->regex != NULL;
}

struct matcher *matcher_new(const char *text, struct err *err)
{
	struct matcher *m = mem_new(sizeof(*m));

	m->text = mem_strdup(text);
	if (!compile(m, err)) {
		err_prefix(err, "matcher \"%s\"", text);
		matcher_free(&m);
	}
	return m;
}

void matcher_free(struct matcher **m)
{
	if (*m == NULL)
		return;
	mem_free(&(*m)->text);
	mem_free(&(*m)->field);
	mem_free(&(*m)->value);
	regex_free(&(*m)->regex);
	mem_free(m);
}

const char *matcher_text(const struct matcher *m)
{
	return m->text;
}

const char *matcher_field(const struct matcher *m)
{
	return m->field;
}

enum matcher_op matcher_op(const struct matcher *m)
{
	return m->op;
}

const struct operand *matcher_operand(const struct matcher *m)
{
	return &m->right;
}

bool matcher_is_same(const struct matcher *a, const struct matcher *b)
{
	return a->op == b->op && strcmp(a->value, b->value) == 0 &&
	       strcmp(a->field, b->field) == 0;
}

/* ---- asking ---- */

enum order { ORDER_LESS, ORDER_EQUAL, ORDER_MORE, ORDER_NONE };

static enum order order_int(int64_t a, int64_t b)
{
	return a < b ? ORDER_LESS : a > b ? ORDER_MORE : ORDER_EQUAL;
}

static enum order order_real(double a, double b)
{
	return a < b ? ORDER_LESS : a > b ? ORDER_MORE : ORDER_EQUAL;
}

/* How what was seen stands to the value. */
static enum order order_of(const struct matcher *m, struct sight *s)
{
	const struct operand *right = &m->right, *left = &s->operand;

	if (!s->is_understood)
		understand(&s->operand);
	s->is_understood = true;
	if (right->is_severity && (m->by_severity || left->is_severity))
		return order_int((int)left->severity, (int)right->severity);
	if (right->is_number && left->is_number)
		return right->is_whole && left->is_whole
			       ? order_int(left->whole, right->whole)
			       : order_real(left->number, right->number);
	if (right->is_time && left->is_time)
		return order_int(left->time, right->time);
	return ORDER_NONE;
}

bool matcher_is_of_bytes(const struct matcher *m)
{
	const struct operand *right = &m->right;

	return (m->op == OP_EQ || m->op == OP_NE) && !right->is_number && !right->is_time &&
	       !(m->by_severity && right->is_severity);
}

/* A string of digits is no number here: the ids "1e3" and "1000" are two. */
static bool is_equal(const struct matcher *m, struct sight *s)
{
	const struct operand *left = &s->operand;

	if (left->len == m->right.len && memcmp(left->text, m->right.text, left->len) == 0)
		return true;
	if (matcher_is_of_bytes(m) || (s->value.kind == VALUE_TEXT && m->right.is_number))
		return false;
	return order_of(m, s) == ORDER_EQUAL;
}

/* Objects and lists are compared as the JSON they came as. */
static struct json_span field_text(const struct value *v)
{
	switch (v->kind) {
	case VALUE_TEXT:
	case VALUE_NUMBER:
	case VALUE_BOOL:
	case VALUE_RAW: return (struct json_span){ v->text, v->len };
	case VALUE_JSON: return json_bytes(v->doc, v->json);
	case VALUE_MISSING:
	case VALUE_FACTS:
	case VALUE_LIST:
	case VALUE_MESSAGE:
	case VALUE_VARS:
	case VALUE_MAPS: break;
	}
	return (struct json_span){ "", 0 };
}

static void see(struct sight *s, struct json_span text)
{
	s->operand.text = text.at;
	s->operand.len = text.len;
	s->is_understood = false;
}

void matcher_see(const char *field, const struct facts *facts, struct sight *out)
{
	struct value root;

	value_of_facts(facts, &root);
	if (!value_path(&root, field, strlen(field), &out->value))
		out->value.kind = VALUE_MISSING;
	see(out, field_text(&out->value));
}

void matcher_see_text(enum value_kind kind, const char *text, size_t len, struct sight *out)
{
	out->value.kind = kind;
	see(out, (struct json_span){ text, len });
}

/* A pattern that hits its limit holds either way: `!~` too must not lose an alert for it. */
static bool pattern_holds(const struct matcher *m, const struct sight *s)
{
	bool is_perhaps;
	bool is_match = regex_matches(m->regex, s->operand.text, s->operand.len, &is_perhaps);

	return is_perhaps || is_match == (m->op == OP_MATCH);
}

bool matcher_holds(const struct matcher *m, struct sight *s)
{
	enum order order = is_ordering(m->op) ? order_of(m, s) : ORDER_NONE;

	switch (m->op) {
	case OP_EQ: return is_equal(m, s);
	case OP_NE: return !is_equal(m, s);
	case OP_MATCH:
	case OP_NO_MATCH: return pattern_holds(m, s);
	case OP_LT: return order == ORDER_LESS;
	case OP_LE: return order == ORDER_LESS || order == ORDER_EQUAL;
	case OP_GT: return order == ORDER_MORE;
	case OP_GE: return order == ORDER_MORE || order == ORDER_EQUAL;
	}
	BUG("op %d", (int)m->op);
}

bool matcher_matches(const struct matcher *m, const struct facts *facts)
{
	struct sight s;

	matcher_see(m->field, facts, &s);
	return matcher_holds(m, &s);
}

/* A number is a word too: no text of other digits equals it. */
bool matcher_is_word(const struct matcher *m, const char **field, const char **value)
{
	*field = m->field;
	*value = m->value;
	return m->op == OP_EQ && !m->right.is_severity && !m->right.is_time;
}

/* ---- doubts ---- */

bool matcher_was_cut(const struct matcher *m)
{
	return m->regex != NULL && regex_was_cut(m->regex);
}

/* Of the names of facts, those that a delivery brings or a message. */
static const char *const later_names[] = {
	"route", "sink",  "delivery_id", "link",   "count",  "alerts",
	"why",   "storm", "budgets",     "rest",   "repeat", "vars",
	"map",   "url",   "base_url",    "handle", "kept",
};

bool matcher_is_plausible(const struct matcher *m, struct err *err)
{
	char name[64];
	size_t len = strcspn(m->field, ".");

	if (m->by_severity && m->regex == NULL && !m->right.is_severity && m->right.len > 0)
		return err_set(err, "\"%s\" is no severity known here", m->value);
	if (len >= sizeof(name) || facts_know(m->field))
		return true;
	memcpy(name, m->field, len);
	name[len] = '\0';
	const char *near = num_nearest(name, facts_names());

	return near == NULL || err_set(err,
				       "no field \"%s\" is known, so it is looked for in the "
				       "alert itself; did you mean \"%s\"?",
				       name, near);
}

bool matcher_is_early(const struct matcher *m, struct err *err)
{
	size_t len = strcspn(m->field, ".");

	for (size_t i = 0; i < ARRAY_LEN(later_names); i++)
		if (strlen(later_names[i]) == len &&
		    strncmp(later_names[i], m->field, len) == 0)
			return err_set(err,
				       "%s is not known yet where routes are chosen: "
				       "it is empty for every alert",
				       later_names[i]);
	return true;
}
