/* usage: from /proc/self/statm (proc(5)): its second number is resident pages. */
#include "base/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int64_t usage_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	int64_t pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*d %" SCNd64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}
