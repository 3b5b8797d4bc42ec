/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/outbox.h"

#include "base/check.h"
#include "base/memory.h"
#include "runtime/datagram/datagram.h"

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
