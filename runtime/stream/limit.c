/* SPDX-License-Identifier: MIT */
#include "runtime/stream/limit.h"

#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/waiting.h"
#include "runtime/stream/output.h"
#include "runtime/stream/streams.h"

bool limit_is_exceeded(struct scheduler *scheduler)
{
    return !lease_exceeds(&scheduler->lease, scheduler->totals.queued_bytes);
}

/* An eighth below the limit, so that not every byte that leaves wakes everybody up. */
static bool is_relieved(const struct scheduler *scheduler)
{
    uint64_t limit = scheduler->lease.bytes;
    return scheduler->totals.queued_bytes <= limit - limit / 8;
}

/* What must be held at least for that. */
static uint64_t relief_bytes(const struct scheduler *scheduler)
{
    uint64_t queued = scheduler->totals.queued_bytes;
    return queued + queued / 7 + 1;
}

void limit_give_back(struct scheduler *scheduler)
{
    lease_return(&scheduler->lease, waiting_and_queued(scheduler));
}

bool limit_holds(struct scheduler *scheduler, const struct output *output)
{
    bool waits = !list_is_empty(&output->limit_link);
    return waits ? !is_relieved(scheduler) : limit_is_exceeded(scheduler);
}

void limit_wait(struct scheduler *scheduler, struct output *output)
{
    if (list_is_empty(&output->limit_link))
        list_append(&streams_of(scheduler)->limited, &output->limit_link);
    lease_wait(scheduler, relief_bytes(scheduler), &streams_of(scheduler)->relieve);
}

void limit_count_off(struct scheduler *scheduler, size_t size)
{
    scheduler->totals.queued_bytes -= size;
    if (list_is_empty(&streams_of(scheduler)->limited))
        limit_give_back(scheduler);
    else if (is_relieved(scheduler))
        task_add(&scheduler->tasks, TASK_SOON, &streams_of(scheduler)->relieve);
}

bool limit_relieves(struct scheduler *scheduler)
{
    struct streams *streams = streams_of(scheduler);
    if (list_is_empty(&streams->limited))
        return false;
    if (is_relieved(scheduler) || lease_exceeds(&scheduler->lease, relief_bytes(scheduler)))
        return true;
    lease_wait(scheduler, relief_bytes(scheduler), &streams->relieve);
    return false;
}
