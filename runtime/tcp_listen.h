/* SPDX-License-Identifier: MIT */
/* Making listeners, one or a service's. */
#ifndef RUNTIME_TCP_LISTEN_H
#define RUNTIME_TCP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/scheduler/call.h"
#include <weir/socket.h>

struct listen_plan;
struct quota;

struct listen_call {
    struct call call;
    const struct listen_plan *plan;
    int fd;
    enum weir_family family;
    bool serving;
    bool has_rivals;             /* other listeners are of the same socket */
    bool inherited;              /* the socket was there already */
    weir_owner owner;            /* of a service's connections, */
    struct quota *quota;         /* and how many it may have; NULL: any number */
    uint32_t proxy_timeout_ms;   /* in which their header has to come; 0: they have none */
    weir_socket socket;          /* the result */
    const weir_socket *siblings; /* the others of the service whose first it is to be */
    uint32_t sibling_count;
};

/* A listen_call: makes a listener of a descriptor, which stays the caller's if that fails. */
extern const struct call_operation operation_listen;

#endif
