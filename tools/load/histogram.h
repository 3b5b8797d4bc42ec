/* SPDX-License-Identifier: MIT */
/*
 * Counts of durations in classes that grow with the duration, 1,024 to each doubling: what a class
 * holds differs by less than 0.1%, and below 2,048 ns not at all. Durations run from 0 to over an
 * hour. Adding one costs a shift, a count and a comparison, whatever the duration.
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_CLASS_BITS = 10, HISTOGRAM_CLASSES = 34 << HISTOGRAM_CLASS_BITS };

struct histogram {
    uint64_t count;
    uint64_t max_ns;
    double sum_ns;
    uint64_t classes[HISTOGRAM_CLASSES];
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t duration_ns, uint64_t count);
void histogram_merge(struct histogram *to, const struct histogram *from);

/* The duration that `fraction` (0 to 1) of them do not exceed; 0 when there are none. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double fraction);

double histogram_mean_ns(const struct histogram *histogram);

/* How many do not exceed the duration, as far as the classes tell. */
uint64_t histogram_count_to(const struct histogram *histogram, uint64_t duration_ns);

#endif
