/* SPDX-License-Identifier: MIT */
#include "runtime/busy.h"

#include "runtime/call.h"
#include "runtime/close.h"
#include "runtime/owner.h"
#include "runtime/scheduler.h"
#include "runtime/send.h"
#include "runtime/send_queue.h"
#include "runtime/socket.h"

bool busy_is(const struct scheduler *scheduler, const struct socket *socket)
{
    const struct send_queue *queue = socket->output;
    if (!queue || queue->queued_bytes == 0)
        return false;
    return queue->busy || scheduler->totals.queued_bytes >= scheduler->queued_bytes_limit;
}

bool busy_check_mark(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (queue->busy || queue->queued_bytes < socket_values(socket)->high_watermark)
        return queue->busy;
    queue->busy = true;
    scheduler->totals.busy++;
    return true;
}

void busy_refuse(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!queue->busy) { /* by the runtime's limit */
        queue->busy = true;
        scheduler->totals.busy++;
    }
    queue->refused = true;
}

int busy_cross(struct scheduler *scheduler, struct socket *socket, struct call *call)
{
    call->timeout_ms = socket_values(socket)->send_timeout_ms;
    list_append(&socket->output->crossed, &call->link);
    if (call->timeout_ms == 0) {
        call->operation->leave(scheduler, call);
        return WEIR_TIMEOUT;
    }
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

int busy_suspend(struct scheduler *scheduler, struct socket *socket, struct call *call)
{
    busy_refuse(scheduler, socket);
    socket->output->refused = false; /* a call is completed, not told */
    list_append(&socket->output->suspended, &call->link);
    return CALL_WAITS;
}

/* In order, as long as nobody makes the socket busy again. */
static void resume_suspended(struct scheduler *scheduler, struct socket *socket)
{
    while (socket->output && !socket->output->busy) {
        struct list *node = list_take(&socket->output->suspended);
        if (!node)
            return;
        struct call *call = list_entry(node, struct call, link);
        int result = call->operation->run(scheduler, socket, call);
        if (result != CALL_WAITS)
            call_complete(scheduler, call, result);
    }
}

/* The bytes stay queued, and the socket is not busy any more: the next send crosses again. */
void busy_expire(struct scheduler *scheduler, struct call *call)
{
    struct socket *socket = socket_find(scheduler, call->socket);
    if (!socket || !socket_is_stream(socket) || !socket->output)
        return;
    socket_hold(socket);
    socket->output->busy = false;
    if (socket_values(socket)->send_timeout_close) {
        send_dismiss(scheduler, socket, WEIR_CLOSED);
        send_drop(scheduler, socket);
        socket->closed_told = true;
        close_lose(scheduler, socket, 0);
    } else {
        resume_suspended(scheduler, socket);
    }
    socket_unhold(scheduler, socket);
}

void busy_drained(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!queue->busy || queue->queued_bytes > socket_values(socket)->low_watermark)
        return;
    queue->busy = false;
    call_complete_all(scheduler, &queue->crossed, 0);
    resume_suspended(scheduler, socket);
    if (queue->refused && !queue->busy) {
        queue->refused = false;
        owner_tell_unbusy(scheduler, socket);
    }
}
