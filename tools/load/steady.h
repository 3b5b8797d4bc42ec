/* SPDX-License-Identifier: MIT */
/*
 * Whether a warm-up is over. It is cut into slices; of the last ten, the mean response and the
 * number of replies of the first half are compared with those of the second by Welch's t. When
 * neither differs by more than chance (|t| < 2) it is steady.
 */
#ifndef LOAD_STEADY_H
#define LOAD_STEADY_H

#include <stdbool.h>
#include <stdint.h>

enum { STEADY_SLICES = 10 };

struct steady {
    double means[STEADY_SLICES];
    double counts[STEADY_SLICES];
    uint64_t slice_count;
    double sum_ns; /* of the slice that is on */
    double count;
};

void steady_add(struct steady *steady, uint64_t response_ns);

/* Ends a slice. Answers whether it is steady. */
bool steady_end_slice(struct steady *steady);

#endif
