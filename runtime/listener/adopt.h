/* SPDX-License-Identifier: MIT */
/* Making a socket of a descriptor that was accepted, on the scheduler that it is to live on. */
#ifndef RUNTIME_LISTENER_ADOPT_H
#define RUNTIME_LISTENER_ADOPT_H

#include <weir/socket.h>

struct scheduler;
struct listener;
struct call;

/* On the listener's own scheduler, for the owner of a service, who is told `accepted`. Where the
 * service has {max_connections,_}, a place has been taken for it. */
void adopt_for_owner(struct scheduler *scheduler, struct listener *listener, int fd,
                     weir_owner owner);

/* Gets a connection back whose acceptor is no more, on its listener's scheduler. */
typedef void adopt_take_back(struct scheduler *scheduler, weir_socket listener, int fd);

/* For a call of accept, which completes: on the scheduler that made it, or, for a thread, on the
 * runtime's schedulers in turn. */
void adopt_for_call(struct scheduler *scheduler, struct listener *listener, int fd,
                    struct call *call, adopt_take_back *take_back);

#endif
