/* SPDX-License-Identifier: MIT */
#include "runtime/listener/taking.h"

#include "base/probe.h"
#include "runtime/listener/acceptors.h"
#include "runtime/listener/adopt.h"
#include "runtime/listener/arming.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

/* It has its place. */
static void let_in(struct scheduler *scheduler, struct listener *listener, int fd)
{
    const struct arrival arrival = {
        .fd = fd,
        .family = (enum weir_family)listener->slot.family,
        .options = listener->slot.options,
        .owner = slot_owner(&listener->slot),
        .quota = listening_quota(listener->listening),
    };
    if (listener->listening->proxy_timeout_ms > 0)
        incoming_begin(scheduler, listener, fd);
    else
        acceptors_welcome(scheduler, listener, &arrival);
}

static int take_hand(struct listening *listening)
{
    int fd = listening->in_hand;
    listening->in_hand = -1;
    return fd;
}

/* One that ends has no more than this one, which it cannot give back. */
static void let_in_with_place(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct listening *listening = listener->listening;
    struct quota *quota = listening->queuer->quota;
    bool has_place = quota_take(quota);
    if (!has_place && listening_ends(listening)) {
        quota_take_beyond(quota);
        has_place = true;
    }
    if (has_place) {
        let_in(scheduler, listener, fd);
        return;
    }
    scheduler->totals.limited++;
    listening->in_hand = fd;
    listening->accepting = ACCEPTING_FULL;
    quota_queue(listening->queuer);
}

void taking_place_came(struct scheduler *scheduler, struct inbox_node *node)
{
    struct quota_queuer *queuer = list_entry(node, struct quota_queuer, node);
    struct listener *listener = listener_find(scheduler, queuer->listener);
    quota_arrived(queuer);
    if (!listener || listener->listening->accepting != ACCEPTING_FULL) {
        quota_give_back(queuer->quota);
        if (!listener)
            quota_queuer_free(queuer);
        return;
    }
    listener->listening->accepting = ACCEPTING_NOT;
    slot_hold(&listener->slot);
    let_in(scheduler, listener, take_hand(listener->listening));
    if (listener->slot.state == SOCKET_OPEN)
        arming_update(scheduler, listener);
    slot_unhold(scheduler, &listener->slot);
}

void taking_let_in(struct scheduler *scheduler, struct listener *listener)
{
    quota_take_beyond(listener->listening->queuer->quota);
    let_in(scheduler, listener, take_hand(listener->listening));
}

void taking_connection(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct listening *listening = listener->listening;
    scheduler->totals.accepts++;
    PROBE2(accept, scheduler->number, fd);
    listening->failed = false;
    listening->has_paused = false;
    listening->told_unusable = false;
    late_options_complete(listening, fd);
    if (listening->queuer)
        let_in_with_place(scheduler, listener, fd);
    else
        let_in(scheduler, listener, fd);
}
