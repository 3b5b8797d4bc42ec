/* SPDX-License-Identifier: MIT */
#include "load/arrivals.h"

#include <math.h>

static const double second_ns = 1e9;

/* SplitMix64. */
uint64_t arrivals_draw(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static double constant(struct arrivals *arrivals)
{
    return (double)arrivals->index * second_ns / arrivals->shape.rate;
}

static double poisson(struct arrivals *arrivals)
{
    double uniform = (double)((arrivals_draw(&arrivals->dice) >> 11) + 1) * 0x1p-53;
    arrivals->offset_ns += -log(uniform) * second_ns / arrivals->shape.rate;
    return arrivals->offset_ns;
}

static double burst(struct arrivals *arrivals)
{
    uint64_t count = arrivals->shape.burst_count;
    uint64_t first = arrivals->index - arrivals->index % count;
    return (double)first * second_ns / arrivals->shape.rate;
}

/* By time t of a ramp from a to b in T, at + (b-a)tt/2T have been sent: solved for t. */
static double ramp(struct arrivals *arrivals)
{
    const struct arrivals_shape *shape = &arrivals->shape;
    double slope = (shape->rate - shape->from_rate) * second_ns / (double)shape->duration_ns;
    double number = (double)arrivals->index, from = shape->from_rate;
    double root = from * from + 2 * slope * number;
    if (root < 0)
        return (double)shape->duration_ns;
    if (arrivals->index == 0)
        return 0;
    return 2 * number / (from + sqrt(root)) * second_ns;
}

static const struct {
    const char *name;
    double (*next)(struct arrivals *arrivals);
} kinds[] = {
    [ARRIVALS_CONSTANT] = {"constant", constant},
    [ARRIVALS_POISSON] = {"poisson", poisson},
    [ARRIVALS_BURST] = {"burst", burst},
    [ARRIVALS_RAMP] = {"ramp", ramp},
};

void arrivals_begin(struct arrivals *arrivals, const struct arrivals_shape *shape)
{
    *arrivals = (struct arrivals){.shape = *shape, .dice = shape->seed};
}

uint64_t arrivals_next(struct arrivals *arrivals)
{
    double offset_ns = kinds[arrivals->shape.kind].next(arrivals);
    arrivals->index++;
    return (uint64_t)offset_ns;
}

const char *arrivals_name(enum arrivals_kind kind)
{
    return kinds[kind].name;
}
