/* SPDX-License-Identifier: MIT */
/*
 * Making a socket of a descriptor that was accepted, on the scheduler that it is to live on.
 * Whoever has an arrival has its descriptor and its place, until it is a socket or is discarded.
 */
#ifndef RUNTIME_LISTENER_ADOPT_H
#define RUNTIME_LISTENER_ADOPT_H

#include "address/proxy_header.h"
#include "base/list.h"
#include "options/option_block.h"
#include "runtime/scheduler/inbox.h"
#include <weir/socket.h>

struct scheduler;
struct listener;
struct call;
struct quota;

struct arrival {
    int fd;
    enum weir_family family;
    struct option_block *options;      /* which it shares, if it is a service's */
    weir_owner owner;                  /* if it is a service's */
    struct quota *quota;               /* {max_connections,_}: it has a place in it; or NULL */
    const struct proxy_header *header; /* whose connection it is, says a proxy; or NULL */
};

/* One that is for a call of accept: kept by its listener, then on its way to where it is to live.
 */
struct handover {
    struct inbox_node node;
    struct list link;
    struct arrival arrival;
    struct proxy_header header;
    struct option_values values;
    struct call *call;
    weir_socket listener;
    void (*take_back)(struct scheduler *scheduler, struct handover *handover);
};

/* Gets one back whose acceptor is no more, on its listener's scheduler. */
typedef void adopt_take_back(struct scheduler *scheduler, struct handover *handover);

/* NULL: no memory, and what arrived is discarded. */
struct handover *adopt_prepare(const struct arrival *arrival, adopt_take_back *take_back);
void adopt_discard(struct handover *handover);

/* On the listener's own scheduler. The owner is told `accepted`. */
void adopt_for_owner(struct scheduler *scheduler, const struct arrival *arrival);

/* For a call of accept, which completes: on the scheduler that made it, or, for a thread, on the
 * runtime's schedulers in turn. */
void adopt_for_call(struct scheduler *scheduler, const struct listener *listener,
                    struct handover *handover, struct call *call);

#endif
