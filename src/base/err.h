/*
 * err: what went wrong, as a value; and the two ends of a process.
 *
 * Three classes of errors. Ours: BUG() logs and aborts, nobody handles it. The operator's, at
 * start only: die() prints one line with the remedy and exits. The world's: a function returns
 * false and fills a struct err, and the program goes on. A message is one line, lower case,
 * without a full stop, and never holds a secret.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdnoreturn.h>

enum { ERR_TEXT_MAX = 512 };

struct err {
	char text[ERR_TEXT_MAX]; /* cut at the end when longer; "" is no error */
};

/* Sets the text; err may be NULL. Always false, so that `return err_set(…)` reads well. */
bool err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the text that is there; always false. */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exit codes of every command (contract.md section 4 and 7). */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 78 };

/* The operator's: prints "tocsin: message" to stderr and exits with code. */
noreturn void die(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ours: prints file, line and message to stderr and aborts. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
noreturn void bug_at(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
