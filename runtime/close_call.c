/* SPDX-License-Identifier: MIT */
/* inet:close and gen_tcp:close. */
#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/datagram/close.h"
#include "runtime/listener/accept.h"
#include "runtime/listener/listener.h"
#include "runtime/owner/mailbox.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/service.h"
#include "runtime/stream/close.h"
#include "runtime/stream/output.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"

static int close_one(weir_socket handle);

/* A handler on another scheduler cannot ask for the siblings, so they are closed from here; who can
 * is told that there are some, and comes again when they are closed. A thread that closes a
 * listener finds its port free: it waits for the descriptor to be closed. */
static int close_listening(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    const struct listening *listening = listener_of(slot)->listening;
    if (call->kind != CALL_ASYNC && listening->sibling_count > 0 && !call->as.closes_service) {
        call->sibling_count = listening->sibling_count;
        return 0;
    }
    for (uint32_t i = 0; i < listening->sibling_count && call->kind == CALL_ASYNC; i++)
        (void)close_one(listening->siblings[i]);
    slot_end(scheduler, slot, END_CLOSED);
    if (call->kind != CALL_BLOCKING)
        return 0;
    listener_of(slot)->closer = call;
    return CALL_WAITS;
}

/* A thread waits for what is queued as long as {linger,{true,Seconds}} says; a handler never. */
static int seconds_to_wait(const struct stream *socket, const struct call *call)
{
    if (call->kind != CALL_BLOCKING || send_queued_bytes(socket) == 0)
        return 0;
    struct linger linger = close_linger(socket);
    return linger.l_onoff ? linger.l_linger : 0;
}

static int run_close(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    if (slot->kind == KIND_LISTENER)
        return close_listening(scheduler, slot, call);
    if (slot->kind == KIND_DATAGRAM)
        return datagram_close(scheduler, slot, call);
    struct stream *socket = stream_of(slot);
    int seconds = seconds_to_wait(socket, call);
    slot_end(scheduler, slot, END_CLOSED);
    if (seconds <= 0 || !socket->output)
        return 0;
    call->timeout_ms = (int64_t)seconds * 1000;
    list_append(&socket->output->drained, &call->link);
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

static void leave_close(struct scheduler *scheduler, struct call *call)
{
    (void)scheduler;
    list_remove(&call->link);
}

static const struct call_operation operation_close = {
    .name = "weir_close", .run = run_close, .leave = leave_close, .dead_result = WEIR_CLOSED};

/* A socket that has ended by itself may have told its owner so, who has not seen it yet. */
static void see_to_dead(weir_socket handle, int result)
{
    if (result == WEIR_CLOSED && handle.id != 0)
        mailbox_forget_closed(handle);
}

static void finish_close(struct call *call)
{
    see_to_dead(call->socket, call->result);
    memory_free(call);
}

/* From a handler on another scheduler: nobody waits for it. */
static int close_elsewhere(weir_socket handle)
{
    struct call *call = call_allocate(sizeof(*call));
    if (!call)
        return error_say(-ENOMEM, "no memory to ask the socket's scheduler to close it");
    call->finish = finish_close;
    (void)call_make_async(&operation_close, handle, call);
    return 0;
}

static bool is_elsewhere(weir_socket handle)
{
    struct scheduler *here = scheduler_current();
    return here && here->index != slot_scheduler(handle);
}

static int close_one(weir_socket handle)
{
    if (is_elsewhere(handle))
        return close_elsewhere(handle);
    struct call call = {.as.closes_service = true};
    see_to_dead(handle, call_make(&operation_close, handle, &call));
    return 0;
}

static int close_service(weir_socket handle)
{
    weir_socket siblings[RUNTIME_SCHEDULERS_MAX];
    uint32_t count = service_siblings(handle, siblings);
    for (uint32_t i = 0; i < count; i++)
        (void)close_one(siblings[i]);
    return close_one(handle);
}

int weir_close(weir_socket handle)
{
    if (is_elsewhere(handle))
        return close_elsewhere(handle);
    struct call call = {0};
    see_to_dead(handle, call_make(&operation_close, handle, &call));
    return call.sibling_count > 0 ? close_service(handle) : 0;
}
