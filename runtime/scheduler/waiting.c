/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/waiting.h"

#include <errno.h>

#include "base/check.h"
#include "base/error.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"

uint64_t waiting_and_queued(const struct scheduler *scheduler)
{
    return scheduler->totals.queued_bytes + scheduler->totals.waiting_bytes;
}

int waiting_check(struct scheduler *scheduler, const struct call *call)
{
    if (call->kind == CALL_ASYNC &&
        !lease_exceeds(&scheduler->lease, waiting_and_queued(scheduler)))
        return error_say(-ENOBUFS, "send: too much waits to be sent already (queued_bytes_limit)");
    return 0;
}

void waiting_begin(struct scheduler *scheduler, size_t size)
{
    scheduler->totals.waiting_bytes += size;
}

void waiting_end(struct scheduler *scheduler, size_t size)
{
    CHECK_LE(size, scheduler->totals.waiting_bytes);
    scheduler->totals.waiting_bytes -= size;
    lease_return(&scheduler->lease, waiting_and_queued(scheduler));
}
