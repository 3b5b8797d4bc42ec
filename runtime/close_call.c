/* SPDX-License-Identifier: MIT */
/* inet:close and gen_tcp:close. */
#include "runtime/close_call.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/owner/mailbox.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/service.h"

struct close_call {
    struct call call;
    bool alone;             /* its siblings are closed already */
    uint32_t sibling_count; /* of the service that it was made on: the caller's to see to */
};

static int close_one(weir_socket handle);

/* A handler on another scheduler cannot ask for the siblings, so they are closed from here; who can
 * is told that there are some, and comes again when they are closed. */
static int run_close(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct close_call *close = list_entry(call, struct close_call, call);
    const weir_socket *siblings;
    uint32_t count = close->alone ? 0 : service_siblings_of(slot, &siblings);
    if (count > 0 && call->kind != CALL_ASYNC) {
        close->sibling_count = count;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++)
        (void)close_one(siblings[i]);
    return scheduler->kinds[slot->kind]->close(scheduler, slot, call);
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
    memory_free(list_entry(call, struct close_call, call));
}

/* From a handler on another scheduler: nobody waits for it. */
static int close_elsewhere(weir_socket handle)
{
    struct close_call *close = call_allocate(sizeof(*close));
    if (!close)
        return error_say(-ENOMEM, "no memory to ask the socket's scheduler to close it");
    close->call.finish = finish_close;
    (void)call_make_async(&operation_close, handle, &close->call);
    error_clear_text(); /* it may be dead already, which is no failure */
    return 0;
}

static bool is_elsewhere(weir_socket handle)
{
    struct scheduler *here = scheduler_current();
    return !call_may_wait() && here->index != slot_scheduler(handle);
}

static int close_one(weir_socket handle)
{
    if (is_elsewhere(handle))
        return close_elsewhere(handle);
    struct close_call close = {.alone = true};
    see_to_dead(handle, call_make(&operation_close, handle, &close.call));
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
    struct close_call close = {0};
    see_to_dead(handle, call_make(&operation_close, handle, &close.call));
    int result = close.sibling_count > 0 ? close_service(handle) : 0;
    if (result == 0)
        error_clear_text();
    return result;
}

void close_parts(const weir_socket *parts, uint32_t count)
{
    char text[ERROR_TEXT_SIZE];
    snprintf(text, sizeof(text), "%s", weir_last_error_text());
    for (uint32_t i = 0; i < count; i++)
        weir_close(parts[i]);
    error_set_text(text);
}
