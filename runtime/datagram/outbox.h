/* SPDX-License-Identifier: MIT */
/*
 * What a socket has to send, in order, and how it stands with it. Watermarks: from the high one on
 * it is busy, until what is queued has fallen to the low one.
 *
 * It lives from the first datagram until the slot is free. Invariant: what is queued is counted
 * until the kernel has taken or refused it, so it is busy only while there is a parcel, and calls
 * wait only while it is busy. While there is a parcel, it is on its way out when the turn ends, or
 * room is waited for.
 */
#ifndef RUNTIME_DATAGRAM_OUTBOX_H
#define RUNTIME_DATAGRAM_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "runtime/datagram/parcel.h"
#include "runtime/scheduler/timer.h"
#include "runtime/socket/statistics.h"

struct call;
struct datagram;
struct scheduler;

enum { ROOM_RETRY_MS = 1 };

/* Whether the kernel has room. */
enum outbox_room {
    ROOM_KNOWN,      /* as far as is known */
    ROOM_WAITED_FOR, /* the kernel says when there is some */
    ROOM_CANCELLED,  /* nobody waits for it any more; the last completion is on the way */
};

struct outbox {
    struct datagram *socket;
    struct list link; /* to be sent when the turn ends */
    struct list parcels;
    struct list leaving; /* those before them, while they are offered to the kernel */
    struct list waiters; /* calls that wait until it is not busy */
    struct list askers;  /* calls that wait to be told an address */
    size_t queued_bytes;
    size_t queued_count; /* of datagrams */
    struct traffic sent;
    uint32_t sent_max;
    struct scheduler *scheduler; /* of `retry` */
    struct timer retry;          /* ROOM_WAITED_FOR of a local socket */
    uint8_t room;                /* enum outbox_room */
    bool busy;
    bool refused; /* a handler is to be told `unbusy` */
};

/* The socket's, made when there is none. NULL: no memory. */
struct outbox *outbox_of(struct datagram *socket);

/* Behind all others. */
void outbox_append(struct outbox *outbox, struct parcel *parcel);
/* The last one, or NULL. */
struct parcel *outbox_last(const struct outbox *outbox);
/* Those to the connected peer, which this is, stay its own when the socket has another. */
void outbox_name_peer(struct outbox *outbox, const union parcel_address *peer, socklen_t size);

/* A call waits until it is not busy. */
void outbox_let_wait(struct scheduler *scheduler, struct outbox *outbox, struct call *call);
/* The first of those, which waits no more, or NULL. */
struct call *outbox_take_waiter(struct scheduler *scheduler, struct outbox *outbox);
/* One of them leaves. */
void outbox_leave(struct scheduler *scheduler, struct call *call);

/* What the watermarks are about: empty datagrams must count as well. */
static inline size_t outbox_weight(const struct outbox *outbox)
{
    return outbox->queued_bytes + outbox->queued_count;
}

/* So many bytes of one datagram more, or so many of `count` less. */
void outbox_count(struct outbox *outbox, size_t size);
void outbox_count_off(struct outbox *outbox, size_t size, uint32_t count);

/* Whether nothing is queued; NULL: so it is. */
static inline bool outbox_is_empty(const struct outbox *outbox)
{
    return !outbox || list_is_empty(&outbox->parcels);
}

#endif
