/* SPDX-License-Identifier: MIT */
/* A call that waits for a packet. */
#ifndef RUNTIME_SOCKET_RECEIVE_CALL_H
#define RUNTIME_SOCKET_RECEIVE_CALL_H

#include <stddef.h>

#include "runtime/scheduler/call.h"

struct shelf;

struct receive_call {
    struct call call;
    size_t length;       /* of a stream: 0 is whatever there is */
    weir_packet packet;  /* the result, kept */
    struct shelf *shelf; /* of a thread, for what is left then; may be NULL */
};

static inline struct receive_call *receive_call_of(struct call *call)
{
    return list_entry(call, struct receive_call, call);
}

#endif
