/* SPDX-License-Identifier: MIT */
/* weir_cancel: calls of recv and accept that wait, and are no longer wanted. */
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include <weir/reach.h>

static int run_cancel(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    return scheduler->kinds[slot->kind]->cancel_calls(scheduler, slot, call->data);
}

static const struct call_operation operation_cancel = {
    .name = "weir_cancel", .run = run_cancel, .dead_result = WEIR_CLOSED};

int weir_cancel(weir_socket socket, void *data)
{
    struct call call = {.data = data};
    return call_make(&operation_cancel, socket, &call);
}
