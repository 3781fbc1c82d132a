/* histogram: see the header. A few bounds are found by looking at each. */
#include "base/histogram.h"

#include "base/err.h"

void histogram_init(struct histogram *h, const int64_t *bounds, size_t bound_count)
{
	if (bound_count > HISTOGRAM_BOUNDS_MAX)
		BUG("a histogram of %zu bounds", bound_count);
	*h = (struct histogram){ .bounds = bounds, .bound_count = bound_count };
}

void histogram_add(struct histogram *h, int64_t value)
{
	size_t bucket = 0;

	while (bucket < h->bound_count && value > h->bounds[bucket])
		bucket++;
	h->counts[bucket]++;
	h->count++;
	h->sum += value;
}
