/* listen: socket, bind and listen, and what to say when one of them fails. */
#include "io/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

/* A listening socket at the address, or -1 with errno. */
static int listen_at(const struct addrinfo *at)
{
	int yes = 1;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int why;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
	    bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

int listen_open(const char *address, uint16_t port, struct err *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *at;
	char text[8];
	int fd;

	snprintf(text, sizeof(text), "%u", (unsigned)port);
	if (getaddrinfo(address, text, &hints, &at) != 0) {
		err_set(err, "\"%s\" is no numeric address such as 127.0.0.1 or ::1", address);
		return -1;
	}
	fd = listen_at(at);
	if (fd < 0)
		err_set(err, "cannot listen on %s port %s: %s", address, text, strerror(errno));
	freeaddrinfo(at);
	return fd;
}

uint16_t listen_port(int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return 0;
	if (bound.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
	return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}
