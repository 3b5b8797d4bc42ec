/* SPDX-License-Identifier: MIT */
/*
 * A socket as its scheduler sees it. Idle it has this struct and nothing else.
 */
#ifndef RUNTIME_SCHEDULER_SOCKET_H
#define RUNTIME_SCHEDULER_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "framing/framing.h"
#include "options/option_block.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/kind.h"
#include "runtime/stream/socket_state.h"
#include "runtime/stream/statistics.h"
#include <weir/socket.h>

struct scheduler;
struct call;
struct listener;
struct output;

/* Whether the kernel is receiving for the socket. */
enum reading {
    READING_NOT,
    READING_BUFFERS,           /* into the pool's buffers */
    READING_BUFFERS_CANCELLED, /* the last completion is on the way */
    READING_INTO,              /* into the input block, the rest of a large packet */
    READING_INTO_CANCELLED,
    READING_STARVED, /* waits for the turn's end, or for a buffer */
    READING_RESTING, /* the kernel had no memory: asks it again a little later */
};

/* How the receiving side stands. */
enum receiving {
    RECEIVING_OPEN,
    RECEIVING_ENDED,    /* end or error seen, not told yet; what came before is told first */
    RECEIVING_REPORTED, /* told */
    RECEIVING_BROKEN,   /* a packet that cannot be framed was told, and the socket stays: nothing
                           more comes, and recv waits for it */
};

/* Whether the kernel tells when there is room for sending; from the first time that there is none
 * until the descriptor is closed. */
enum watching {
    WATCHING_NOT,
    WATCHING,
    WATCHING_CANCELLED, /* the last completion is on the way */
};

enum sending {
    SENDING_OPEN,
    SENDING_SHUTTING,      /* shut down as soon as the queue is empty */
    SENDING_SHUTTING_BOTH, /* and the reading side with it */
    SENDING_SHUT,
    SENDING_FAILED, /* the receiving side has yet to tell the owner */
};

/* One-shot answers of a socket whose descriptor is gone. The end itself arms LATCH_SEND. */
enum latch {
    LATCH_SEND = 1 << 0,    /* the next send is told why */
    LATCH_RECEIVE = 1 << 1, /* the next receive is told why */
    LATCH_OWNER = 1 << 2,   /* an owner that asks to be active is told why, not just closed */
    LATCH_UNASKED = 1 << 3, /* an owner that was active is told nothing until it asks again */
};

struct socket {
    uint32_t slot;
    uint32_t generation;
    int fd;                /* -1: none */
    uint16_t pending;      /* operations in flight, and holds while callbacks run */
    uint16_t armed_buffer; /* READING_BUFFERS without a buffer ring: the buffer it reads into */

    uint8_t kind;       /* enum kind_number */
    uint8_t state;      /* enum socket_state */
    uint8_t reading;    /* enum reading */
    uint8_t receiving;  /* enum receiving */
    uint8_t sending;    /* enum sending */
    uint8_t watching;   /* enum watching */
    uint8_t latches;    /* enum latch */
    uint8_t family;     /* enum weir_family */
    bool closed_told;   /* tcp_closed is sent at most once */
    bool zero_copy_off; /* the kernel copies for this peer */
    bool bulk;          /* receive one buffer at a time: its last packet was large, or none came */

    uint8_t misses; /* receives in a row that were told ENOBUFS */
    bool connected; /* to a peer: counted in the totals until its descriptor is closed */
    bool bit8_seen;
    bool options_inherited; /* shared with its listener, or were so when the listener went */
    bool postponed;         /* it has had its share of a turn, and is on the list for the next */
    bool delivering;        /* its packets are being handed out, further down the stack */
    int32_t active;         /* WEIR_ACTIVE_*, or how many messages are left */
    int32_t error;          /* what ended receiving or sending */
    struct framer framer;
    struct option_block *options;
    weir_owner owner;

    struct weir_buffer *input; /* received and not framed yet; NULL when empty */
    uint32_t input_start;
    uint32_t input_end;
    uint32_t needed;       /* whole size of the packet that has begun; 0: not known */
    uint16_t share_turn;   /* the last turn in which it handed packets out, */
    uint16_t share_used;   /* and how much of its share of that */
    struct call *receiver; /* the one who waits in recv; of a listener, in close */
    union {
        struct output *output;     /* NULL when nothing is queued */
        struct listener *listener; /* LISTENING */
        struct call *connector;    /* CONNECTING */
    };
    struct list link; /* on the list of the starved or of the postponed; of a listener, on that of
                         the paused; in the end, on that of the settled */
    struct traffic received;
    struct traffic sent;
};

_Static_assert(sizeof(struct socket) <= 240, "an idle connection's user memory");

/* A new socket on `fd`, without options and without an owner. NULL: no memory. */
struct socket *socket_create(struct scheduler *scheduler, enum kind_number kind, int fd,
                             enum weir_family family);
void socket_set_options(struct socket *socket, struct option_block *options);

/* Moves along the table of socket_state.c. */
void socket_move(struct socket *socket, enum socket_event event);

/* Keeps the slot while callbacks run that may close the socket; settles it in the end. */
static inline void socket_hold(struct socket *socket)
{
    socket->pending++;
}
void socket_unhold(struct scheduler *scheduler, struct socket *socket);

/* Called whenever something may have come to its end: closes the descriptor and frees the slot
 * once nothing is queued or in flight. */
void socket_settle(struct scheduler *scheduler, struct socket *socket);

/* What its kind's `release` ends with. */
void socket_free(struct scheduler *scheduler, struct socket *socket);

void socket_end(struct scheduler *scheduler, struct socket *socket, enum ending ending);
/* Ends every socket. */
void socket_end_all(struct scheduler *scheduler, enum ending ending);

weir_socket socket_handle(const struct scheduler *scheduler, const struct socket *socket);

/* The live socket of a handle of this scheduler, or NULL. */
struct socket *socket_find(struct scheduler *scheduler, weir_socket handle);

/* scheduler 8 bits | generation 24 bits | slot 32 bits */
enum { HANDLE_INDEX_SHIFT = 56, HANDLE_GENERATION_SHIFT = 32 };

/* The registry index of the scheduler that a handle is of. */
static inline uint32_t socket_scheduler(weir_socket handle)
{
    return (uint32_t)(handle.id >> HANDLE_INDEX_SHIFT);
}

static inline const struct option_values *socket_values(const struct socket *socket)
{
    return &socket->options->values;
}

static inline bool socket_is_stream(const struct socket *socket)
{
    return socket->state == SOCKET_OPEN || socket->state == SOCKET_GONE;
}

static inline uint64_t socket_operation(const struct socket *socket, uint32_t operation)
{
    return operation_pack(operation, socket->generation, socket->slot);
}

#endif
