/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"

#include <string.h>

enum { CLASS_BITS = 7 }; /* 128 classes to each doubling */

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
    histogram->classes[class_of(duration_ns)] += count;
    if (duration_ns > histogram->max_ns)
        histogram->max_ns = duration_ns;
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, double fraction)
{
    uint64_t seen = 0, wanted = (uint64_t)(fraction * (double)histogram->count + 0.5);
    for (unsigned class = 0; class < HISTOGRAM_CLASSES; class ++) {
        seen += histogram->classes[class];
        if (seen && seen >= wanted) {
            uint64_t end_ns = class_end_ns(class);
            return end_ns < histogram->max_ns ? end_ns : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}
