/*
 * tmpl_steps: a word chosen by a number, `{{budget.percent | steps "green 75 orange 90 red"}}`.
 *
 * A step begins at its number and goes on to the next one; the first has no beginning. With a word
 * for each tenth it draws a bar. What is no number chooses none: the words may be colours or sizes
 * in a place where an alert's own text could do harm.
 */
#include <string.h>

#include "base/num.h"
#include "model/tmpl_parts.h"

/* Takes a word off the front; false: there is none left. */
static bool take(struct tmpl_text *rest, struct tmpl_text *word)
{
	while (rest->len > 0 && *rest->at == ' ')
		rest->at++, rest->len--;
	word->at = rest->at;
	while (rest->len > 0 && *rest->at != ' ')
		rest->at++, rest->len--;
	word->len = (size_t)(rest->at - word->at);
	return word->len > 0;
}

bool tmpl_steps_read(struct tmpl_text steps)
{
	struct tmpl_text word;
	double number, former = 0;
	size_t count = 0;

	if (!take(&steps, &word))
		return false;
	for (; take(&steps, &word); count++) {
		if (!num_parse_decimal(word.at, word.len, &number) || !take(&steps, &word) ||
		    (count > 0 && number <= former))
			return false;
		former = number;
	}
	return count > 0;
}

bool tmpl_steps(const struct tmpl_filter *f, const struct value *v, struct buf *to)
{
	struct tmpl_text rest = f->word, chosen, begin, next;
	double number, from;

	if (!num_parse_decimal(v->text, v->len, &number) || !take(&rest, &chosen))
		return true;
	while (take(&rest, &begin) && take(&rest, &next) &&
	       num_parse_decimal(begin.at, begin.len, &from) && number >= from)
		chosen = next;
	return buf_add(to, chosen.at, chosen.len);
}
