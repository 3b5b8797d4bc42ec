/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/totals.h"

#include <stddef.h>

enum { FIGURE_COUNT = offsetof(weir_totals, reserved) / sizeof(uint64_t) };

_Static_assert(offsetof(weir_totals, reserved) % sizeof(uint64_t) == 0, "every figure is 64 bits");

/* Relaxed: each figure stands for itself. */
void totals_publish(weir_totals *published, const weir_totals *totals)
{
    uint64_t *to = (uint64_t *)published;
    const uint64_t *from = (const uint64_t *)totals;
    for (int i = 0; i < FIGURE_COUNT; i++)
        __atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
}

void totals_add(weir_totals *sum, const weir_totals *published)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)published;
    for (int i = 0; i < FIGURE_COUNT; i++)
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
