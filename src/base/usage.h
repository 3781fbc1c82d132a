/* usage: what this process takes of the machine. */
#ifndef BASE_USAGE_H
#define BASE_USAGE_H

#include <stdint.h>

/* Resident memory; 0 where the machine does not say. */
int64_t usage_resident_bytes(void);

#endif
