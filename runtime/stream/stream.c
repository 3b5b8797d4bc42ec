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
#include "runtime/scheduler/socket.h"
#include "runtime/stream/close.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/send.h"
#include "runtime/stream/streams.h"
#include "runtime/stream/writable.h"

static bool settled(struct scheduler *scheduler, struct socket *socket)
{
    if (send_queued_bytes(socket) > 0)
        return false;
    receive_stop(scheduler, socket);
    writable_stop(scheduler, socket);
    return socket->pending <= send_notices(socket);
}

void stream_connected(struct scheduler *scheduler, struct socket *socket)
{
    socket->connected = true;
    scheduler->totals.connections++;
}

static bool give_up_descriptor(struct scheduler *scheduler, struct socket *socket)
{
    if (!close_descriptor(socket))
        return false;
    scheduler->totals.connections -= socket->connected;
    socket->connected = false;
    return true;
}

static void free_stream(struct scheduler *scheduler, struct socket *socket)
{
    if (socket->input)
        buffer_release(socket->input);
    send_free(scheduler, socket);
    owner_set(socket, weir_owned_by_nobody());
    list_remove(&socket->link);
    socket_free(scheduler, socket);
}

/* A handler may be called from the turn only, and after the callbacks of its calls: those that wait
 * for the kernel, or have come home, are finished in the next turn at the latest. */
static void release(struct scheduler *scheduler, struct socket *socket)
{
    struct streams *streams = streams_of(scheduler);
    if (!owner_waits_for_gone(socket->owner) || CANARY(FORGOTTEN_GONE)) {
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
        struct socket *socket = list_entry(node, struct socket, link);
        owner_tell_gone(scheduler, socket);
        free_stream(scheduler, socket);
    }
    if (!list_is_empty(&streams->leaving))
        task_add(&scheduler->tasks, TASK_LAST, task);
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
};
