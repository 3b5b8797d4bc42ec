/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/close.h"

#include "base/memory.h"
#include "base/system.h"
#include "runtime/datagram/collect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/datagrams.h"
#include "runtime/datagram/departure.h"
#include "runtime/datagram/handout.h"
#include "runtime/datagram/outbox.h"
#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/passed.h"

static void dismiss_senders(struct scheduler *scheduler, struct outbox *outbox)
{
    struct call *call;
    while ((call = outbox_take_waiter(scheduler, outbox)))
        call_complete(scheduler, call, WEIR_CLOSED);
    while (!list_is_empty(&outbox->askers))
        call_end(scheduler, list_entry(outbox->askers.next, struct call, link), WEIR_CLOSED);
}

static void dismiss(struct scheduler *scheduler, struct datagram *socket)
{
    struct call *receiver = socket->caller;
    socket->caller = NULL;
    if (receiver)
        call_complete(scheduler, receiver, WEIR_CLOSED);
    if (socket->outbox)
        dismiss_senders(scheduler, socket->outbox);
}

static void close_open(struct scheduler *scheduler, struct datagram *socket, enum ending ending)
{
    if (ending == END_STOP && socket->active != WEIR_ACTIVE_FALSE)
        owner_tell(scheduler, &socket->slot, WEIR_MESSAGE_CLOSED, 0);
    if (socket->slot.state != SOCKET_OPEN)
        return;
    slot_move(&socket->slot, SOCKET_CLOSE);
    dismiss(scheduler, socket);
    handout_drop(socket);
    passed_drop(scheduler, &socket->slot);
}

/* What is queued is still sent, but when the runtime cannot wait for that any longer. */
void datagram_end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    struct datagram *socket = datagram_of(slot);
    if (ending == END_DRAIN)
        return;
    slot_hold(slot);
    if (slot->state == SOCKET_OPEN)
        close_open(scheduler, socket, ending);
    departure_give_up(scheduler, socket);
    if (ending == END_ABORT)
        departure_drop(scheduler, socket, WEIR_CLOSED);
    slot_unhold(scheduler, slot);
}

/* It has no end of its own, but what it has queued is to leave. */
bool datagram_outlasts_drain(const struct slot *slot)
{
    return slot->state == SOCKET_OPEN && outbox_is_empty(datagram_of(slot)->outbox);
}

bool datagram_settled(struct scheduler *scheduler, struct slot *slot)
{
    struct datagram *socket = datagram_of(slot);
    collect_stop(scheduler, socket);
    return outbox_is_empty(socket->outbox) && slot->pending == 0;
}

/* A thread that closes it finds its port free. */
bool datagram_give_up_descriptor(struct scheduler *scheduler, struct slot *slot)
{
    struct datagram *socket = datagram_of(slot);
    datagram_note_dropped(scheduler, socket);
    system_close(slot->fd);
    slot->fd = -1;
    if (socket->caller)
        call_complete(scheduler, socket->caller, 0);
    return true;
}

void datagram_release(struct scheduler *scheduler, struct slot *slot)
{
    struct datagram *socket = datagram_of(slot);
    (void)scheduler;
    memory_free(socket->outbox);
    memory_free(socket->siblings);
    memory_free(socket->received);
    owner_set(slot, weir_owned_by_nobody());
}

int datagram_close(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    slot_end(scheduler, slot, END_CLOSED);
    if (!call_is_waited_for(call))
        return 0;
    datagram_of(slot)->caller = call;
    return CALL_WAITS;
}
