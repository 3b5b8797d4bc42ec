/* SPDX-License-Identifier: MIT */
/* Making a socket of a descriptor that was accepted, on the scheduler that it is to live on. */
#ifndef RUNTIME_LISTENER_ADOPT_H
#define RUNTIME_LISTENER_ADOPT_H

#include <weir/socket.h>

struct scheduler;
struct listener;
struct call;
struct option_block;
struct proxy_header;
struct quota;

/* A connection of a service. */
struct arrival {
    int fd;
    enum weir_family family;
    struct option_block *options; /* which it shares */
    weir_owner owner;
    struct quota *quota;               /* {max_connections,_}: it has a place in it; or NULL */
    const struct proxy_header *header; /* whose connection it is, says a proxy; or NULL */
};

/* On the listener's own scheduler. The owner is told `accepted`. */
void adopt_for_owner(struct scheduler *scheduler, const struct arrival *arrival);

/* Gets a connection back whose acceptor is no more, on its listener's scheduler. */
typedef void adopt_take_back(struct scheduler *scheduler, weir_socket listener, int fd);

/* For a call of accept, which completes: on the scheduler that made it, or, for a thread, on the
 * runtime's schedulers in turn. */
void adopt_for_call(struct scheduler *scheduler, struct listener *listener, int fd,
                    struct call *call, adopt_take_back *take_back);

#endif
