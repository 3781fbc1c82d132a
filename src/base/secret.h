/*
 * secret: a value that comes from the environment, a file or a systemd credential.
 *
 * A reference is "env:NAME", "file:PATH" or "cred:NAME" (a file in $CREDENTIALS_DIRECTORY). The
 * value is trimmed of surrounding white space, is at most 64 KiB, and must not be empty. No
 * error text holds a value, only the reference.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>

#include "base/err.h"

/* True for a text that is a reference, whether or not it resolves. */
bool secret_is_reference(const char *text);

/*
 * The value of a reference, or a copy of text as it is (also an empty one) when it is none.
 * NULL and err when the variable is unset, the file unreadable, or the value empty or with a
 * NUL inside. The caller frees it with mem_free_secret().
 */
char *secret_resolve(const char *text, struct err *err) __attribute__((warn_unused_result));

#endif
