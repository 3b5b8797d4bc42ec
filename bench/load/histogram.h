/* SPDX-License-Identifier: MIT */
/*
 * Counts of durations in classes that grow with the duration, 128 to each doubling, so that a
 * percentile is known within 1%. Durations run from 0 to over an hour.
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_CLASSES = 128 * 36 };

struct histogram {
    uint64_t count;
    uint64_t max_ns;
    uint64_t classes[HISTOGRAM_CLASSES];
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t duration_ns, uint64_t count);

/* The duration that `fraction` (0 to 1) of them do not exceed; 0 when there are none. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double fraction);

#endif
