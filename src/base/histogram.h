/*
 * histogram: how often a value was how large: counts between fixed bounds, and the sum.
 *
 * The bounds ascend and are the caller's, for the life of the histogram. A value counts in the
 * first bucket whose bound it does not pass; the bucket after the last bound takes the rest.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 20 };

struct histogram {
	const int64_t *bounds;
	size_t bound_count;
	int64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* one a bucket, not summed up */
	int64_t count, sum;                       /* of all values */
};

/* At most HISTOGRAM_BOUNDS_MAX bounds. */
void histogram_init(struct histogram *h, const int64_t *bounds, size_t bound_count);
void histogram_add(struct histogram *h, int64_t value);

#endif
