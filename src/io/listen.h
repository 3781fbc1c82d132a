/*
 * listen: a listening TCP socket. The caller owns the descriptor, which does not block and is
 * not passed on to programs that are executed.
 */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include <stdint.h>

#include "base/err.h"

/* Listens on a numeric address ("127.0.0.1", "::1"), port 0 for any; -1 and err when it can't. */
int listen_open(const char *address, uint16_t port, struct err *err)
	__attribute__((warn_unused_result));

/* The port a socket listens on. */
uint16_t listen_port(int fd);

#endif
