/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/dispatch.h"

#include "base/canary.h"
#include "base/check.h"
#include "runtime/listener/accept.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/writable.h"

typedef void completed(struct scheduler *, struct socket *, const struct ring_completion *);

static completed *const handlers[OPERATION_COUNT] = {
    [OPERATION_ACCEPT] = accept_completed,     [OPERATION_CONNECT] = connect_completed,
    [OPERATION_RECEIVE] = receive_completed,   [OPERATION_RECEIVE_INTO] = receive_into_completed,
    [OPERATION_SEND] = flush_completed,        [OPERATION_READ] = flush_read,
    [OPERATION_WRITABLE] = writable_completed,
};

/* The slot has another socket by now, or none: what the completion brought is given back. */
static void drop_stale(struct scheduler *scheduler, const struct ring_completion *completion)
{
    scheduler->totals.stale_completions++;
    switch (operation_kind(completion->user_data)) {
    case OPERATION_ACCEPT:
        accept_discard(completion);
        break;
    case OPERATION_RECEIVE:
        receive_discard(scheduler, completion);
        if (CANARY(DOUBLE_RELEASE))
            receive_discard(scheduler, completion);
        break;
    default:
        break;
    }
}

static bool is_stale(const struct socket *socket, const struct ring_completion *completion)
{
    if (socket->pending == 0)
        return true;
    return !CANARY(IGNORED_GENERATION) &&
           socket->generation != operation_generation(completion->user_data);
}

/* The operation's own hold keeps the socket while its handler runs; one that goes on keeps it, so
 * the handler gets another. */
void dispatch(struct scheduler *scheduler, const struct ring_completion *completion)
{
    enum operation kind = operation_kind(completion->user_data);
    struct socket *socket =
        socket_table_at(&scheduler->sockets, operation_slot(completion->user_data));
    if (kind == OPERATION_WAKE) {
        scheduler_wait_for_bell(scheduler);
        return;
    }
    bool stale = !socket || is_stale(socket, completion);
    if (operation_is_cancel(completion->user_data)) {
        if (!stale) /* what it did not find may go on */
            cancel_completed(scheduler, socket, completion);
        return;
    }
    if (stale) {
        drop_stale(scheduler, completion);
        return;
    }
    CHECK(kind > OPERATION_NONE && kind < OPERATION_COUNT);
    if (completion->flags & RING_MORE)
        socket_hold(socket);
    handlers[kind](scheduler, socket, completion);
    socket_unhold(scheduler, socket);
}
