/* recipients: facts of the event that counts, and the sink's own word on them. */
#include "flow/recipients.h"

#include "model/json.h"

bool recipients_are_named(const struct sink_settings *sink)
{
	return sink->type->names_people != NULL && sink->type->names_people(sink);
}

void recipients_named(const struct sink_settings *sink, const struct facts *facts,
		      struct people *out)
{
	struct facts own = *facts;

	own.sink = sink->name;
	own.vars = sink->vars.list;
	own.var_count = sink->vars.count;
	sink->type->people(sink, &own, out);
}

bool recipients_of(const struct sink_settings *sink, const char *source,
		   const struct opening *opening, struct people *out, struct err *err)
{
	struct alert alert;

	*out = (struct people){ .key = PEOPLE_NOBODY };
	if (!alert_read(&alert, opening->body, opening->body_len, err))
		return false;
	struct json *context = opening->context_len != 0
				       ? json_parse(opening->context, opening->context_len, err)
				       : NULL;
	const struct facts facts = { .alert = &alert,
				     .event = opening->kind,
				     .first = opening->first,
				     .source = source,
				     .at = opening->at,
				     .context = context };

	recipients_named(sink, &facts, out);
	json_free(&context);
	alert_release(&alert);
	return true;
}

/* Neither 0 nor a word of its own. */
static int64_t key_of(struct people *people)
{
	int64_t key = people->key;

	people_release(people);
	if (key == PEOPLE_NOBODY)
		return STORE_NOBODY;
	return key != STORE_NOBODY ? key : STORE_NOBODY + 1;
}

int64_t recipients_key(const struct sink_settings *sink, const char *source,
		       const struct opening *opening)
{
	struct people people;
	struct err err;

	/* One that can't be read is for who sends it: it will be a dead letter. */
	if (!recipients_of(sink, source, opening, &people, &err))
		return STORE_NOBODY + 1;
	return key_of(&people);
}

int64_t recipients_key_of(const struct sink_settings *sink, const struct facts *facts)
{
	struct people people;

	recipients_named(sink, facts, &people);
	return key_of(&people);
}
