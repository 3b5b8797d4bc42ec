/* SPDX-License-Identifier: MIT */
/*
 * What a datagram is made of. A letter and its bytes are the caller's, and are looked at only until
 * they have been copied into a parcel.
 */
#ifndef RUNTIME_DATAGRAM_LETTER_H
#define RUNTIME_DATAGRAM_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/list.h"
#include "runtime/scheduler/call.h"
#include <weir/address.h>
#include <weir/local.h>

struct parcel;
struct weir_buffer;

struct letter {
    const weir_address *to; /* NULL: the connected peer, or `local` */
    struct iovec bytes;
    const weir_local_address *local; /* to whom a local socket sends, or NULL */
    struct weir_buffer *rights;      /* descriptors that go with it, or NULL */
};

struct letter_call {
    struct call call;
    struct letter letter;
    struct parcel *parcel;    /* that it is in; NULL: it waits until there is room for one */
    bool is_waited_for;       /* CALL_ASYNC: by the caller of the call that made it */
    weir_address to;          /* CALL_ASYNC: what the letter points to */
    struct weir_buffer *held; /* CALL_ASYNC: what its bytes lie in */
};

static inline struct letter_call *letter_call_of(struct call *call)
{
    return list_entry(call, struct letter_call, call);
}

#endif
