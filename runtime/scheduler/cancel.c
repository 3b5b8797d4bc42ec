/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/cancel.h"

#include <errno.h>

#include "base/canary.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

void cancel_start(struct scheduler *scheduler, struct slot *slot, uint32_t operation)
{
    uint64_t target = slot_operation(slot, operation);
    ring_cancel(scheduler->ring, operation_cancel_of(target), target);
}

/* Not found, and not over either: the kernel was about to try it again, when it is neither waiting
 * nor running. Seen on 6.18. One that a worker thread runs was sent a signal and will end. */
void cancel_completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    const struct kind_operation *operation = kind_operation(scheduler, completion->user_data);
    if (completion->result == -ENOENT && operation->is_unwanted(slot) && !CANARY(ONE_CANCEL)) {
        scheduler->totals.missed_cancels++;
        cancel_start(scheduler, slot, operation_of(completion->user_data));
    }
}
