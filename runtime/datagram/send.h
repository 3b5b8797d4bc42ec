/* SPDX-License-Identifier: MIT */
/*
 * Sending a datagram: what may be sent, and who has to wait.
 *
 * A letter and its bytes are the caller's, and are looked at only until they have been copied into
 * a parcel. A call that waits is in one place: on the list of those who wait for a socket that is
 * busy, with nothing queued, or known to its parcel, which tells it what the kernel has said.
 */
#ifndef RUNTIME_DATAGRAM_SEND_H
#define RUNTIME_DATAGRAM_SEND_H

#include <stddef.h>
#include <sys/uio.h>

#include "base/list.h"
#include "runtime/scheduler/call.h"
#include <weir/address.h>
#include <weir/local.h>

struct datagram;
struct parcel;
struct scheduler;
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
    weir_address to;          /* CALL_ASYNC: what the letter points to */
    struct weir_buffer *held; /* CALL_ASYNC: what its bytes lie in */
};

static inline struct letter_call *letter_call_of(struct call *call)
{
    return list_entry(call, struct letter_call, call);
}

/* A letter_call, which is answered with what the kernel says. */
extern const struct call_operation operation_send_letter;

/* The handler's form: never waits. 0, -EAGAIN while busy, or an error. */
int letter_send_now(struct scheduler *scheduler, struct datagram *socket,
                    const struct letter *letter);

#endif
