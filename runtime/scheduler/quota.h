/* SPDX-License-Identifier: MIT */
/*
 * {max_connections,_}: how many connections a listener, or a service, may have. Listeners of one
 * service, on all schedulers, share a count of places, which is touched when a connection is
 * accepted and when its descriptor is closed. Who has accepted one that there is no place for keeps
 * it and queues here; places that become free are theirs in turn, told by a node that is posted to
 * the listener's scheduler.
 *
 * Nobody is forgotten between the last place's return and a listener that queues: the one lowers
 * the count and then looks whether somebody queues, the other queues and then looks at the count,
 * and these are sequentially consistent.
 */
#ifndef RUNTIME_SCHEDULER_QUOTA_H
#define RUNTIME_SCHEDULER_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "runtime/scheduler/inbox.h"
#include <weir/socket.h>

struct quota;
struct scheduler;
struct slot;

/* NULL: no memory. Whoever keeps it has a share of it, its maker the first, and so has each place
 * that is taken. */
struct quota *quota_create(uint32_t limit);
void quota_drop(struct quota *quota);

/* A place; false: there is none. */
bool quota_take(struct quota *quota);
/* One more than there are. */
void quota_take_beyond(struct quota *quota);
void quota_give_back(struct quota *quota);
bool quota_has_room(struct quota *quota);

/* The place is the slot's connection's from now on. 0, or -ENOMEM: it is still the caller's. */
int quota_occupy(struct scheduler *scheduler, const struct slot *slot, struct quota *quota);
/* The place is the caller's again. NULL: it has none. */
struct quota *quota_vacate(struct scheduler *scheduler, const struct slot *slot);
/* Its descriptor is closed. Nothing, when it has no place. */
void quota_leave(struct scheduler *scheduler, const struct slot *slot);

enum quota_queueing {
    QUOTA_NOT_QUEUED,
    QUOTA_QUEUED,
    QUOTA_CALLED, /* a place is on its way, as the node; which only quota_arrived ends */
};

/* A listener as its quota sees it. It has memory of its own, as its node outlives the listener. */
struct quota_queuer {
    struct inbox_node node; /* `run` is its maker's, and calls quota_arrived */
    struct list link;
    struct quota *quota;
    struct scheduler *scheduler;
    weir_socket listener;
    enum quota_queueing queueing; /* under the quota's lock */
};

/* With a share of the quota. NULL: no memory. */
struct quota_queuer *quota_queuer_create(struct quota *quota, struct scheduler *scheduler,
                                         weir_socket listener);

void quota_queue(struct quota_queuer *queuer);

/* The node has run: the place is the listener's. */
void quota_arrived(struct quota_queuer *queuer);

/* Its listener is closed. When its node is on its way it is freed by a second call, from there. */
void quota_queuer_free(struct quota_queuer *queuer);

#endif
