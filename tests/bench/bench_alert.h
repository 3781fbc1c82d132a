/* bench_alert: the alerts that every part of the benchmark agrees on, made from their number. */
#ifndef BENCH_ALERT_H
#define BENCH_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_ALERT_MAX = 800 };

/* Writes alert `number` as the API lists it, 600 bytes; returns its length. */
size_t bench_alert(char text[BENCH_ALERT_MAX], uint64_t number, bool random_id);

#endif
