/* SPDX-License-Identifier: MIT */
/* Callbacks that hold up their scheduler: timed only where the runtime was configured to. */
#ifndef RUNTIME_SCHEDULER_SLOW_H
#define RUNTIME_SCHEDULER_SLOW_H

#include <stdint.h>

#include "base/clock.h"
#include "runtime/scheduler/scheduler.h"

typedef void slow_function(void);

/* Before a callback: what slow_end is given. */
static inline uint64_t slow_begin(const struct scheduler *scheduler)
{
    return __builtin_expect(scheduler->limits->slow_callback_ns > 0, 0) ? clock_now_ns() : 0;
}

void slow_look(const struct scheduler *scheduler, uint64_t began_ns, slow_function *function);

/* Behind it: says so if it took too long. */
static inline void slow_end(const struct scheduler *scheduler, uint64_t began_ns,
                            slow_function *function)
{
    if (__builtin_expect(began_ns > 0, 0))
        slow_look(scheduler, began_ns, function);
}

#endif
