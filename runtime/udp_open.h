/* SPDX-License-Identifier: MIT */
/* Opening UDP sockets, one or a service's. */
#ifndef RUNTIME_UDP_OPEN_H
#define RUNTIME_UDP_OPEN_H

#include <stdint.h>

#include "options/options.h"
#include "runtime/scheduler/call.h"
#include <weir/udp.h>

struct udp_open_call {
    struct call call;
    const struct option_setup *setup;
    int fd;
    weir_owner owner;
    weir_socket socket;          /* the result */
    const weir_socket *siblings; /* the others of the service whose first it is to be */
    uint32_t sibling_count;
};

/* A udp_open_call: makes a socket of a descriptor, which stays the caller's if that fails. */
extern const struct call_operation operation_open_udp;

/* 0, or WEIR_BADARG. */
int udp_check_owner(const struct option_setup *setup, weir_owner owner);

#endif
