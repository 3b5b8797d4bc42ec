/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/handout.h"

#include <stdatomic.h>

#include "base/canary.h"
#include "runtime/buffer/packet.h"
#include "runtime/datagram/arrival.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/active.h"
#include "runtime/socket/receive_call.h"

bool datagram_is_wanted(const struct datagram *socket)
{
    if (socket->slot.state != SOCKET_OPEN)
        return false;
    return socket->active != WEIR_ACTIVE_FALSE ? !owner_is_full(&socket->slot)
                                               : socket->caller != NULL;
}

static void append(struct waiting *waiting, struct weir_buffer *buffer)
{
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

/* A block that nobody has kept is there for the socket's next single receive. */
static void give_back(struct datagram *socket, struct weir_buffer *buffer)
{
    if (buffer->pool)
        buffer_dispatched(buffer);
    else if (socket->into_block && !socket->block &&
             buffer->capacity >= sizeof(struct arrival) + datagram_values(socket)->buffer &&
             atomic_load_explicit(&buffer->refs, memory_order_acquire) == 1)
        socket->block = buffer;
    else
        buffer_release(buffer);
}

static void count(struct scheduler *scheduler, struct datagram *socket, const uint8_t *bytes,
                  size_t size)
{
    scheduler->totals.packets_received++;
    scheduler->totals.bytes_received += size;
    traffic_count(&socket->received->traffic, &socket->received->max, size);
    if (datagram_values(socket)->bit8 && !socket->bit8_seen)
        socket->bit8_seen = packet_has_bit8(bytes, size);
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

/* 0; an error of a recv leaves the datagram for the next one. What a mailbox has no memory for is
 * lost, as it is when the kernel has none. */
static int hand_out_one(struct scheduler *scheduler, struct datagram *socket,
                        struct weir_buffer *buffer)
{
    struct arrival *arrival = arrival_of(buffer);
    size_t size = arrival_size(buffer);
    const weir_decoded decoded = {.bytes = arrival->bytes, .size = size, .consumed = size};
    weir_packet packet = packet_make(&decoded, NULL, datagram_values(socket), buffer);
    struct call *receiver = socket->active == WEIR_ACTIVE_FALSE ? socket->caller : NULL;
    packet.datagram = &arrival->datagram;
    int result = receiver ? weir_packet_keep(&packet, &receive_call_of(receiver)->packet) : 0;
    if (result == 0)
        count(scheduler, socket, arrival->bytes, size);
    if (receiver) {
        socket->caller = NULL;
        call_complete(scheduler, receiver, result);
        return result;
    }
    if (give_to_owner(scheduler, socket, &packet) < 0)
        datagram_tell_error(scheduler, socket, -ENOMEM);
    return 0;
}

/* {read_packets,_}: a turn's beginning gives every socket its share anew. */
static bool has_share(const struct scheduler *scheduler, struct datagram *socket)
{
    uint16_t turn = (uint16_t)scheduler->totals.turns;
    if (socket->turn != turn) {
        socket->turn = turn;
        socket->turn_count = 0;
    }
    return socket->turn_count < datagram_values(socket)->read_packets;
}

static void line_up(struct scheduler *scheduler, struct datagram *socket)
{
    struct datagrams *datagrams = datagrams_of(scheduler);
    if (!list_is_empty(&socket->queued_link))
        return;
    list_append(&datagrams->queued, &socket->queued_link);
    task_add(&scheduler->tasks, TASK_LAST, &datagrams->end_turn);
}

void handout_start(struct scheduler *scheduler, struct datagram *socket)
{
    if (socket->delivering)
        return;
    socket->delivering = true;
    while (socket->waiting.first && datagram_is_wanted(socket) && has_share(scheduler, socket)) {
        struct weir_buffer *buffer = take_first(&socket->waiting);
        socket->turn_count++;
        if (hand_out_one(scheduler, socket, buffer) < 0) {
            put_back(&socket->waiting, buffer);
            break;
        }
        give_back(socket, buffer);
    }
    socket->delivering = false;
    if (socket->waiting.first && socket->slot.state == SOCKET_OPEN)
        line_up(scheduler, socket);
}

void handout_arrived(struct scheduler *scheduler, struct datagram *socket,
                     struct weir_buffer *buffer)
{
    append(&socket->waiting, buffer);
    handout_start(scheduler, socket);
    if (socket->slot.state != SOCKET_OPEN)
        handout_drop(socket);
}

bool handout_go_on(struct scheduler *scheduler, struct datagram *socket)
{
    list_remove(&socket->queued_link);
    socket->turn_count = 0;
    handout_start(scheduler, socket);
    return socket->waiting.first && datagram_is_wanted(socket);
}

/* What there is no memory for is lost, as it is when the kernel has none. */
void handout_keep(struct scheduler *scheduler, struct datagram *socket)
{
    struct weir_buffer *buffer = socket->waiting.first;
    socket->waiting = (struct waiting){NULL, NULL};
    list_remove(&socket->queued_link);
    while (buffer) {
        struct weir_buffer *next = buffer->next;
        struct weir_buffer *kept = buffer;
        if (buffer->pool) {
            kept = arrival_copy(buffer);
            scheduler->totals.copied_bytes += buffer->filled;
            buffer_dispatched(buffer);
        }
        if (kept && CANARY(TOLD_TWICE))
            append(&socket->waiting, arrival_copy(kept));
        if (kept)
            append(&socket->waiting, kept);
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
    list_remove(&socket->queued_link);
}
