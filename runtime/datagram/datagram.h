/* SPDX-License-Identifier: MIT */
/*
 * A UDP socket: the kind of socket that it is.
 *
 * Who may touch it: its scheduler. A callback may close it, after which it may be free as soon as
 * nothing holds its slot; so whoever calls an owner holds it: a completion and a call do, and what
 * is done at the turn's end does so itself.
 *
 * Invariants: `collecting` says where its slot stands, on one list at most, or that one poll is in
 * flight. While `delivering`, nobody further up the stack hands out or polls: who has set it goes
 * on. `waiting` is empty from the close on.
 */
#ifndef RUNTIME_DATAGRAM_DATAGRAM_H
#define RUNTIME_DATAGRAM_DATAGRAM_H

#include <stddef.h>

#include "base/list.h"
#include "options/option_block.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/slot.h"
#include "runtime/socket/statistics.h"

struct call;
struct outbox;
struct weir_buffer;

extern const struct kind kind_datagram;

enum datagram_operation {
    DATAGRAM_READABLE = OPERATION_OF_KIND(KIND_DATAGRAM, 0), /* something has come, or an error */
    DATAGRAM_WRITABLE,                                       /* there may be room for sending */
};

/* How a socket learns that something has come. */
enum collecting {
    COLLECTING_NOT,
    COLLECTING_POLLED,    /* the kernel says so, once */
    COLLECTING_CANCELLED, /* the last completion is on the way */
    COLLECTING_LISTED,    /* there may be more: it has its next share when others have had theirs */
    COLLECTING_EXPECTING, /* several came at once, so others will have when this turn has ended */
    COLLECTING_RESTING,   /* it fails over and over: it is asked again a little later */
};

/* What of a batch waits, linked by its buffers: in the pool's until the turn ends, then in blocks.
 */
struct waiting {
    struct weir_buffer *first;
    struct weir_buffer *last;
};

struct tally {
    struct traffic traffic;
    uint32_t max;
    uint32_t truncated;
    uint32_t dropped; /* by the kernel, as far as the totals know */
};

struct datagram {
    struct slot slot;
    uint8_t collecting; /* enum collecting */
    bool delivering;    /* its packets are being handed out, further down the stack */
    bool bit8_seen;
    bool connected;
    bool has_runs;        /* {udp_gro,true}, however that came to be */
    bool leaves_runs;     /* until none is left of those that wait in the kernel */
    bool has_credentials; /* {credentials,true}, the same */
    uint8_t failures;     /* reads in a row that have brought nothing */
    uint16_t in_row;      /* came by whole shares, since it was seen how many were dropped */
    int32_t active;       /* WEIR_ACTIVE_*, or how many messages are left */
    int32_t error;        /* what the next call of a passive socket is told */
    struct waiting waiting;
    struct call *caller;    /* who waits in recv; of a closed one, until its port is free */
    weir_socket *siblings;  /* the first of a service: the others, and one that is none */
    struct outbox *outbox;  /* NULL: it has sent nothing */
    struct tally *received; /* where it takes no room of other kinds' slots */
};

_Static_assert(offsetof(struct datagram, slot) == 0, "a slot is its socket");
_Static_assert(sizeof(struct datagram) <= SLOT_SIZE, "a slot has room for it");

static inline struct datagram *datagram_of(const struct slot *slot)
{
    return (struct datagram *)slot;
}

static inline const struct option_values *datagram_values(const struct datagram *socket)
{
    return &socket->slot.options->values;
}

/* A new one on `fd`, which is open and without an owner. NULL: no memory. */
struct datagram *datagram_create(struct scheduler *scheduler, int fd, enum weir_family family,
                                 const struct option_values *values);

/* After an option of the kernel's has changed. */
void datagram_learn(struct datagram *socket);

/* {udp_gro,false}: the kernel puts nothing together any more, as soon as nothing waits that may be
 * a run. While `leaves_runs`, to be called again when that may be. */
void datagram_leave_runs(struct datagram *socket);

/* The live socket of a handle of this scheduler, or NULL. */
struct datagram *datagram_find(struct scheduler *scheduler, weir_socket handle);

/* How many the kernel has dropped until now, and that in the totals too. The kernel is asked: that
 * each datagram says it (SO_RXQ_OVFL) costs each of them 2.6% of an echo. */
uint32_t datagram_dropped(const struct datagram *socket);
void datagram_note_dropped(struct scheduler *scheduler, struct datagram *socket);

/* What a datagram has met: told to the owner of an active socket, else to its next call. */
void datagram_tell_error(struct scheduler *scheduler, struct datagram *socket, int error);
/* What is to be told to this call: 0, or an error, once. */
int datagram_take_error(struct datagram *socket);

#endif
