/* ask: pages and cursors; a cursor's numbers are sealed, so nobody builds one. */
#include "sim/ask.h"

#include "sim/seal.h"

static const char cursor_prefix[] = "cur_";

enum {
	CURSOR_ISSUED_AT,
	CURSOR_EPOCH,
	CURSOR_KEY,
	CURSOR_NUMBER,
	CURSOR_CODE,
	CURSOR_NUMBERS,
};

bool ask_limit(const struct ask *ask, size_t *limit)
{
	const char *text = httpd_query(ask->request, "limit");
	int64_t value = ASK_LIMIT_DEFAULT;

	if (text != NULL &&
	    (!num_parse_int(text, &value, NULL) || value < 1 || value > ASK_LIMIT_MAX)) {
		sim_refuse(ask->sim, ask->answer, 400, "limit must be 1 to %d", ASK_LIMIT_MAX);
		return false;
	}
	*limit = (size_t)value;
	if (*limit > ask->sim->args->page_max)
		*limit = ask->sim->args->page_max;
	return true;
}

const char *ask_word(const struct ask *ask, const char *name)
{
	const char *word = httpd_query(ask->request, name);

	return word == NULL || word[0] == '\0' ? NULL : word;
}

/* What is wrong with a cursor, or NULL and the place after which it goes on. */
static const char *open_cursor(const struct ask *ask, const char *text, int64_t code,
			       struct place *after)
{
	const struct sim *sim = ask->sim;
	int64_t numbers[CURSOR_NUMBERS];

	if (!seal_open(&sim->seal, text, cursor_prefix, numbers, CURSOR_NUMBERS))
		return "the cursor is not valid";
	if (numbers[CURSOR_EPOCH] != sim->cursor_epoch ||
	    ask->now - numbers[CURSOR_ISSUED_AT] >= sim->args->cursor_ttl_ms)
		return "the cursor has expired";
	if (numbers[CURSOR_CODE] != code)
		return "the cursor belongs to a list with other filters";
	*after = (struct place){ .key = numbers[CURSOR_KEY],
				 .number = (uint32_t)numbers[CURSOR_NUMBER] };
	return NULL;
}

bool ask_cursor(const struct ask *ask, int64_t code, bool *has_after, struct place *after)
{
	const char *text = httpd_query(ask->request, "cursor");
	const char *wrong = NULL;

	*has_after = text != NULL;
	if (text != NULL)
		wrong = open_cursor(ask, text, code, after);
	if (wrong != NULL)
		sim_refuse(ask->sim, ask->answer, 400, "%s", wrong);
	return wrong == NULL;
}

void ask_add_cursor(const struct ask *ask, int64_t code, struct place last)
{
	const int64_t numbers[CURSOR_NUMBERS] = { [CURSOR_ISSUED_AT] = ask->now,
						  [CURSOR_EPOCH] = ask->sim->cursor_epoch,
						  [CURSOR_KEY] = last.key,
						  [CURSOR_NUMBER] = last.number,
						  [CURSOR_CODE] = code };

	buf_addc(&ask->answer->body, '"');
	seal_add(&ask->sim->seal, &ask->answer->body, cursor_prefix, numbers, CURSOR_NUMBERS);
	buf_addc(&ask->answer->body, '"');
}

void ask_end_items(const struct ask *ask, int64_t code, bool has_more, struct place last)
{
	struct buf *body = &ask->answer->body;

	buf_adds(body, "],\"next_cursor\":");
	if (has_more)
		ask_add_cursor(ask, code, last);
	else
		buf_adds(body, "null");
	buf_addf(body, ",\"has_more\":%s", has_more ? "true" : "false");
}
