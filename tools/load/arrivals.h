/* SPDX-License-Identifier: MIT */
/*
 * When requests are to be sent: a sequence of times, planned ahead, that nothing the server does
 * can move. Offsets are from the begin; each call of arrivals_next gives the next one.
 */
#ifndef LOAD_ARRIVALS_H
#define LOAD_ARRIVALS_H

#include <stdint.h>

enum arrivals_kind { ARRIVALS_CONSTANT, ARRIVALS_POISSON, ARRIVALS_BURST, ARRIVALS_RAMP };

struct arrivals_shape {
    enum arrivals_kind kind;
    double rate;          /* requests per second; of a ramp, in the end */
    double from_rate;     /* ramp */
    uint32_t burst_count; /* burst: so many at one time */
    uint64_t duration_ns; /* ramp */
    uint64_t seed;        /* poisson */
};

struct arrivals {
    struct arrivals_shape shape;
    uint64_t index;
    double offset_ns; /* poisson: the last */
    uint64_t dice;
};

void arrivals_begin(struct arrivals *arrivals, const struct arrivals_shape *shape);
uint64_t arrivals_next(struct arrivals *arrivals);

/* The next number of a sequence that `state` runs through; also for sizes that are drawn. */
uint64_t arrivals_draw(uint64_t *state);

/* "poisson", "burst". */
const char *arrivals_name(enum arrivals_kind kind);

#endif
