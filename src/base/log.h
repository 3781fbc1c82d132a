/*
 * log: one line an event, logfmt or JSON, to stderr (contract.md section 6).
 *
 * `msg` is one of a fixed list, kept as one table in log.c, so that scripts can rely on it;
 * everything else is a field. A field with an empty or NULL text is left out. Values are
 * quoted where logfmt needs it; control characters never reach the terminal. When stderr is the
 * journal ($JOURNAL_STREAM names it) the priority prefix replaces time.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

enum log_msg {
	LOG_STARTED,
	LOG_READY,
	LOG_DELIVERED,
	LOG_RETRY,
	LOG_DEAD,
	LOG_DROPPED,
	LOG_MOVED,
	LOG_SINK_DOWN,
	LOG_SINK_UP,
	LOG_SINK_HELD,
	LOG_SINK_RELEASED,
	LOG_SILENCES,
	LOG_SILENCE_FAILED,
	LOG_POLLED,
	LOG_POLL_FAILED,
	LOG_POLL_RECOVERED,
	LOG_PASS_PROGRESS,
	LOG_TOKEN_RENEWED,
	LOG_TOKEN_FAILED,
	LOG_ITEM_REJECTED,
	LOG_DOUBT,
	LOG_LEFT_OUT,
	LOG_VANISHED,
	LOG_CONTEXT,
	LOG_CONTEXT_FAILED,
	LOG_CONTEXT_OFF,
	LOG_CONTEXT_RECOVERED,
	LOG_NUDGED,
	LOG_NUDGE_REFUSED,
	LOG_TEMPLATE_FAILED,
	LOG_STORE_FAILED,
	LOG_STORE_RECOVERED,
	LOG_ADOPTED,
	LOG_RELOADED,
	LOG_RELOAD_FAILED,
	LOG_AUDIT_VIOLATION,
	LOG_CRASHED,
	LOG_STOPPING,
	LOG_STOPPED,
	LOG_MSG_COUNT,
};

struct log_field {
	const char *key; /* NULL ends a list */
	const char *text;
	int64_t number; /* used when is_number */
	bool is_number;
};

#define LOG_S(k, v) ((struct log_field){ .key = (k), .text = (v) })
#define LOG_N(k, v) \
	((struct log_field){ .key = (k), .number = (int64_t)(v), .is_number = true })

/* Below level nothing is written. Both may be set again on reload. */
void log_setup(enum log_level level, enum log_format format);
bool log_is_on(enum log_level level);

/* The words of the configuration: "debug" "info" "warning" "error"; "text" "json". */
bool log_level_parse(const char *word, enum log_level *level);
bool log_format_parse(const char *word, enum log_format *format);

/*
 * While they are gathered, lines below a warning wait for log_flush(), for a warning, or until they
 * are too many, and go out in one write(2). Who gathers flushes at each end of his turn.
 */
void log_gather(bool is_on);
void log_flush(void);

/* Writes one line in one write(2); a value is cut at 2 KiB, a line at 8. Never fails, never
 * blocks twice. */
void log_fields(enum log_level level, enum log_msg msg, const struct log_field *fields);

/* log_line(LOG_INFO, LOG_DELIVERED, LOG_S("sink", name), LOG_N("attempt", 1)); */
#define log_line(level, msg, ...)  \
	log_fields((level), (msg), \
		   (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ .key = NULL } })

#endif
