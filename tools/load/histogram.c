/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"

#include <math.h>
#include <string.h>

enum { CLASS_BITS = HISTOGRAM_CLASS_BITS };

static unsigned class_of(uint64_t duration_ns)
{
    if (duration_ns < 1U << CLASS_BITS)
        return (unsigned)duration_ns;
    unsigned shift = 63U - (unsigned)__builtin_clzll(duration_ns) - CLASS_BITS;
    unsigned class = (shift << CLASS_BITS) + (unsigned)(duration_ns >> shift);
    return class < HISTOGRAM_CLASSES ? class : HISTOGRAM_CLASSES - 1;
}

/* The largest duration of a class. */
static uint64_t class_end_ns(unsigned class)
{
    if (class < 2U << CLASS_BITS)
        return class;
    unsigned shift = (class >> CLASS_BITS) - 1;
    uint64_t mantissa = class - (shift << CLASS_BITS);
    return ((mantissa + 1) << shift) - 1;
}

void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
}

void histogram_add(struct histogram *histogram, uint64_t duration_ns, uint64_t count)
{
    histogram->count += count;
    histogram->sum_ns += (double)duration_ns * (double)count;
    histogram->classes[class_of(duration_ns)] += count;
    if (duration_ns > histogram->max_ns)
        histogram->max_ns = duration_ns;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
    to->count += from->count;
    to->sum_ns += from->sum_ns;
    if (from->max_ns > to->max_ns)
        to->max_ns = from->max_ns;
    for (unsigned class = 0; class < HISTOGRAM_CLASSES; class ++)
        to->classes[class] += from->classes[class];
}

/* The nearest rank: the smallest duration that at least the fraction do not exceed. The small
 * amount taken off keeps 0.99 * 100 from being 100. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double fraction)
{
    uint64_t seen = 0, wanted = (uint64_t)ceil(fraction * (double)histogram->count - 1e-6);
    for (unsigned class = 0; class < HISTOGRAM_CLASSES; class ++) {
        seen += histogram->classes[class];
        if (seen && seen >= wanted) {
            uint64_t end_ns = class_end_ns(class);
            return end_ns < histogram->max_ns ? end_ns : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}

double histogram_mean_ns(const struct histogram *histogram)
{
    return histogram->count ? histogram->sum_ns / (double)histogram->count : 0;
}

uint64_t histogram_count_to(const struct histogram *histogram, uint64_t duration_ns)
{
    uint64_t seen = 0;
    unsigned last = class_of(duration_ns);
    for (unsigned class = 0; class <= last; class ++)
        seen += histogram->classes[class];
    return seen;
}
