/* SPDX-License-Identifier: MIT */
/* What the schedulers of one runtime are configured to, and what they ask of it. */
#ifndef RUNTIME_SCHEDULER_LIMITS_H
#define RUNTIME_SCHEDULER_LIMITS_H

#include "runtime/ring/ring.h"
#include <weir/runtime.h>

struct scheduler_limits {
    struct ring_config ring;
    uint32_t completion_budget;
    uint32_t eager_submit;
    uint64_t busy_wait_ns;
    uint32_t close_timeout_ms;
    uint64_t slow_callback_ns; /* 0: callbacks are not timed */
    void (*slow_callback)(const weir_slow_callback *slow);
    uint64_t queued_bytes;       /* of all schedulers */
    size_t zero_copy_from_bytes; /* 0: never */
};

struct scheduler_host {
    /* A scheduler has opened, or failed to. */
    void (*started)(struct weir_runtime *runtime);
    /* The registry index of the scheduler that a thread's next socket goes to. */
    uint32_t (*next_scheduler)(struct weir_runtime *runtime);
};

#endif
