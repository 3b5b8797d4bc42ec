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
    weir_owner owner;            /* of a service's connections */
    struct quota *quota;         /* how many there may be; NULL: any number */
    weir_socket socket;          /* the result */
    const weir_socket *siblings; /* the others of the service whose first it is to be */
    uint32_t sibling_count;
};

/* {max_connections,_}: a quota, or NULL. 0, or -ENOMEM. The listeners have shares of it. */
int listen_make_quota(const struct listen_plan *plan, struct quota **quota);

/* A listen_call: makes a listener of a descriptor, which stays the caller's if that fails. */
extern const struct call_operation operation_listen;

#endif
