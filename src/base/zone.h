/*
 * zone: how far a place's clocks are from UTC at a moment, summer time and all.
 *
 * Zones are read from the system's tz database when they are made, never from the environment
 * (threads of libraries read that at any time), so a zone needs no file afterwards.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct zone;

/* "Europe/Berlin", "UTC", or a fixed offset such as "+02:00". NULL and err for any other. */
struct zone *zone_new(const char *name, size_t len, struct err *err)
	__attribute__((warn_unused_result));
void zone_free(struct zone **z);

/* The zone that was perhaps meant by a name that is none; NULL: nobody knows. The caller frees it.
 * Reads the database's list of names: for messages alone. */
char *zone_nearest(const char *name);

/* What is added to UTC at that moment, in ms, and what it is called ("CEST"; lives with z).
 * NULL for z: UTC. */
int64_t zone_offset(const struct zone *z, int64_t at, const char **called);

#endif
