/*
 * secret: three places a value may come from, one set of rules for what it must be.
 *
 * The value passes through one buffer, which is overwritten before it is freed. Errors name the
 * reference and the remedy, never a byte of the value.
 */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum { VALUE_MAX = 65536 };

/* Each adds the raw value to out. */
typedef bool read_fn(const char *name, struct buf *out, struct err *err);

static bool read_env(const char *name, struct buf *out, struct err *err)
{
	const char *value = getenv(name);

	if (value == NULL)
		return err_set(err, "the environment variable is not set");
	if (!buf_adds(out, value))
		return err_set(err, "the value is larger than %d bytes", VALUE_MAX);
	return true;
}

static bool read_file(const char *name, struct buf *out, struct err *err)
{
	return file_read(name, out, err);
}

static bool read_cred(const char *name, struct buf *out, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (dir == NULL || dir[0] == '\0')
		return err_set(err,
			       "$CREDENTIALS_DIRECTORY is not set: give the credential in the "
			       "systemd unit (LoadCredential=) or use \"file:\"");
	if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, "a credential is named without a folder");
	char *path = file_join(dir, name);
	bool is_read = file_read(path, out, err);

	mem_free(&path);
	return is_read;
}

struct place {
	const char *prefix;
	read_fn *read;
};

static const struct place places[] = {
	{ "env:", read_env },
	{ "file:", read_file },
	{ "cred:", read_cred },
};

static const struct place *find_place(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (strncmp(text, places[i].prefix, strlen(places[i].prefix)) == 0)
			return &places[i];
	return NULL;
}

bool secret_is_reference(const char *text)
{
	return find_place(text) != NULL;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value without white space around it; NULL and err when nothing usable is left. */
static char *trimmed(const struct buf *raw, struct err *err)
{
	const char *s = raw->data;
	size_t len = raw->len;

	while (len > 0 && is_space(s[len - 1]))
		len--;
	while (len > 0 && is_space(*s)) {
		s++;
		len--;
	}
	if (len == 0) {
		err_set(err, "the value is empty");
		return NULL;
	}
	if (memchr(s, '\0', len) != NULL) {
		err_set(err, "the value has a NUL byte in it");
		return NULL;
	}
	return mem_dup(s, len);
}

static char *resolve(const struct place *place, const char *name, struct err *err)
{
	struct buf raw;
	char *value = NULL;

	if (name[0] == '\0') {
		err_set(err, "a name must follow the colon");
		return NULL;
	}
	buf_init(&raw, VALUE_MAX);
	if (buf_space(&raw, VALUE_MAX) != NULL && place->read(name, &raw, err))
		value = trimmed(&raw, err);
	explicit_bzero(raw.data, raw.room);
	buf_release(&raw);
	return value;
}

char *secret_resolve(const char *text, struct err *err)
{
	const struct place *place = find_place(text);

	if (place == NULL)
		return mem_strdup(text);
	char *value = resolve(place, text + strlen(place->prefix), err);

	if (value == NULL)
		err_prefix(err, "%s", text);
	return value;
}
