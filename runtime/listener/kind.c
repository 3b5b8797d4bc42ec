/* SPDX-License-Identifier: MIT */
/* The row of the table of kinds. */
#include "runtime/listener/accept.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/listener/set_option.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

static void end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    struct listener *listener = listener_of(slot);
    if (listener->slot.state != SOCKET_OPEN)
        return;
    if (ending == END_DRAIN || ending == END_STOP) {
        accept_drain(scheduler, listener);
        return;
    }
    slot_hold(&listener->slot);
    accept_close(scheduler, listener);
    slot_move(&listener->slot, SOCKET_CLOSE);
    slot_unhold(scheduler, &listener->slot);
}

/* A thread that closes a listener finds its port free: it waits for the descriptor to be closed. */
static int close_by_call(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    slot_end(scheduler, slot, END_CLOSED);
    if (!call_is_waited_for(call))
        return 0;
    listener_of(slot)->closer = call;
    return CALL_WAITS;
}

/* Who has closed it finds its port free. */
static void release(struct scheduler *scheduler, struct slot *slot)
{
    struct listener *listener = listener_of(slot);
    if (listener->closer)
        call_complete(scheduler, listener->closer, 0);
}

static uint32_t siblings(const struct slot *slot, const weir_socket **siblings)
{
    const struct listening *listening = listener_of(slot)->listening;
    *siblings = listening->siblings;
    return listening->sibling_count;
}

const struct kind kind_listener = {
    .name = "listener",
    .operations = {[OPERATION_IN_KIND(LISTENER_ACCEPT)] = {accept_completed, accept_is_cancelled,
                                                           accept_discard, NULL}},
    .end = end,
    .close = close_by_call,
    .cancel_calls = accept_cancel_calls,
    .lose_mailbox = accept_dismiss_dead,
    .release = release,
    .set_option = listener_set_option,
    .siblings = siblings,
};
