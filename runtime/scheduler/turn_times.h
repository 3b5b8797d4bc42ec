/* SPDX-License-Identifier: MIT */
/* How long turns take, and completions wait at most. Written by the scheduler, once a turn, and
 * read by everybody: each number by itself. */
#ifndef RUNTIME_SCHEDULER_TURN_TIMES_H
#define RUNTIME_SCHEDULER_TURN_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/metrics.h>

struct turn_clock {
    weir_turn_times times;
    uint64_t waiting_from_ns; /* on, of what was there when the kernel was looked at; 0: nothing */
    bool has_left_some;       /* completions, which the turn has no room for: they wait on */
};

/* A turn that began at `began_ns` is over but for its look at the kernel. */
void turn_times_note(struct turn_clock *clock, uint64_t began_ns, uint64_t now_ns,
                     bool had_completions);

/* It looks, and nothing had come since it looked before: what it finds has not waited. */
static inline void turn_times_nothing_waits(struct turn_clock *clock)
{
    clock->waiting_from_ns = 0;
}

/* Adds them to `sum`. Any thread. */
void turn_times_add(weir_turn_times *sum, const struct turn_clock *clock);

#endif
