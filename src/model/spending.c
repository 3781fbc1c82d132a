/* spending: see the header. */
#include "model/spending.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

enum { NANOS_A_DOLLAR = 1000000000 };

static void add_to(int64_t *sum, int64_t more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = more > 0 ? INT64_MAX : INT64_MIN;
}

static void add_int(int64_t *sum, const struct json_value *item, const char *key)
{
	int64_t value;

	if (json_int(json_get(item, key), &value))
		add_to(sum, value);
}

void spent_add(struct spent *to, const struct json_value *item)
{
	size_t len;
	const char *cost = json_text(json_get(item, "estimated_cost_usd"), &len);
	int64_t nanos;

	add_int(&to->requests, item, "total_requests");
	add_int(&to->input_tokens, item, "total_input_tokens");
	add_int(&to->output_tokens, item, "total_output_tokens");
	if (cost != NULL && num_parse_fixed(cost, len, SPENDING_NANOS, &nanos))
		add_to(&to->nanos, nanos);
}

/* A string member; NULL for anything else. */
static const char *word_of(const struct json_value *item, const char *key)
{
	const struct json_value *v = json_get(item, key);

	return json_kind(v) == JSON_STRING ? json_text(v, NULL) : NULL;
}

static struct spending_model *model_of(struct spending *s, const struct json_value *item)
{
	const char *name = word_of(item, "model");

	for (size_t i = 0; name != NULL && i < s->count; i++)
		if (strcmp(s->models[i].model, name) == 0)
			return &s->models[i];
	if (name == NULL || s->count == SPENDING_MODELS_MAX)
		return NULL;
	s->models = mem_resize(s->models, s->count + 1, sizeof(*s->models));
	s->models[s->count] =
		(struct spending_model){ .model = mem_strdup(name),
					 .provider = mem_strdup(word_of(item, "provider")) };
	return &s->models[s->count++];
}

void spending_add(struct spending *s, const struct json_value *item, const char *user_id)
{
	const char *user = word_of(item, "user_id");
	struct spending_model *model;

	if (user == NULL || strcmp(user, user_id) != 0)
		return;
	if (s->email == NULL)
		s->email = mem_strdup(word_of(item, "user_email"));
	spent_add(&s->sum, item);
	model = model_of(s, item);
	if (model != NULL)
		spent_add(&model->spent, item);
}

void spent_add_cost(struct buf *out, int64_t nanos)
{
	uint64_t size = nanos < 0 ? -(uint64_t)nanos : (uint64_t)nanos;
	size_t least;

	buf_addf(out, "%s%" PRIu64 ".", nanos < 0 ? "-" : "", size / NANOS_A_DOLLAR);
	least = out->len + 2;
	buf_addf(out, "%09" PRIu64, size % NANOS_A_DOLLAR);
	while (out->len > least && out->data[out->len - 1] == '0')
		buf_truncate(out, out->len - 1);
}

static void write_spent(const struct spent *s, struct buf *out)
{
	buf_addf(out,
		 "\"total_requests\":%" PRId64 ",\"total_input_tokens\":%" PRId64
		 ",\"total_output_tokens\":%" PRId64 ",\"estimated_cost_usd\":",
		 s->requests, s->input_tokens, s->output_tokens);
	spent_add_cost(out, s->nanos);
}

static void write_own(const struct spending_model *m, struct buf *out)
{
	buf_adds(out, ",\"own\":{\"model\":");
	json_add_string(out, m->model);
	buf_adds(out, ",\"provider\":");
	json_add_string(out, m->provider);
	buf_addc(out, ',');
	write_spent(&m->spent, out);
	buf_addc(out, '}');
}

void spending_write(const struct spending *s, const char *user_id, const char *date,
		    const char *model, struct buf *out)
{
	buf_adds(out, "{\"user_id\":");
	json_add_string(out, user_id);
	buf_adds(out, ",\"user_email\":");
	json_add_string(out, s->email);
	buf_addf(out, ",\"date\":\"%s\",", date);
	write_spent(&s->sum, out);
	for (size_t i = 0; model != NULL && i < s->count; i++)
		if (strcmp(s->models[i].model, model) == 0)
			write_own(&s->models[i], out);
	buf_addc(out, '}');
}

void spending_release(struct spending *s)
{
	for (size_t i = 0; i < s->count; i++) {
		mem_free(&s->models[i].model);
		mem_free(&s->models[i].provider);
	}
	mem_free(&s->models);
	mem_free(&s->email);
	*s = (struct spending){ 0 };
}
