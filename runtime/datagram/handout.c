/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/handout.h"

#include "base/canary.h"
#include "runtime/buffer/packet.h"
#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/intake.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/active.h"
#include "runtime/socket/passed.h"
#include "runtime/socket/receive_call.h"

bool datagram_is_wanted(const struct datagram *socket)
{
    if (socket->slot.state != SOCKET_OPEN)
        return false;
    return socket->active != WEIR_ACTIVE_FALSE ? !owner_is_full(&socket->slot)
                                               : socket->caller != NULL;
}

/* The modes without a count are above every count. */
uint32_t handout_most(const struct datagram *socket)
{
    uint32_t share = (uint32_t)datagram_values(socket)->read_packets;
    uint32_t left = (uint32_t)socket->active;
    return share < left ? share : left;
}

void handout_append(struct datagram *socket, struct weir_buffer *buffer)
{
    struct waiting *waiting = &socket->waiting;
    buffer->next = NULL;
    if (waiting->first)
        waiting->last->next = buffer;
    else
        waiting->first = buffer;
    waiting->last = buffer;
}

static struct weir_buffer *take_first(struct waiting *waiting)
{
    struct weir_buffer *buffer = waiting->first;
    waiting->first = buffer->next;
    return buffer;
}

static void put_back(struct waiting *waiting, struct weir_buffer *buffer)
{
    buffer->next = waiting->first;
    if (!waiting->first)
        waiting->last = buffer;
    waiting->first = buffer;
}

static void give_back(struct scheduler *scheduler, struct weir_buffer *buffer)
{
    if (buffer->pool)
        buffer_dispatched(buffer);
    else if (buffer->capacity >= arrival_room(DATAGRAM_BYTES_MAX))
        intake_give_back(&datagrams_of(scheduler)->blocks, buffer);
    else
        buffer_release(buffer);
}

static void count(struct scheduler *scheduler, struct datagram *socket,
                  const struct arrived *arrived)
{
    size_t size = arrived->size;
    socket->received->truncated += arrived->datagram->truncated;
    scheduler->totals.datagrams_truncated += arrived->datagram->truncated;
    scheduler->totals.packets_received++;
    scheduler->totals.bytes_received += size;
    traffic_count(&socket->received->traffic, &socket->received->max, size);
    if (datagram_values(socket)->bit8 && !socket->bit8_seen)
        socket->bit8_seen = packet_has_bit8(arrived->bytes, size);
}

static int give_to_owner(struct scheduler *scheduler, struct datagram *socket,
                         const weir_packet *packet)
{
    bool passive = active_count_down(&socket->active);
    int result = owner_tell_packet(scheduler, &socket->slot, packet);
    if (passive && socket->slot.state == SOCKET_OPEN)
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_PASSIVE, 0);
    return result;
}

/* With its descriptors, which are the last that have come. */
static void lose(struct scheduler *scheduler, struct datagram *socket, int descriptors)
{
    passed_lose(scheduler, &socket->slot, descriptors > 0 ? (uint32_t)descriptors : 0);
    datagram_tell_error(scheduler, socket, -ENOMEM);
}

/* 0; an error of a recv leaves the datagram for the next one. What a mailbox has no memory for is
 * lost, as it is when the kernel has none. */
static int hand_out_one(struct scheduler *scheduler, struct datagram *socket,
                        struct weir_buffer *buffer)
{
    const struct arrived arrived = arrival_next(buffer);
    size_t size = arrived.size;
    const weir_decoded decoded = {.bytes = arrived.bytes, .size = size, .consumed = size};
    weir_packet packet = packet_make(&decoded, NULL, datagram_values(socket), buffer);
    struct call *receiver = socket->active == WEIR_ACTIVE_FALSE ? socket->caller : NULL;
    packet.datagram = arrived.datagram;
    int result = receiver ? weir_packet_keep(&packet, &receive_call_of(receiver)->packet) : 0;
    if (result == 0)
        count(scheduler, socket, &arrived);
    if (receiver) {
        socket->caller = NULL;
        call_complete(scheduler, receiver, result);
        return result;
    }
    if (give_to_owner(scheduler, socket, &packet) < 0)
        lose(scheduler, socket, arrived.datagram->descriptors);
    return 0;
}

static void hand_out_first(struct scheduler *scheduler, struct datagram *socket)
{
    struct weir_buffer *buffer = take_first(&socket->waiting);
    bool stays = hand_out_one(scheduler, socket, buffer) < 0 || arrival_take(buffer);
    if (stays && socket->slot.state == SOCKET_OPEN)
        put_back(&socket->waiting, buffer);
    else
        give_back(scheduler, buffer);
}

void handout_share(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->delivering)
        return;
    int32_t left = CANARY(UNSHARED_RUNS) ? INT32_MAX : datagram_values(socket)->read_packets;
    socket->delivering = true;
    for (; left > 0 && socket->waiting.first && datagram_is_wanted(socket); left--)
        hand_out_first(scheduler, socket);
    socket->delivering = false;
}

/* What there is no memory for is lost, as it is when the kernel has none. */
void handout_keep(struct scheduler *scheduler, struct datagram *socket)
{
    struct weir_buffer *buffer = socket->waiting.first;
    socket->waiting = (struct waiting){NULL, NULL};
    while (buffer) {
        struct weir_buffer *next = buffer->next;
        struct weir_buffer *kept = buffer;
        if (buffer->pool) {
            kept = arrival_copy(buffer);
            scheduler->totals.copied_bytes += buffer->filled;
            buffer_dispatched(buffer);
        }
        if (kept && CANARY(TOLD_TWICE))
            handout_append(socket, arrival_copy(kept));
        if (kept)
            handout_append(socket, kept);
        buffer = next;
    }
}

void handout_drop(struct datagram *socket)
{
    while (socket->waiting.first) {
        struct weir_buffer *buffer = take_first(&socket->waiting);
        if (buffer->pool)
            buffer_dispatched(buffer);
        else
            buffer_release(buffer);
    }
}
