/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/outbox.h"

#include "base/check.h"
#include "base/memory.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/letter.h"
#include "runtime/scheduler/waiting.h"

struct outbox *outbox_of(struct datagram *socket)
{
    if (socket->outbox)
        return socket->outbox;
    struct outbox *outbox = memory_allocate_zeroed(1, sizeof(*outbox));
    if (!outbox)
        return NULL;
    outbox->socket = socket;
    list_init(&outbox->link);
    list_init(&outbox->parcels);
    list_init(&outbox->leaving);
    list_init(&outbox->waiters);
    list_init(&outbox->askers);
    socket->outbox = outbox;
    return outbox;
}

void outbox_append(struct outbox *outbox, struct parcel *parcel)
{
    list_append(&outbox->parcels, &parcel->link);
}

struct parcel *outbox_last(const struct outbox *outbox)
{
    return list_is_empty(&outbox->parcels)
               ? NULL
               : list_entry(outbox->parcels.previous, struct parcel, link);
}

static void name_peer(const struct list *parcels, const union parcel_address *peer, socklen_t size)
{
    for (struct list *node = parcels->next; node != parcels; node = node->next) {
        struct parcel *parcel = list_entry(node, struct parcel, link);
        if (parcel->address_size > 0)
            continue;
        parcel->address = *peer;
        parcel->address_size = size;
    }
}

void outbox_name_peer(struct outbox *outbox, const union parcel_address *peer, socklen_t size)
{
    name_peer(&outbox->leaving, peer, size);
    name_peer(&outbox->parcels, peer, size);
}

void outbox_count(struct outbox *outbox, size_t size)
{
    outbox->queued_bytes += size;
    outbox->queued_count++;
}

void outbox_count_off(struct outbox *outbox, size_t size, uint32_t count)
{
    CHECK_LE(size, outbox->queued_bytes);
    CHECK_LE(count, outbox->queued_count);
    outbox->queued_bytes -= size;
    outbox->queued_count -= count;
}

static size_t size_of(struct call *call)
{
    return letter_call_of(call)->letter.bytes.iov_len;
}

void outbox_let_wait(struct scheduler *scheduler, struct outbox *outbox, struct call *call)
{
    list_append(&outbox->waiters, &call->link);
    waiting_begin(scheduler, size_of(call));
}

struct call *outbox_take_waiter(struct scheduler *scheduler, struct outbox *outbox)
{
    if (list_is_empty(&outbox->waiters))
        return NULL;
    struct call *call = list_entry(outbox->waiters.next, struct call, link);
    outbox_leave(scheduler, call);
    return call;
}

void outbox_leave(struct scheduler *scheduler, struct call *call)
{
    list_remove(&call->link);
    waiting_end(scheduler, size_of(call));
}
