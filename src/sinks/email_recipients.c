/*
 * email_recipients: lists of addresses, and the note of who is settled.
 *
 * The note is "+" (served) or "-" (refused for good) and 48 bits of the SHA-256 of the address
 * in small letters, one after the other with a space between: 14 bytes each, so that a full
 * list fits PROGRESS_MAX.
 */
#include "sinks/email_recipients.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hmac.h"
#include "base/mem.h"

enum { MARK_BYTES = 6, MARK_MAX = 1 + MARK_BYTES * 2 };

_Static_assert(EMAIL_RECIPIENTS_MAX *(MARK_MAX + 1) < PROGRESS_MAX, "a full list fits");

static bool add_all(struct email_recipients *r, char *const *list, size_t count,
		    struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!email_address_read(&r->list[r->count++], list[i], err))
			return false;
	return true;
}

bool email_recipients_read(struct email_recipients *r, const struct people *people,
			   struct err *err)
{
	size_t most = people->to_count + people->cc_count;

	*r = (struct email_recipients){ .list = NULL };
	if (most > EMAIL_RECIPIENTS_MAX)
		return err_set(err, "more than %d recipients", EMAIL_RECIPIENTS_MAX);
	r->list = mem_array(most + 1, sizeof(*r->list));
	if (add_all(r, people->to, people->to_count, err) &&
	    add_all(r, people->cc, people->cc_count, err))
		return true;
	email_recipients_release(r);
	return false;
}

void email_recipients_release(struct email_recipients *r)
{
	mem_free(&r->list);
	r->count = 0;
}

void email_recipients_waiting(struct email_recipients *r, const char *progress)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++)
		if (email_progress_get(progress, r->list[i].address) == EMAIL_WAITING)
			r->list[kept++] = r->list[i];
	r->count = kept;
}

/* ---- the note ---- */

static void mark_of(const char *address, char sign, char mark[MARK_MAX + 1])
{
	unsigned char digest[HMAC_LEN];
	char small[EMAIL_ADDRESS_MAX + 1];
	size_t len = strlen(address);

	assert(len <= EMAIL_ADDRESS_MAX);
	for (size_t i = 0; i < len; i++)
		small[i] = (char)tolower((unsigned char)address[i]);
	sha256_of(small, len, digest);
	mark[0] = sign;
	for (size_t i = 0; i < MARK_BYTES; i++)
		snprintf(mark + 1 + i * 2, 3, "%02x", digest[i]);
}

enum email_fate email_progress_get(const char *progress, const char *address)
{
	char mark[MARK_MAX + 1];

	mark_of(address, '+', mark);
	if (strstr(progress, mark) != NULL)
		return EMAIL_SERVED;
	mark[0] = '-';
	return strstr(progress, mark) != NULL ? EMAIL_REFUSED : EMAIL_WAITING;
}

void email_progress_add(char progress[PROGRESS_MAX], const char *address, enum email_fate fate)
{
	char mark[MARK_MAX + 1];
	size_t len = strlen(progress);

	/* Marks of addresses that a reload took away may fill it: the oldest is then forgotten. */
	if (len + MARK_MAX + 2 > PROGRESS_MAX) {
		memmove(progress, progress + MARK_MAX + 1, len - MARK_MAX);
		len -= MARK_MAX + 1;
	}
	mark_of(address, fate == EMAIL_SERVED ? '+' : '-', mark);
	snprintf(progress + len, PROGRESS_MAX - len, "%s%s", len > 0 ? " " : "", mark);
}

bool email_progress_any_served(const char *progress)
{
	return strchr(progress, '+') != NULL;
}
