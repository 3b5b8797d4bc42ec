/* SPDX-License-Identifier: MIT */
/* One row per run of a plan that is run several times, and what two such lists say beside each
 * other: round by round, so that what the machine did to both at the time cancels out. */
#ifndef LOAD_ROUNDS_H
#define LOAD_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum rounds_figure {
    ROUNDS_RATE,
    ROUNDS_MEAN,
    ROUNDS_P50,
    ROUNDS_P99,
    ROUNDS_P99_9,
    ROUNDS_FAILED,
    ROUNDS_FIGURES
};

/* Fewer have no interval of 95%. */
enum { ROUNDS_MAX = 200, ROUNDS_COMPARED_MIN = 6 };

struct rounds {
    uint32_t count;
    double figures[ROUNDS_MAX][ROUNDS_FIGURES];
};

/* "p99_us", as in JSON. */
const char *rounds_name(enum rounds_figure figure);

/* The ratio of B's figure to A's: the median over the rounds, and the interval that has the true
 * median in it with 95% confidence, by the ranks alone: whatever the law of the figures is. */
struct rounds_ratio {
    double median, low, high;
};

/* False: too few rounds that both have, or a figure that is 0. */
bool rounds_compare(const struct rounds *a, const struct rounds *b, enum rounds_figure figure,
                    struct rounds_ratio *ratio);

/* A row for each figure, with a verdict. An exit status: 0; 1 when there are too few rounds. */
int rounds_print(FILE *to, const struct rounds *a, const struct rounds *b);

#endif
