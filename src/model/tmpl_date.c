/*
 * tmpl_date: `date` and `duration`. What is no time stays as it is, as with any filter.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/num.h"
#include "model/tmpl_parts.h"

/* The forms that have a name; of two the reader is a machine, which wants UTC. */
static const struct form {
	const char *name, *pattern;
	bool utc;
} forms[] = {
	{ "human", "%F %R %Z", false },
	{ "iso", "%FT%TZ", true },
	{ "unix", "%s", true },
};

static const struct form *find_form(struct tmpl_text word)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (tmpl_is_word(word, forms[i].name))
			return &forms[i];
	return NULL;
}

bool tmpl_date_read(struct tmpl_filter *f, struct err *err)
{
	const struct form *form = f->has_word ? find_form(f->word) : &forms[0];

	if (form != NULL && form->utc && f->has_zone)
		return err_set(err, "date %s is UTC and takes no zone", form->name);
	if (form != NULL)
		f->word = (struct tmpl_text){ form->pattern, strlen(form->pattern) };
	else if (memchr(f->word.at, '%', f->word.len) == NULL)
		return err_set(err, "date takes human, iso, unix or a pattern, then a zone: "
				    "date \"%%d %%b %%H:%%M\" \"Europe/Berlin\"");
	else if (!date_pattern(f->word.at, f->word.len, err))
		return false;
	if (!f->has_zone)
		return true;
	f->zone = zone_new(f->zone_name.at, f->zone_name.len, err);
	return f->zone != NULL;
}

/* A time as text, or a number of seconds or (past the year 5000) milliseconds since 1970. */
static bool time_of(const struct value *v, int64_t *at)
{
	static const double seconds_max = 1e11, ms_max = 1e15;
	double number;

	if (clock_parse_iso(v->text, v->len, at))
		return true;
	if (!num_parse_decimal(v->text, v->len, &number) || !(fabs(number) < ms_max))
		return false;
	*at = (int64_t)(fabs(number) < seconds_max ? number * 1000 : number);
	return true;
}

bool tmpl_date(const struct tmpl_filter *f, const struct value *v, struct buf *to)
{
	int64_t at;

	if (!time_of(v, &at))
		return buf_add(to, v->text, v->len);
	return date_add(to, f->word.at, f->word.len, at, f->zone);
}

bool tmpl_duration(const struct tmpl_filter *f, const struct value *v,
		   const struct value *other, struct buf *to)
{
	static const double ms_max = 1e17;
	char text[CLOCK_TEXT_MAX];
	double number;
	int64_t ms, since;

	if (f->by_name) {
		if (!time_of(v, &ms) || !time_of(other, &since))
			return buf_add(to, v->text, v->len);
		ms = ms > since ? ms - since : since - ms;
	} else {
		if (!num_parse_decimal(v->text, v->len, &number) ||
		    !(fabs(number) < ms_max / 1000))
			return buf_add(to, v->text, v->len);
		ms = (int64_t)(tmpl_is_word(f->word, "s") ? number * 1000 : number);
	}
	clock_span(ms, text);
	return buf_adds(to, text);
}
