/*
 * notify: tells the service manager how we are, by the protocol of sd_notify(3).
 *
 * One datagram a message to the AF_UNIX socket that $NOTIFY_SOCKET names ("/path", or "@name" of
 * the abstract kind), without libsystemd. Where there is none, all of this does nothing. Nothing
 * blocks: a message that the socket does not take is owed, and goes with the next one.
 *
 * The watchdog ($WATCHDOG_USEC, when $WATCHDOG_PID is ours or unset) hears of us from a timer of
 * the loop, at half its interval: a loop that hangs is silent.
 */
#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <stdint.h>

#include "io/turn.h"

struct notify;

struct notify *notify_new(struct turn *turn) __attribute__((warn_unused_result));
void notify_free(struct notify **n);

/* It runs: READY=1, and the watchdog from now on. Also after notify_reloading(). */
void notify_ready(struct notify *n);
/* RELOADING=1 with the MONOTONIC_USEC that Type=notify-reload asks for. */
void notify_reloading(struct notify *n);
/* STOPPING=1; the stop may take so long, which is asked for (EXTEND_TIMEOUT_USEC). */
void notify_stopping(struct notify *n, int64_t most_ms);

enum { NOTIFY_STATUS_MAX = 256 };
/* One line for people, sent when it is another than the last. The caller paces it. */
void notify_status(struct notify *n, const char *text);

#endif
