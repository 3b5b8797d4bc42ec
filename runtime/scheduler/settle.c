/* SPDX-License-Identifier: MIT */
/*
 * A socket that has lost its peer or its owner settles: it waits for what is in flight, gives up
 * its descriptor, and when its handle is dead too, it goes. Whatever ends one of those asks here
 * again, so nobody has to know what else is missing.
 */
#include "base/check.h"
#include "base/system.h"
#include "runtime/scheduler/gone.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

static bool is_settled(struct scheduler *scheduler, struct slot *slot)
{
    const struct kind *kind = scheduler->kinds[slot->kind];
    return kind->settled ? kind->settled(scheduler, slot) : slot->pending == 0;
}

static bool give_up_descriptor(struct scheduler *scheduler, struct slot *slot)
{
    const struct kind *kind = scheduler->kinds[slot->kind];
    if (kind->give_up_descriptor)
        return kind->give_up_descriptor(scheduler, slot);
    system_close(slot->fd);
    slot->fd = -1;
    return true;
}

void slot_settle(struct scheduler *scheduler, struct slot *slot)
{
    if (slot->state != SOCKET_GONE && slot->state != SOCKET_CLOSED)
        return;
    if (!is_settled(scheduler, slot))
        return;
    if (slot->fd >= 0 && give_up_descriptor(scheduler, slot))
        scheduler_descriptor_closed(scheduler);
    if (slot->state == SOCKET_CLOSED && slot->pending == 0)
        gone_release(scheduler, slot);
}

void slot_unhold(struct scheduler *scheduler, struct slot *slot)
{
    CHECK_GT(slot->pending, 0);
    slot->pending--;
    slot_settle(scheduler, slot);
}
