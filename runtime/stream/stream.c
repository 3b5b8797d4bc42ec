/* SPDX-License-Identifier: MIT */
/*
 * A connection settles when its queue is empty and no operation is in flight; then its descriptor
 * goes. Its slot is free once its handle is dead too, and its handler was told that it is gone.
 */
#include "runtime/stream/stream.h"

#include "base/canary.h"
#include "runtime/buffer/buffer.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/close.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/send.h"
#include "runtime/stream/set_option.h"
#include "runtime/stream/streams.h"
#include "runtime/stream/writable.h"

struct stream *stream_create(struct scheduler *scheduler, int fd, enum weir_family family)
{
    struct slot *slot = slot_create(scheduler, KIND_STREAM, fd, family);
    if (!slot)
        return NULL;
    struct stream *socket = stream_of(slot);
    socket->active = WEIR_ACTIVE_FALSE;
    socket->bulk = true;
    list_init(&socket->link);
    return socket;
}

void stream_set_options(struct stream *socket, struct option_block *options)
{
    if (socket->slot.options)
        option_block_drop(socket->slot.options);
    socket->slot.options = option_block_share(options);
    socket->bit8_seen = options->values.bit8 == WEIR_BIT8_SET;
}

struct stream *stream_find(struct scheduler *scheduler, weir_socket handle)
{
    struct slot *slot = slot_find(scheduler, handle);
    return slot && slot->kind == KIND_STREAM ? stream_of(slot) : NULL;
}

static bool settled(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *socket = stream_of(slot);
    if (send_queued_bytes(socket) > 0)
        return false;
    receive_stop(scheduler, socket);
    writable_stop(scheduler, socket);
    return socket->slot.pending <= send_notices(socket);
}

void stream_connected(struct scheduler *scheduler, struct stream *socket)
{
    socket->connected = true;
    scheduler->totals.connections++;
}

static bool give_up_descriptor(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *socket = stream_of(slot);
    if (!close_descriptor(socket))
        return false;
    scheduler->totals.connections -= socket->connected;
    socket->connected = false;
    return true;
}

static void free_stream(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->input)
        buffer_release(socket->input);
    send_free(scheduler, socket);
    owner_set(&socket->slot, weir_owned_by_nobody());
    list_remove(&socket->link);
    if (socket->slot.options)
        option_block_drop(socket->slot.options);
    slot_free(scheduler, &socket->slot);
}

/* A handler may be called from the turn only, and after the callbacks of its calls: those that wait
 * for the kernel, or have come home, are finished in the next turn at the latest. */
static void release(struct scheduler *scheduler, struct slot *slot)
{
    struct stream *socket = stream_of(slot);
    struct streams *streams = streams_of(scheduler);
    if (!owner_waits_for_gone(socket->slot.owner) || CANARY(FORGOTTEN_GONE)) {
        free_stream(scheduler, socket);
    } else if (list_is_empty(&socket->link)) {
        list_append(&streams->settled, &socket->link);
        task_add(&scheduler->tasks, TASK_LAST, &streams->tell_gone);
    }
}

void stream_tell_gone(struct scheduler *scheduler, struct task *task)
{
    struct streams *streams = streams_of(scheduler);
    struct list leaving;
    struct list *node;
    list_init(&leaving);
    list_move_all(&leaving, &streams->leaving);
    list_move_all(&streams->leaving, &streams->settled);
    while ((node = list_take(&leaving))) {
        struct stream *socket = list_entry(node, struct stream, link);
        owner_tell_gone(scheduler, &socket->slot);
        free_stream(scheduler, socket);
    }
    if (!list_is_empty(&streams->leaving))
        task_add(&scheduler->tasks, TASK_LAST, task);
}

void stream_get_statistics(const struct stream *socket, weir_statistics *statistics)
{
    const struct traffic *received = &socket->received;
    const struct traffic *sent = &socket->sent;
    *statistics = (weir_statistics){
        .recv_oct = received->octets,
        .recv_cnt = (uint32_t)received->count,
        .recv_max = received->max,
        .recv_avg = traffic_average(received),
        .recv_dvi = traffic_deviation(received),
        .send_oct = sent->octets,
        .send_cnt = (uint32_t)sent->count,
        .send_max = sent->max,
        .send_avg = traffic_average(sent),
        .send_dvi = traffic_deviation(sent),
        .send_pend = send_queued_bytes(socket),
    };
}

const struct kind kind_stream = {
    .name = "stream",
    .operations =
        {
            [OPERATION_IN_KIND(STREAM_CONNECT)] = {connect_completed, connect_is_cancelled, NULL},
            [OPERATION_IN_KIND(STREAM_RECEIVE)] = {receive_completed, receive_is_cancelled,
                                                   receive_discard},
            [OPERATION_IN_KIND(STREAM_RECEIVE_INTO)] = {receive_into_completed,
                                                        receive_into_is_cancelled, NULL},
            [OPERATION_IN_KIND(STREAM_SEND)] = {flush_completed, flush_is_cancelled, NULL},
            [OPERATION_IN_KIND(STREAM_READ)] = {flush_read, flush_is_cancelled, NULL},
            [OPERATION_IN_KIND(STREAM_WRITABLE)] = {writable_completed, writable_is_cancelled,
                                                    NULL},
        },
    .open = streams_open,
    .shut = streams_shut,
    .end = close_end,
    .settled = settled,
    .give_up_descriptor = give_up_descriptor,
    .release = release,
    .set_option = stream_set_option,
    .changed = stream_changed,
};
