/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/cancel.h"

#include <errno.h>
#include <stdbool.h>

#include "base/canary.h"
#include "base/check.h"
#include "runtime/listener/accept.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"
#include "runtime/stream/connect.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/writable.h"

/* Whether an operation is in flight of which nothing more is wanted. */
static bool (*const is_cancelled[OPERATION_COUNT])(const struct socket *) = {
    [OPERATION_ACCEPT] = accept_is_cancelled,
    [OPERATION_CONNECT] = connect_is_cancelled,
    [OPERATION_RECEIVE] = receive_is_cancelled,
    [OPERATION_RECEIVE_INTO] = receive_into_is_cancelled,
    [OPERATION_SEND] = flush_is_cancelled,
    [OPERATION_READ] = flush_is_cancelled,
    [OPERATION_WRITABLE] = writable_is_cancelled,
};

void cancel_start(struct scheduler *scheduler, struct socket *socket, enum operation kind)
{
    uint64_t target = socket_operation(socket, kind);
    ring_cancel(scheduler->ring, operation_cancel_of(target), target);
}

/* Not found, and not over either: the kernel was about to try it again, when it is neither waiting
 * nor running. Seen on 6.18. One that a worker thread runs was sent a signal and will end. */
void cancel_completed(struct scheduler *scheduler, struct socket *socket,
                      const struct ring_completion *completion)
{
    enum operation kind = operation_kind(completion->user_data);
    CHECK(kind > OPERATION_NONE && kind < OPERATION_COUNT && is_cancelled[kind]);
    if (completion->result == -ENOENT && is_cancelled[kind](socket) && !CANARY(ONE_CANCEL)) {
        scheduler->totals.missed_cancels++;
        cancel_start(scheduler, socket, kind);
    }
}
