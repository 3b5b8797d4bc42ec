/* SPDX-License-Identifier: MIT */
/* One thread, one ring, and all that belongs to them. Only its own thread touches it. */
#ifndef RUNTIME_SCHEDULER_SCHEDULER_H
#define RUNTIME_SCHEDULER_SCHEDULER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "runtime/buffer/buffer.h"
#include "runtime/ring/ring.h"
#include "runtime/ring/vectors.h"
#include "runtime/scheduler/gone.h"
#include "runtime/scheduler/inbox.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/lease.h"
#include "runtime/scheduler/limits.h"
#include "runtime/scheduler/slot_notes.h"
#include "runtime/scheduler/slot_table.h"
#include "runtime/scheduler/task.h"
#include "runtime/scheduler/timer.h"
#include "runtime/scheduler/timer_table.h"
#include "runtime/scheduler/turn_times.h"
#include <weir/runtime.h>

struct waiter;
struct weir_runtime;

/* Stopping: its sockets are closed, and it ends when nothing is left. */
enum scheduler_state { SCHEDULER_RUNNING, SCHEDULER_STOPPING };

struct scheduler {
    uint32_t index;  /* in the registry, and in handles */
    uint32_t number; /* in its runtime */
    enum scheduler_state state;
    struct weir_runtime *runtime;
    const struct scheduler_limits *limits;
    const struct scheduler_host *host; /* of the runtime */
    struct ring *ring;
    struct ring_profile profile;
    struct buffer_pool *buffers;
    struct slot_table slots;
    struct slot_notes places; /* struct quota of those that have a place in one */
    struct timer_wheel timers;
    struct timer_table timer_table;
    uint64_t now_ns; /* as of this turn's beginning */
    struct inbox inbox;
    struct task_queues tasks;
    struct slot_notes passed;   /* descriptors that sockets have been sent: socket/passed.h */
    struct task release_memory; /* that its callers gave to be sent and is not needed any more */
    struct gone gone;
    struct handing *handing; /* under way, the innermost: owner/hand_over.c */
    const struct kind *const *kinds;
    void *states[KIND_COUNT]; /* of each kind, what its sockets here have in common */
    uint32_t outstanding;     /* calls made here, by callbacks and for elsewhere by processes, that
                                 have not come back */
    struct waiter *waiter;    /* on whose stack it is; NULL: on its own, or in a call */
    struct vectors vectors;
    struct ring_completion *completions;
    bool descriptor_closed;
    uint64_t queued_bytes_peak; /* since memory was last returned to the kernel */
    struct timer return_memory;
    struct lease lease; /* of the bytes that the runtime may have queued */
    uint64_t stop_deadline_ns;
    struct turn_clock turn_clock;
    weir_totals totals;    /* of this thread */
    weir_totals published; /* for others to read; see totals.h */
    uint32_t last_count;   /* completions of the last turn */
    uint64_t spin_until_ns;
    uint32_t first_index;     /* of its slots, in handles */
    uint32_t last_generation; /* that its handles have used, of so many slots or timers */
    uint32_t slot_count;
    struct inbox_node stop;
    pthread_t thread;
    int cpu; /* -1: not pinned */
    int start_result;
    char start_text[ERROR_TEXT_SIZE];
};

/* The thread's main: opens, turns until it is told to stop, closes. */
void *scheduler_main(void *scheduler);

/* Opens what it needs, on its own thread. 0, or an error with nothing left behind. */
int scheduler_open(struct scheduler *scheduler);
void scheduler_close(struct scheduler *scheduler);

/* One turn. */
void scheduler_turn(struct scheduler *scheduler);

/* Closes every socket; the scheduler ends once they have settled. */
void scheduler_stop(struct scheduler *scheduler);

/* Whether a task waits for nothing any more: it must not sleep. */
bool scheduler_has_due_tasks(const struct scheduler *scheduler);

/* Whether it was told to stop and nothing of it is left. */
bool scheduler_is_done(struct scheduler *scheduler);

/* What is due soon, after each thing that may have brought it about; submits if much is queued. */
void scheduler_do_soon(struct scheduler *scheduler);

/* Submits what is queued before the turn is over. */
void scheduler_submit(struct scheduler *scheduler);

/* Asked for by every call: initial-exec, so that it is one load in the shared library too. */
extern _Thread_local struct scheduler *scheduler_own __attribute__((tls_model("initial-exec")));

/* The scheduler that this thread is, or NULL. */
static inline struct scheduler *scheduler_current(void)
{
    return scheduler_own;
}
void scheduler_become(struct scheduler *scheduler);

/* Around what a process has done on its own stack: who is called meanwhile may not wait. Returns
 * who it was before. */
static inline struct waiter *scheduler_set_waiter(struct scheduler *scheduler,
                                                  struct waiter *waiter)
{
    struct waiter *before = scheduler->waiter;
    scheduler->waiter = waiter;
    return before;
}

/* The bell has rung: listens for it again. */
static inline void scheduler_wait_for_bell(struct scheduler *scheduler)
{
    ring_wait_wake(scheduler->ring, operation_pack(OPERATION_OF_KIND(KIND_NONE, 0), 0, 0),
                   scheduler->inbox.bell);
}

/* A descriptor is free again: who could not have one may try. */
static inline void scheduler_descriptor_closed(struct scheduler *scheduler)
{
    scheduler->descriptor_closed = true;
}

/* The row of the operation that a completion is of. */
static inline const struct kind_operation *kind_operation(const struct scheduler *scheduler,
                                                          uint64_t user_data)
{
    uint32_t number = OPERATION_IN_KIND(operation_of(user_data));
    return &scheduler->kinds[operation_kind(user_data)]->operations[number];
}

/* Arms a timer to fire in `delay_ms` from now: callbacks may have taken long since the turn began.
 */
void scheduler_arm(struct scheduler *scheduler, struct timer *timer, uint64_t delay_ms);

#endif
