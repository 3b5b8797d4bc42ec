/* SPDX-License-Identifier: MIT */
/*
 * A watch is a slot of the scheduler's with a poll in flight at most. Its descriptor is not closed
 * here, and may be gone before the poll has come back: the kernel holds what it polls.
 */
#include "runtime/watch/watch.h"

#include <errno.h>
#include <poll.h>

#include "base/canary.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"

enum polling {
    POLLING_NOT,
    POLLING,
    POLLING_CANCELLED, /* the poll's completion is on the way */
};

struct watch {
    struct slot slot;
    enum polling polling;
    unsigned wanted;
    unsigned armed; /* what the poll waits for */
    watch_ready *ready;
    void *context;
};

_Static_assert(offsetof(struct watch, slot) == 0, "a slot is its watch");
_Static_assert(sizeof(struct watch) <= SLOT_SIZE, "a slot has room for it");

static struct watch *watch_of(const struct slot *slot)
{
    return (struct watch *)slot;
}

struct watch *watch_open(struct scheduler *scheduler, int fd, watch_ready *ready, void *context)
{
    struct slot *slot = slot_create(scheduler, KIND_WATCH, fd, WEIR_ANY_FAMILY);
    if (!slot)
        return NULL;
    struct watch *watch = watch_of(slot);
    watch->ready = ready;
    watch->context = context;
    slot_move(slot, SOCKET_ESTABLISH);
    return watch;
}

static void cancel(struct scheduler *scheduler, struct watch *watch)
{
    watch->polling = POLLING_CANCELLED;
    cancel_start(scheduler, &watch->slot, WATCH_POLL);
}

/* Polls for what is wanted, unless a poll that waits for it is on its way. */
static void go_on(struct scheduler *scheduler, struct watch *watch)
{
    struct slot *slot = &watch->slot;
    if (watch->polling == POLLING && (watch->wanted & ~watch->armed))
        cancel(scheduler, watch);
    if (watch->polling != POLLING_NOT || watch->wanted == 0)
        return;
    watch->armed = watch->wanted;
    watch->polling = POLLING;
    slot_hold(slot);
    ring_poll(scheduler->ring, slot_operation(slot, WATCH_POLL), slot->fd, watch->armed);
}

void watch_want(struct scheduler *scheduler, struct watch *watch, unsigned events)
{
    watch->wanted = events;
    go_on(scheduler, watch);
}

void watch_close(struct scheduler *scheduler, struct watch *watch)
{
    slot_hold(&watch->slot);
    if (watch->polling == POLLING)
        cancel(scheduler, watch);
    slot_move(&watch->slot, SOCKET_CLOSE);
    slot_unhold(scheduler, &watch->slot);
}

static bool is_open(const struct watch *watch)
{
    return watch->slot.state == SOCKET_OPEN;
}

/* No other poll is begun while it is told, whatever that brings about. A descriptor that cannot be
 * polled is told of once. */
static void completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion)
{
    struct watch *watch = watch_of(slot);
    bool failed = completion->result < 0;
    watch->polling = POLLING_CANCELLED;
    if (failed && completion->result != -ECANCELED)
        watch->wanted = 0;
    if (is_open(watch) && completion->result != -ECANCELED)
        watch->ready(scheduler, watch->context, failed ? POLLERR : (unsigned)completion->result);
    watch->polling = POLLING_NOT;
    if (is_open(watch) && !CANARY(MISSED_POLL))
        go_on(scheduler, watch);
}

static bool is_cancelled(const struct slot *slot)
{
    return watch_of(slot)->polling == POLLING_CANCELLED;
}

/* Who opened it closes it. */
static void end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    (void)scheduler;
    (void)slot;
    (void)ending;
}

/* It is somebody else's. */
static bool give_up_descriptor(struct scheduler *scheduler, struct slot *slot)
{
    (void)scheduler;
    slot->fd = -1;
    return false;
}

const struct kind kind_watch = {
    .name = "watch",
    .is_inner = true,
    .operations = {[OPERATION_IN_KIND(WATCH_POLL)] = {completed, is_cancelled, NULL, NULL}},
    .end = end,
    .give_up_descriptor = give_up_descriptor,
};
