/*
 * names: a resolver for tests, put before the C library's with LD_PRELOAD.
 *
 * The file $TEST_NAMES has a line for each name that it decides, read again for each question:
 *
 *   NAME ADDRESS   resolves to it
 *   NAME none      there is no such name
 *   NAME again     the servers do not answer
 *   NAME SECONDS s the servers keep silent that long, and then do not answer
 *
 * Any other name is asked for as ever.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out);

/* What the file says of the name: its second word, and whether a third follows. */
static int look_up(const char *node, char word[64], int *is_span)
{
	const char *path = getenv("TEST_NAMES");
	FILE *file = path == NULL || node == NULL ? NULL : fopen(path, "re");
	char line[256], name[128], unit[8];
	int found = 0;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
		int words = sscanf(line, "%127s %63s %7s", name, word, unit);

		found = words >= 2 && strcmp(name, node) == 0;
		*is_span = words == 3;
	}
	if (file != NULL)
		fclose(file);
	return found;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	resolver *next = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
	int is_span = 0;
	char word[64];

	if (!look_up(node, word, &is_span))
		return next(node, service, hints, out);
	if (is_span)
		sleep((unsigned)strtoul(word, NULL, 10));
	if (is_span || strcmp(word, "again") == 0)
		return EAI_AGAIN;
	if (strcmp(word, "none") == 0)
		return EAI_NONAME;
	return next(word, service, hints, out);
}
