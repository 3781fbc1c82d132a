/*
 * form: application/x-www-form-urlencoded bodies.
 */
#ifndef SIM_FORM_H
#define SIM_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* True for the content type of a form, whatever parameters follow; NULL is none. */
bool form_is_type(const char *content_type);

/* The decoded value of the first field of that name, which the caller frees; NULL when there is
 * none, or when its escapes are malformed or hold a NUL. */
char *form_get(const char *body, size_t len, const char *name);

#endif
