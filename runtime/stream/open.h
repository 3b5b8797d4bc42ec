/* SPDX-License-Identifier: MIT */
/* A call whose result is a connection: of accept, or of connect. */
#ifndef RUNTIME_STREAM_OPEN_H
#define RUNTIME_STREAM_OPEN_H

#include "runtime/scheduler/call.h"

struct connecting;

struct open_call {
    struct call call;
    weir_owner owner;              /* of the connection; its maker keeps it */
    weir_socket socket;            /* the result */
    struct connecting *connecting; /* NULL: it is an accept */
};

static inline struct open_call *open_call_of(struct call *call)
{
    return list_entry(call, struct open_call, call);
}

#endif
