/* SPDX-License-Identifier: MIT */
#include "runtime/owner/msgq.h"

#include "base/canary.h"
#include "base/list.h"
#include "base/memory.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include <weir/mailbox.h>

static void go_on(struct scheduler *scheduler, struct inbox_node *node)
{
    struct msgq *msgq = list_entry(node, struct msgq, node);
    msgq->full = false;
    struct slot *slot = slot_find(scheduler, msgq->socket);
    if (slot)
        scheduler->kinds[slot->kind]->changed(scheduler, slot);
    msgq_release(msgq);
}

struct msgq *msgq_create(weir_socket socket)
{
    struct msgq *msgq = memory_allocate_zeroed(1, sizeof(*msgq));
    if (!msgq)
        return NULL;
    msgq->node.run = go_on;
    msgq->socket = socket;
    atomic_init(&msgq->refs, 1);
    return msgq;
}

static void keep(struct msgq *msgq)
{
    atomic_fetch_add_explicit(&msgq->refs, 1, memory_order_relaxed);
}

void msgq_release(struct msgq *msgq)
{
    if (atomic_fetch_sub_explicit(&msgq->refs, 1, memory_order_acq_rel) == 1)
        memory_free(msgq);
}

/* Empty packets must count as well. */
size_t msgq_weight(const weir_packet *packet)
{
    return sizeof(weir_message) + packet->header_size + packet->size + packet->padding_size;
}

static bool is_low(struct msgq *msgq)
{
    return atomic_load(&msgq->bytes) <= atomic_load(&msgq->low);
}

/* A thread may have taken everything before it could see that somebody waits. */
static void fill(struct msgq *msgq, const struct option_values *values)
{
    msgq->full = true;
    atomic_store(&msgq->low, values->low_msgq_watermark);
    atomic_store(&msgq->waits, true);
    if (is_low(msgq) && atomic_exchange(&msgq->waits, false))
        msgq->full = false;
}

void msgq_enter(struct msgq *msgq, size_t weight, const struct option_values *values)
{
    keep(msgq);
    size_t bytes = atomic_fetch_add(&msgq->bytes, weight) + weight;
    if (!msgq->full && bytes >= values->high_msgq_watermark)
        fill(msgq, values);
}

void msgq_set_marks(struct msgq *msgq, const struct option_values *values)
{
    if (!msgq->full)
        return;
    atomic_store(&msgq->low, values->low_msgq_watermark);
    bool fits = is_low(msgq) || atomic_load(&msgq->bytes) < values->high_msgq_watermark;
    if (fits && atomic_exchange(&msgq->waits, false)) /* else the node is on its way */
        msgq->full = false;
}

static void post(struct msgq *msgq)
{
    uint32_t index = slot_scheduler(msgq->socket);
    struct scheduler *scheduler = CANARY(HELD_BACK) ? NULL : registry_enter(index);
    if (!scheduler)
        return;
    keep(msgq);
    inbox_post(&scheduler->inbox, &msgq->node);
    registry_leave(index);
}

void msgq_leave(struct msgq *msgq, size_t weight)
{
    atomic_fetch_sub(&msgq->bytes, weight);
    if (atomic_load(&msgq->waits) && is_low(msgq) && atomic_exchange(&msgq->waits, false))
        post(msgq);
    msgq_release(msgq);
}
