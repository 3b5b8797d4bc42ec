/* SPDX-License-Identifier: MIT */
/* The clock that c-ares reads, so it must be seen from without: the simulation's. Who wants a real
 * one asks timespec_get. */
#include <time.h>

#include "sim/kernel.h"

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_MONOTONIC)
        return timespec_get(now, TIME_UTC) == TIME_UTC ? 0 : -1;
    now->tv_sec = (time_t)(kernel.now_ns / 1000000000u);
    now->tv_nsec = (long)(kernel.now_ns % 1000000000u);
    return 0;
}
