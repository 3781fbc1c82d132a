/*
 * silences: a list by id, and three ways not to ask each of it.
 *
 *   terms   each matcher once, however many silences have it, and asked once an alert
 *   keys    a silence with words (`user_id = u1`) is filed under the rarest of them, and found by
 *           what the alert's field holds; one whose field is no text there is asked itself
 *   rest    all others, those that end last first: the first that matches is the answer
 *
 * What is loaded stays loaded: a matcher that was compiled is never compiled again while a
 * silence has it, so that one silence more costs the loop no more than reading the table.
 * A clock that is set back may bring one back that was over when the table was taken, so then it
 * is taken anew, too.
 */
#include "flow/silences.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/json.h"
#include "model/route.h"

enum { BUCKETS = 4096 };

/* A matcher, by its text. */
struct term {
	struct matcher *matcher; /* owned */
	struct term *next;       /* of the same bucket */
	size_t uses;             /* silences that have it */
	uint64_t asked;          /* the round of the last answer … */
	bool holds;              /* … and the answer */
};

struct muted {
	int64_t id, since, until;
	struct term **terms; /* the list is owned */
	size_t term_count;
	bool is_broken; /* it holds nothing */
	bool is_kept;   /* of the one before, while the table is taken anew */
};

struct key {
	const char *field, *value; /* of a term */
	struct muted *muted;
};

/* Keys of one field lie together. */
struct shelf {
	const char *field;
	const struct key *keys;
	size_t count;
};

struct silences {
	struct silences_stamp stamp;
	int64_t looked_at;
	bool is_loaded;
	struct muted **list; /* ascending by id; owned, as is each */
	size_t count;
	struct key *keys;
	struct shelf *shelves;
	size_t shelf_count;
	struct muted **rest;
	size_t rest_count;
	struct term **buckets; /* owned */
	uint64_t *round;       /* of questions; owned */
};

/* ---- terms ---- */

static struct term **bucket_of(struct silences *s, const char *text)
{
	return &s->buckets[(uint64_t)alert_hash(text, strlen(text)) % BUCKETS];
}

/* NULL and err when it does not compile. */
static struct term *take_term(struct silences *s, const char *text, struct err *err)
{
	struct term **bucket = bucket_of(s, text), *t = *bucket;

	while (t != NULL && strcmp(matcher_text(t->matcher), text) != 0)
		t = t->next;
	if (t == NULL) {
		struct matcher *m = matcher_new(text, err);

		if (m == NULL)
			return NULL;
		t = mem_new(sizeof(*t));
		*t = (struct term){ .matcher = m, .next = *bucket };
		*bucket = t;
	}
	t->uses++;
	return t;
}

static void leave_term(struct silences *s, struct term *t)
{
	struct term **at = bucket_of(s, matcher_text(t->matcher));

	if (--t->uses > 0)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	matcher_free(&t->matcher);
	mem_free(&t);
}

/* ---- one silence ---- */

static void free_muted(struct silences *s, struct muted **muted)
{
	struct muted *m = *muted;

	for (size_t i = 0; i < m->term_count; i++)
		leave_term(s, m->terms[i]);
	mem_free(&m->terms);
	mem_free(muted);
}

static bool take_matchers(struct silences *s, struct muted *m, const char *matchers,
			  struct err *err)
{
	struct json *doc = json_parse(matchers, strlen(matchers), err);
	const struct json_value *list = json_root(doc);
	bool ok = doc != NULL &&
		  (json_kind(list) == JSON_ARRAY || err_set(err, "its matchers are no list"));

	m->terms = mem_array(json_count(list), sizeof(struct term *));
	for (const struct json_value *v = json_first(list); ok && v != NULL; v = json_next(v)) {
		const char *text = json_kind(v) == JSON_STRING ? json_text(v, NULL) : "";
		struct term *t = take_term(s, text, err);

		ok = t != NULL;
		if (ok)
			m->terms[m->term_count++] = t;
	}
	json_free(&doc);
	return ok;
}

static struct muted *make_muted(struct silences *s, int64_t id, const char *matchers)
{
	struct muted *m = mem_new(sizeof(*m));
	struct err err;

	m->id = id;
	m->is_broken = !take_matchers(s, m, matchers, &err);
	if (m->is_broken)
		log_line(LOG_ERROR, LOG_SILENCE_FAILED, LOG_N("silence", id),
			 LOG_S("reason", err.text),
			 LOG_S("hint", "it holds nothing: end it and add it anew with `tocsin "
				       "silence`"));
	return m;
}

/* ---- filing ---- */

/* The word that the fewest silences have; NULL: it has none. */
static const struct term *rarest_word(const struct muted *m)
{
	const struct term *best = NULL;
	const char *field, *value;

	for (size_t i = 0; i < m->term_count; i++)
		if (matcher_is_word(m->terms[i]->matcher, &field, &value) &&
		    (best == NULL || m->terms[i]->uses < best->uses))
			best = m->terms[i];
	return best;
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int by_field = strcmp(x->field, y->field);

	return by_field != 0 ? by_field : strcmp(x->value, y->value);
}

static int compare_ends(const void *a, const void *b)
{
	const struct muted *x = *(struct muted *const *)a, *y = *(struct muted *const *)b;

	if (x->until != y->until)
		return x->until > y->until ? -1 : 1;
	return x->id < y->id ? -1 : 1;
}

static void make_shelves(struct silences *s, size_t key_count)
{
	s->shelf_count = 0;
	for (size_t i = 0; i < key_count; i++) {
		struct shelf *last =
			s->shelf_count > 0 ? &s->shelves[s->shelf_count - 1] : NULL;

		if (last == NULL || strcmp(last->field, s->keys[i].field) != 0) {
			last = &s->shelves[s->shelf_count++];
			*last = (struct shelf){ s->keys[i].field, &s->keys[i], 0 };
		}
		last->count++;
	}
}

static void file_all(struct silences *s)
{
	size_t key_count = 0;

	mem_free(&s->keys);
	mem_free(&s->shelves);
	mem_free(&s->rest);
	s->keys = mem_array(s->count, sizeof(*s->keys));
	s->shelves = mem_array(s->count, sizeof(*s->shelves));
	s->rest = mem_array(s->count, sizeof(struct muted *));
	s->rest_count = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct muted *m = s->list[i];
		const struct term *word = rarest_word(m);
		struct key *k = &s->keys[key_count];

		if (m->is_broken)
			continue;
		k->muted = m;
		if (word != NULL && matcher_is_word(word->matcher, &k->field, &k->value))
			key_count++;
		else
			s->rest[s->rest_count++] = m;
	}
	qsort(s->keys, key_count, sizeof(*s->keys), compare_keys);
	qsort(s->rest, s->rest_count, sizeof(struct muted *), compare_ends);
	make_shelves(s, key_count);
}

/* ---- taking the table ---- */

/* A row of it; matchers are owned, and NULL where the silence is known already. */
struct row {
	int64_t id, since, until;
	char *matchers;
	struct muted *known;
};

struct taking {
	struct silences *s;
	size_t next; /* of its list */
	struct row *rows;
	size_t count, room;
};

static struct muted *find_known(struct taking *t, int64_t id)
{
	const struct silences *s = t->s;

	while (t->next < s->count && s->list[t->next]->id < id)
		t->next++;
	return t->next < s->count && s->list[t->next]->id == id ? s->list[t->next] : NULL;
}

static void take_row(void *arg, const struct silence *silence)
{
	struct taking *t = arg;
	struct muted *known = find_known(t, silence->id);

	if (t->count == t->room) {
		t->room = t->room * 2 + 64;
		t->rows = mem_resize(t->rows, t->room, sizeof(*t->rows));
	}
	t->rows[t->count++] =
		(struct row){ .id = silence->id,
			      .since = silence->since,
			      .until = silence->until,
			      .matchers = known == NULL ? mem_strdup(silence->matchers) : NULL,
			      .known = known };
}

static void release(struct taking *t)
{
	for (size_t i = 0; i < t->count; i++)
		mem_free(&t->rows[i].matchers);
	mem_free(&t->rows);
}

static void take_all(struct silences *s, const struct taking *t)
{
	struct muted **list = mem_array(t->count, sizeof(struct muted *));

	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];

		list[i] =
			row->known != NULL ? row->known : make_muted(s, row->id, row->matchers);
		list[i]->since = row->since;
		list[i]->until = row->until;
		list[i]->is_kept = true;
	}
	for (size_t i = 0; i < s->count; i++)
		if (!s->list[i]->is_kept)
			free_muted(s, &s->list[i]);
	mem_free(&s->list);
	s->list = list;
	s->count = t->count;
	for (size_t i = 0; i < s->count; i++)
		s->list[i]->is_kept = false;
	file_all(s);
}

static bool is_same(const struct silences *s, const struct silences_stamp *stamp, int64_t now)
{
	return s->is_loaded && stamp->last_id == s->stamp.last_id &&
	       stamp->until_sum == s->stamp.until_sum && now >= s->looked_at;
}

bool silences_look(struct silences *s, struct store *store, int64_t now, bool *changed,
		   struct err *err)
{
	struct taking t = { .s = s };
	struct silences_stamp stamp;

	*changed = false;
	if (!store_silences_stamp(store, &stamp, err))
		return false;
	if (is_same(s, &stamp, now)) {
		s->looked_at = now;
		return true;
	}
	/* What changes from here on has a stamp of its own. */
	bool ok = store_silences_each(store, now, take_row, &t, err);

	if (ok) {
		size_t before = s->count;

		take_all(s, &t);
		if (s->count > 0 || before > 0)
			log_line(LOG_INFO, LOG_SILENCES, LOG_N("in_force", s->count));
		s->stamp = stamp;
		s->looked_at = now;
		*changed = s->is_loaded = true;
	}
	release(&t);
	return ok;
}

size_t silences_count(const struct silences *s)
{
	return s->count;
}

/* ---- asking ---- */

struct question {
	const struct facts *facts;
	int64_t now;
	uint64_t round;
	const struct muted *best; /* NULL: none so far */
};

static bool holds(const struct question *q, struct term *t)
{
	if (t->asked != q->round) {
		t->holds = matcher_matches(t->matcher, q->facts);
		t->asked = q->round;
	}
	return t->holds;
}

static bool is_better(const struct muted *m, const struct muted *best)
{
	return best == NULL || m->until > best->until ||
	       (m->until == best->until && m->id < best->id);
}

static void ask(struct question *q, const struct muted *m)
{
	if (m->since > q->now || m->until <= q->now || !is_better(m, q->best))
		return;
	for (size_t i = 0; i < m->term_count; i++)
		if (!holds(q, m->terms[i]))
			return;
	q->best = m;
}

/* A key's value against a text that may hold anything. */
static int compare_word(const char *value, const struct value *v)
{
	size_t len = strlen(value);
	int order = memcmp(value, v->text, len < v->len ? len : v->len);

	return order != 0 ? order : len < v->len ? -1 : len > v->len;
}

/* The first of its keys that is not less than the word. */
static size_t find_word(const struct shelf *shelf, const struct value *v)
{
	size_t from = 0, to = shelf->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare_word(shelf->keys[middle].value, v) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* What the alert has there may be no text: then any word may equal it, as 5.0 does 5. */
static void ask_shelf(struct question *q, const struct shelf *shelf)
{
	struct value root, v;

	value_of_facts(q->facts, &root);
	(void)value_path(&root, shelf->field, strlen(shelf->field), &v);
	bool is_word = v.kind == VALUE_TEXT || v.kind == VALUE_MISSING;

	for (size_t i = is_word ? find_word(shelf, &v) : 0; i < shelf->count; i++) {
		if (is_word && compare_word(shelf->keys[i].value, &v) != 0)
			return;
		ask(q, shelf->keys[i].muted);
	}
}

static void ask_rest(struct question *q, const struct silences *s)
{
	for (size_t i = 0; i < s->rest_count && is_better(s->rest[i], q->best); i++)
		ask(q, s->rest[i]);
}

int64_t silences_until(const struct silences *s, const struct facts *facts, int64_t now,
		       int64_t *id)
{
	struct question q = { .facts = facts, .now = now };

	*id = 0;
	if (s->count == 0)
		return 0;
	q.round = ++*s->round;
	for (size_t i = 0; i < s->shelf_count; i++)
		ask_shelf(&q, &s->shelves[i]);
	ask_rest(&q, s);
	if (q.best == NULL)
		return 0;
	*id = q.best->id;
	return q.best->until;
}

/* ---- life ---- */

struct silences *silences_new(void)
{
	struct silences *s = mem_new(sizeof(*s));

	s->buckets = mem_array(BUCKETS, sizeof(struct term *));
	s->round = mem_new(sizeof(*s->round));
	return s;
}

void silences_free(struct silences **silences)
{
	struct silences *s = *silences;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free_muted(s, &s->list[i]);
	mem_free(&s->list);
	mem_free(&s->keys);
	mem_free(&s->shelves);
	mem_free(&s->rest);
	mem_free(&s->buckets);
	mem_free(&s->round);
	mem_free(silences);
}
