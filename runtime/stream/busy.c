/* SPDX-License-Identifier: MIT */
#include "runtime/stream/busy.h"

#include "base/canary.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"
#include "runtime/send_queue/send_queue.h"
#include "runtime/stream/close.h"
#include "runtime/stream/send.h"

static bool over_limit(const struct scheduler *scheduler)
{
    return scheduler->totals.queued_bytes >= scheduler->queued_bytes_limit;
}

/* An eighth below the limit, so that not every byte that leaves wakes everybody up. */
static bool is_relieved(const struct scheduler *scheduler)
{
    uint64_t limit = scheduler->queued_bytes_limit;
    return scheduler->totals.queued_bytes <= limit - limit / 8;
}

static bool limit_holds(const struct scheduler *scheduler, const struct send_queue *queue)
{
    bool waits = !list_is_empty(&queue->limit_link);
    return waits ? !is_relieved(scheduler) : over_limit(scheduler);
}

bool busy_is(const struct scheduler *scheduler, const struct socket *socket)
{
    const struct send_queue *queue = socket->output;
    return queue && queue->queued_bytes > 0 && (queue->busy || over_limit(scheduler));
}

static void become_busy(struct scheduler *scheduler, struct send_queue *queue)
{
    queue->busy = true;
    scheduler->totals.busy++;
}

bool busy_check_mark(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!queue->busy && queue->queued_bytes >= socket_values(socket)->high_watermark)
        become_busy(scheduler, queue);
    return queue->busy;
}

static void wait_for_limit(struct scheduler *scheduler, struct send_queue *queue)
{
    if (list_is_empty(&queue->limit_link))
        list_append(&scheduler->limited, &queue->limit_link);
}

/* Somebody waits: what keeps the socket busy is noted, so that its end is noticed. */
static void stay_busy(struct scheduler *scheduler, struct send_queue *queue)
{
    if (queue->busy)
        return;
    become_busy(scheduler, queue);
    wait_for_limit(scheduler, queue);
}

void busy_refuse(struct scheduler *scheduler, struct socket *socket)
{
    stay_busy(scheduler, socket->output);
    socket->output->refused = true;
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
    stay_busy(scheduler, socket->output);
    list_append(&socket->output->suspended, &call->link);
    return CALL_WAITS;
}

/* In order, as long as nobody makes the socket busy again. */
static void resume_suspended(struct scheduler *scheduler, struct socket *socket)
{
    while (socket->output && !list_is_empty(&socket->output->suspended)) {
        if (busy_is(scheduler, socket)) {
            stay_busy(scheduler, socket->output);
            return;
        }
        struct call *call = list_entry(list_take(&socket->output->suspended), struct call, link);
        int result = call->operation->run(scheduler, socket, call);
        if (result != CALL_WAITS)
            call_complete(scheduler, call, result);
    }
}

static void let_go_on(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    queue->busy = false;
    list_remove(&queue->limit_link);
    call_complete_all(scheduler, &queue->crossed, 0);
    resume_suspended(scheduler, socket);
    queue = socket->output;
    if (!queue || !queue->refused)
        return;
    if (busy_is(scheduler, socket)) {
        stay_busy(scheduler, queue);
        return;
    }
    queue->refused = false;
    if (!CANARY(FORGOTTEN_UNBUSY))
        owner_tell_unbusy(scheduler, socket);
}

static void time_out(struct scheduler *scheduler, struct socket *socket)
{
    if (!socket_values(socket)->send_timeout_close) {
        let_go_on(scheduler, socket);
        return;
    }
    bool refused = socket->output->refused;
    close_lose(scheduler, socket, LATCH_UNASKED);
    send_drop(scheduler, socket);
    if (refused)
        owner_tell_unbusy(scheduler, socket);
}

/* The bytes stay queued, and the socket is not busy any more: the next send crosses again. */
void busy_expire(struct scheduler *scheduler, struct call *call)
{
    struct socket *socket = socket_find(scheduler, call->socket);
    if (!socket || !socket_is_stream(socket) || !socket->output)
        return;
    socket_hold(socket);
    time_out(scheduler, socket);
    socket_unhold(scheduler, socket);
}

void busy_drained(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!queue->busy || queue->queued_bytes > socket_values(socket)->low_watermark)
        return;
    if (queue->queued_bytes > 0 && limit_holds(scheduler, queue))
        wait_for_limit(scheduler, queue);
    else
        let_go_on(scheduler, socket);
}

void busy_relieve(struct scheduler *scheduler)
{
    struct list limited;
    struct list *node;
    if (list_is_empty(&scheduler->limited) || !is_relieved(scheduler))
        return;
    list_init(&limited);
    list_move_all(&limited, &scheduler->limited);
    while ((node = list_take(&limited))) {
        struct socket *socket = list_entry(node, struct send_queue, limit_link)->socket;
        socket_hold(socket);
        busy_drained(scheduler, socket);
        socket_unhold(scheduler, socket);
    }
}
