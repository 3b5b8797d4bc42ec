/* SPDX-License-Identifier: MIT */
/*
 * What is going on: how long turns take and completions wait, the kernel's features in use, and all
 * figures as text that Prometheus reads. Nothing here disturbs a scheduler. None of it is in the
 * document.
 */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <weir/runtime.h>

WEIR_BEGIN

enum { WEIR_TIME_CLASSES = 24 };

/* A histogram of times. Class 0 has those below 1 us, class i those from 2^(i-1) us to below 2^i
 * us, the last one all that are longer. */
typedef struct weir_times {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t longest_ns;
    uint64_t classes[WEIR_TIME_CLASSES];
} weir_times;

/* How long turns took, and completions waited. */
typedef struct weir_turn_times {
    weir_times turns; /* from the scheduler's waking up, or its last look at the kernel, until it
                         looks again: what its callbacks and its own work took */
    weir_times waits; /* once for each turn that had completions: the most that any of them can have
                         waited, from the last look at the kernel that did not find it to the end
                         of the turn that dealt with it */
    uint64_t reserved[16]; /* for times to come; 0 */
} weir_turn_times;

/* How long turns took and completions waited, of `scheduler` 0..count-1, or -1 for all of them,
 * added up (of longest_ns the longest). 0, -EINVAL, or WEIR_CLOSED. Any thread, any scheduler. */
WEIR_API int weir_get_turn_times(const weir_runtime *runtime, int scheduler,
                                 weir_turn_times *times);

/*
 * The name of the kernel's feature of that number, from 0 on, as `weir doctor` prints it; NULL when
 * there are no more. `in_use` (may be NULL) is whether the runtime's schedulers use it. Static
 * memory. Any thread, any scheduler; of a runtime that has stopped none is in use.
 */
WEIR_API const char *weir_feature(const weir_runtime *runtime, uint32_t number, int *in_use);

/*
 * All figures of all schedulers in Prometheus' text format (version 0.0.4), NUL behind them, cut at
 * `size` bytes; `text` may be NULL if that is 0. Returns the length of the whole text, like
 * snprintf, or WEIR_CLOSED. It changes by the moment: leave some room. Any thread, any scheduler.
 */
WEIR_API int weir_metrics(const weir_runtime *runtime, char *text, size_t size) WEIR_CHECK_RESULT;

WEIR_END

#endif
