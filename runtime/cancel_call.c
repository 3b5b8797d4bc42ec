/* SPDX-License-Identifier: MIT */
/* weir_cancel: calls of recv and accept that wait, and are no longer wanted. */
#include <errno.h>

#include "base/error.h"
#include "runtime/datagram/datagram.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/listener.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/slot.h"
#include "runtime/stream/stream.h"
#include <weir/reach.h>

static int cancel(struct scheduler *scheduler, struct call *waiting, const void *data)
{
    if (!waiting || waiting->kind != CALL_ASYNC || waiting->data != data)
        return 0;
    waiting->operation->leave(scheduler, waiting);
    call_complete(scheduler, waiting, -ECANCELED);
    return 1;
}

static int cancel_acceptors(struct scheduler *scheduler, const struct listener *socket,
                            const void *data)
{
    struct list *acceptors = &socket->listening->acceptors;
    int count = 0;
    for (struct list *link = acceptors->next; link != acceptors;) {
        struct call *waiting = list_entry(link, struct call, link);
        link = link->next;
        count += cancel(scheduler, waiting, data);
    }
    return count;
}

static int cancel_receiver(struct scheduler *scheduler, struct slot *slot, const void *data)
{
    struct call *waiting =
        slot->kind == KIND_STREAM ? stream_of(slot)->waiter : datagram_of(slot)->caller;
    return cancel(scheduler, waiting, data);
}

static int run_cancel(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    if (slot->kind == KIND_LISTENER)
        return cancel_acceptors(scheduler, listener_of(slot), call->data);
    return cancel_receiver(scheduler, slot, call->data);
}

static const struct call_operation operation_cancel = {
    .name = "weir_cancel",
    .run = run_cancel,
    .kinds = 1 << KIND_LISTENER | 1 << KIND_STREAM | 1 << KIND_DATAGRAM,
    .dead_result = WEIR_CLOSED,
};

int weir_cancel(weir_socket socket, void *data)
{
    struct call call = {.data = data};
    return call_make(&operation_cancel, socket, &call);
}
