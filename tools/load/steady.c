/* SPDX-License-Identifier: MIT */
#include "load/steady.h"

#include <math.h>
#include <string.h>

enum { HALF = STEADY_SLICES / 2 };

void steady_add(struct steady *steady, uint64_t response_ns)
{
    steady->sum_ns += (double)response_ns;
    steady->count++;
}

static double mean(const double *values)
{
    double sum = 0;
    for (int i = 0; i < HALF; i++)
        sum += values[i];
    return sum / HALF;
}

static double variance(const double *values)
{
    double sum = 0, middle = mean(values);
    for (int i = 0; i < HALF; i++)
        sum += (values[i] - middle) * (values[i] - middle);
    return sum / (HALF - 1);
}

/* What differs by less than 1% is no change, however certain it is. */
static bool are_alike(const double *values)
{
    const double t_bound = 2, change_bound = 0.01;
    double before = mean(values), after = mean(values + HALF);
    double difference = fabs(after - before);
    double error = sqrt((variance(values) + variance(values + HALF)) / HALF);
    return difference <= t_bound * error || difference <= change_bound * before;
}

bool steady_end_slice(struct steady *steady)
{
    memmove(steady->means, steady->means + 1, sizeof(steady->means) - sizeof(steady->means[0]));
    memmove(steady->counts, steady->counts + 1, sizeof(steady->counts) - sizeof(steady->counts[0]));
    steady->means[STEADY_SLICES - 1] = steady->count > 0 ? steady->sum_ns / steady->count : 0;
    steady->counts[STEADY_SLICES - 1] = steady->count;
    steady->sum_ns = steady->count = 0;
    steady->slice_count++;
    return steady->slice_count >= STEADY_SLICES && mean(steady->counts) > 0 &&
           are_alike(steady->means) && are_alike(steady->counts);
}
