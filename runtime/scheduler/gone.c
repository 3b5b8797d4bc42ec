/* SPDX-License-Identifier: MIT */
/*
 * A handler is told from the turn only, and after the callbacks of its calls: those that wait for
 * the kernel, or have come home, are finished in the next turn at the latest. So who settles in one
 * turn is told at the end of the next, with its handle dead and its descriptor closed.
 */
#include "runtime/scheduler/gone.h"

#include "base/canary.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slow.h"

static bool is_to_be_told(const struct scheduler *scheduler, const struct slot *slot)
{
    const weir_handler *handler = slot_handler(slot);
    return scheduler->kinds[slot->kind]->has_packets && handler && handler->gone;
}

static void tell(struct scheduler *scheduler, const struct slot *slot)
{
    const weir_handler *handler = slot_handler(slot);
    uint64_t began_ns = slow_begin(scheduler);
    handler->gone(slot_handle(scheduler, slot), slot->owner_data);
    slow_end(scheduler, began_ns, (slow_function *)handler->gone);
}

static void tell_leaving(struct scheduler *scheduler, struct task *task)
{
    struct gone *gone = &scheduler->gone;
    struct slot_list leaving = {0};
    struct slot *slot;
    slot_list_move_all(&scheduler->slots, &leaving, &gone->leaving);
    slot_list_move_all(&scheduler->slots, &gone->leaving, &gone->settled);
    while ((slot = slot_list_take(&scheduler->slots, &leaving))) {
        tell(scheduler, slot);
        slot_free(scheduler, slot);
    }
    if (!slot_list_is_empty(&gone->leaving))
        task_add(&scheduler->tasks, TASK_LAST, task);
}

void gone_init(struct gone *gone)
{
    task_init(&gone->tell, tell_leaving);
}

void gone_release(struct scheduler *scheduler, struct slot *slot)
{
    if (!is_to_be_told(scheduler, slot) || CANARY(FORGOTTEN_GONE)) {
        slot_free(scheduler, slot);
    } else if (!slot_is_listed(slot)) {
        slot_list_append(&scheduler->slots, &scheduler->gone.settled, slot);
        task_add(&scheduler->tasks, TASK_LAST, &scheduler->gone.tell);
    }
}
