/* SPDX-License-Identifier: MIT */
#include "runtime/listener/taking.h"

#include <string.h>

#include "base/memory.h"
#include "base/probe.h"
#include "base/system.h"
#include "runtime/listener/adopt.h"
#include "runtime/listener/arming.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/late_options.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/stream/open.h"

/* Those whose mailbox is gone get nothing. */
struct call *taking_acceptor(struct scheduler *scheduler, struct listening *listening)
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

/* Without memory it is closed. */
static bool keep_spare(struct listening *listening, int fd)
{
    size_t size = (listening->spare_count + 1) * sizeof(fd);
    int *fds = memory_resize(listening->spare_fds, size);
    if (!fds) {
        system_close(fd);
        return false;
    }
    fds[listening->spare_count++] = fd;
    listening->spare_fds = fds;
    return true;
}

int taking_spare(struct listening *listening)
{
    int fd = listening->spare_fds[0];
    listening->spare_count--;
    memmove(listening->spare_fds, listening->spare_fds + 1, listening->spare_count * sizeof(fd));
    return fd;
}

/* The mailbox that it was for died while it was on its way. */
static void take_back(struct scheduler *scheduler, weir_socket handle, int fd)
{
    struct listener *listener = listener_find(scheduler, handle);
    if (!listener) {
        system_close(fd);
        return;
    }
    late_options_count_again(listener->listening);
    taking_give(scheduler, listener, fd);
    arming_update(scheduler, listener);
}

void taking_give(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct call *call = taking_acceptor(scheduler, listener->listening);
    if (!call) {
        (void)keep_spare(listener->listening, fd);
        return;
    }
    call_hold(scheduler, call);
    adopt_for_call(scheduler, listener, fd, call, take_back);
}

static void serve(struct scheduler *scheduler, struct listener *listener, int fd)
{
    const struct arrival arrival = {
        .fd = fd,
        .family = (enum weir_family)listener->slot.family,
        .options = listener->slot.options,
        .owner = slot_owner(&listener->slot),
        .quota = listening_quota(listener->listening),
    };
    late_options_complete(listener->listening, fd);
    if (listener->listening->proxy_timeout_ms > 0)
        incoming_begin(scheduler, listener, fd);
    else
        adopt_for_owner(scheduler, &arrival);
}

/* A service that ends has no more than this one, which it cannot give back. */
static void serve_with_place(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct listening *listening = listener->listening;
    struct quota *quota = listening->queuer->quota;
    bool has_place = quota_take(quota);
    if (!has_place && listening_ends(listening)) {
        quota_take_beyond(quota);
        has_place = true;
    }
    if (has_place) {
        serve(scheduler, listener, fd);
    } else if (keep_spare(listening, fd)) {
        scheduler->totals.limited++;
        listening->accepting = ACCEPTING_FULL;
        quota_queue(listening->queuer);
    }
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
    serve(scheduler, listener, taking_spare(listener->listening));
    if (listener->slot.state == SOCKET_OPEN)
        arming_update(scheduler, listener);
    slot_unhold(scheduler, &listener->slot);
}

void taking_let_in(struct scheduler *scheduler, struct listener *listener)
{
    quota_take_beyond(listener->listening->queuer->quota);
    serve(scheduler, listener, taking_spare(listener->listening));
}

void taking_connection(struct scheduler *scheduler, struct listener *listener, int fd)
{
    struct listening *listening = listener->listening;
    scheduler->totals.accepts++;
    PROBE2(accept, scheduler->number, fd);
    listening->failed = false;
    listening->has_paused = false;
    listening->told_unusable = false;
    if (!listening->serving)
        taking_give(scheduler, listener, fd);
    else if (listening->queuer)
        serve_with_place(scheduler, listener, fd);
    else
        serve(scheduler, listener, fd);
}
