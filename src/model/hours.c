/* hours: to come. */
#include "model/hours.h"
int64_t hours_next(const struct hours *h, int64_t now) { (void)h; return now + 3600000; }
int64_t hours_quiet_until(const struct quiet *q, int64_t now) { (void)q; (void)now; return 0; }
