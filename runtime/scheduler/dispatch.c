/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/dispatch.h"

#include "base/canary.h"
#include "base/check.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

/* The slot has another socket by now, or none: what the completion brought is given back. */
static void drop_stale(struct scheduler *scheduler, const struct kind_operation *operation,
                       const struct ring_completion *completion)
{
    scheduler->totals.stale_completions++;
    if (operation->discard)
        operation->discard(scheduler, completion);
    if (operation->discard && CANARY(DOUBLE_RELEASE))
        operation->discard(scheduler, completion);
}

static bool is_stale(const struct slot *slot, const struct ring_completion *completion)
{
    if (slot->pending == 0 || slot->kind != operation_kind(completion->user_data))
        return true;
    return !CANARY(IGNORED_GENERATION) &&
           slot->generation != operation_generation(completion->user_data);
}

/* The operation's own hold keeps the socket while its handler runs; one that goes on keeps it, so
 * the handler gets another. */
void dispatch(struct scheduler *scheduler, const struct ring_completion *completion)
{
    if (operation_kind(completion->user_data) == KIND_NONE) {
        scheduler_wait_for_bell(scheduler);
        return;
    }
    const struct kind_operation *operation = kind_operation(scheduler, completion->user_data);
    struct slot *slot = slot_table_at(&scheduler->slots, operation_slot(completion->user_data));
    bool stale = !slot || is_stale(slot, completion);
    if (operation_is_cancel(completion->user_data)) {
        if (!stale) /* what it did not find may go on */
            cancel_completed(scheduler, slot, completion);
        return;
    }
    if (stale) {
        drop_stale(scheduler, operation, completion);
        return;
    }
    if (completion->flags & RING_MORE)
        slot_hold(slot);
    operation->completed(scheduler, slot, completion);
    slot_unhold(scheduler, slot);
}

static const struct slot *slot_of(const struct scheduler *scheduler, uint64_t user_data)
{
    return slot_table_at(&scheduler->slots, operation_slot(user_data));
}

static void fetch_slot(const struct slot *slot)
{
    enum { LINE_BYTES = 64 };
    for (size_t i = 0; slot && i < SLOT_SIZE; i += LINE_BYTES)
        __builtin_prefetch((const char *)slot + i, 1);
}

static void fetch_beside(const struct scheduler *scheduler, uint64_t user_data, enum fetch fetch)
{
    const struct slot *slot = slot_of(scheduler, user_data);
    if (!slot || slot->kind == KIND_NONE || slot->kind != operation_kind(user_data))
        return;
    const struct kind_operation *operation = kind_operation(scheduler, user_data);
    if (operation->fetch)
        operation->fetch(slot, fetch);
}

/* Each leads to the next, which is looked for when the one before has had time to come. */
void dispatch_fetch_ahead(const struct scheduler *scheduler, uint32_t i, uint32_t count)
{
    enum { SLOT_AHEAD = 6, CALL_AHEAD = 4, WAITER_AHEAD = 2 };
    const struct ring_completion *next = scheduler->completions + i;
    if (i + SLOT_AHEAD < count)
        fetch_slot(slot_of(scheduler, next[SLOT_AHEAD].user_data));
    if (i + CALL_AHEAD < count)
        fetch_beside(scheduler, next[CALL_AHEAD].user_data, FETCH_CALL);
    if (i + WAITER_AHEAD < count)
        fetch_beside(scheduler, next[WAITER_AHEAD].user_data, FETCH_WAITER);
}
