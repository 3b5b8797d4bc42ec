/* SPDX-License-Identifier: MIT */
#include "runtime/listener/acceptors.h"

#include <errno.h>

#include "runtime/listener/adopt.h"
#include "runtime/listener/arming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/stream/open.h"

/* Those whose mailbox is gone get nothing. */
struct call *acceptors_next(struct scheduler *scheduler, struct listening *listening)
{
    struct list *node;
    while ((node = list_take(&listening->acceptors))) {
        struct call *call = list_entry(node, struct call, link);
        int result = owner_check(open_call_of(call)->owner);
        if (result == 0)
            return call;
        call_complete(scheduler, call, result);
    }
    return NULL;
}

static void give(struct scheduler *scheduler, struct listener *listener, struct handover *handover)
{
    struct listening *listening = listener->listening;
    struct call *call = acceptors_next(scheduler, listening);
    if (call) {
        call_hold(scheduler, call);
        adopt_for_call(scheduler, listener, handover, call);
    } else {
        list_append(&listening->kept, &handover->link);
    }
    arming_update(scheduler, listener);
}

/* The mailbox that it was for died while it was on its way. */
static void take_back(struct scheduler *scheduler, struct handover *handover)
{
    struct listener *listener = listener_find(scheduler, handover->listener);
    if (listener)
        give(scheduler, listener, handover);
    else
        adopt_discard(handover);
}

void acceptors_welcome(struct scheduler *scheduler, struct listener *listener,
                       const struct arrival *arrival)
{
    if (!listener || listener->listening->serving) {
        adopt_for_owner(scheduler, arrival);
        return;
    }
    struct handover *handover = adopt_prepare(arrival, take_back);
    if (handover) {
        give(scheduler, listener, handover);
        return;
    }
    struct call *call = acceptors_next(scheduler, listener->listening);
    if (call)
        call_complete(scheduler, call, -ENOMEM);
}

static struct handover *take_kept(struct listening *listening)
{
    struct list *link = list_take(&listening->kept);
    return link ? list_entry(link, struct handover, link) : NULL;
}

void acceptors_give_kept(struct scheduler *scheduler, struct listener *listener)
{
    give(scheduler, listener, take_kept(listener->listening));
}

void acceptors_discard_kept(struct listening *listening)
{
    struct handover *handover;
    while ((handover = take_kept(listening)))
        adopt_discard(handover);
}
