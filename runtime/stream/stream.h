/* SPDX-License-Identifier: MIT */
/* A connection: the kind of socket that it is. */
#ifndef RUNTIME_STREAM_STREAM_H
#define RUNTIME_STREAM_STREAM_H

#include <stddef.h>

#include "base/list.h"
#include "framing/framing.h"
#include "options/option_block.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/task.h"
#include "runtime/socket/statistics.h"

struct call;
struct output;
struct weir_buffer;

extern const struct kind kind_stream;

enum stream_operation {
    STREAM_CONNECT = OPERATION_OF_KIND(KIND_STREAM, 0),
    STREAM_RECEIVE,
    STREAM_RECEIVE_INTO,
    STREAM_READABLE, /* there is something to receive */
    STREAM_SEND,
    STREAM_READ,     /* a part of a file into memory */
    STREAM_WRITABLE, /* there may be room for sending */
};

/* Whether the kernel is receiving for the socket. */
enum reading {
    READING_NOT,
    READING_BUFFERS,           /* into the pool's buffers */
    READING_BUFFERS_CANCELLED, /* the last completion is on the way */
    READING_INTO,              /* into the input block, the rest of a large packet */
    READING_INTO_CANCELLED,
    READING_WATCHED, /* not yet: it is to be told when there is something */
    READING_WATCHED_CANCELLED,
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

struct stream {
    struct slot slot;

    uint8_t reading : 4;   /* enum reading */
    uint8_t receiving : 2; /* enum receiving */
    uint8_t watching : 2;  /* enum watching */
    uint8_t sending : 3;   /* enum sending */
    uint8_t latches : 4;   /* enum latch */
    bool bulk : 1; /* receive one buffer at a time: its last packet was large, or none came */

    bool closed_told : 1;   /* tcp_closed is sent at most once */
    bool zero_copy_off : 1; /* the kernel copies for this peer */
    bool connected : 1;     /* to a peer: counted in the totals until its descriptor is closed */
    bool bit8_seen : 1;
    bool http_header : 1;       /* as struct framer */
    bool options_inherited : 1; /* shared with its listener, or were so when the listener went */
    bool postponed : 1;  /* it has had its share of a turn, and is on the list for the next */
    bool delivering : 1; /* its packets are being handed out, further down the stack */

    uint8_t misses;        /* receives in a row that were told ENOBUFS */
    int32_t active;        /* WEIR_ACTIVE_*, or how many messages are left */
    int16_t error;         /* what ended receiving or sending, a negative errno; 0: the end */
    uint16_t armed_buffer; /* READING_BUFFERS without a buffer ring: the buffer it reads into */
    uint16_t share_turn;   /* the last turn in which it handed packets out, */
    uint16_t share_used;   /* and how much of its share of that */

    struct weir_buffer *input; /* received and not framed yet; NULL when empty */
    struct call *waiter;       /* in recv; before there is a connection, in connect */
    struct output *output;     /* NULL when nothing is queued */
    struct traffic received;
    struct traffic sent;
    uint32_t received_max; /* beside them, where they leave no gap */
    uint32_t sent_max;
};

_Static_assert(offsetof(struct stream, slot) == 0, "a slot is its stream");
_Static_assert(sizeof(struct stream) <= SLOT_SIZE, "an idle connection's user memory");

static inline struct stream *stream_of(const struct slot *slot)
{
    return (struct stream *)slot;
}

/* A new one on `fd` that shares a block of options, or with a block of its own; without an owner.
 * NULL: no memory. */
struct stream *stream_create(struct scheduler *scheduler, int fd, enum weir_family family,
                             struct option_block *options);
struct stream *stream_create_with(struct scheduler *scheduler, int fd, enum weir_family family,
                                  const struct option_values *values);

/* The live stream of a handle of this scheduler, or NULL. */
struct stream *stream_find(struct scheduler *scheduler, weir_socket handle);

static inline const struct option_values *stream_values(const struct stream *stream)
{
    return &stream->slot.options->values;
}

/* Whether its handle is alive. */
static inline bool stream_is_live(const struct stream *stream)
{
    return stream->slot.state == SOCKET_OPEN || stream->slot.state == SOCKET_GONE;
}

/* Whether the kernel writes into its input block. */
static inline bool stream_fills_input(const struct stream *stream)
{
    return stream->reading == READING_INTO || stream->reading == READING_INTO_CANCELLED;
}

/* shutdown: nothing is sent from now on. 0, or the system's error. */
int stream_shut(struct stream *stream, int how);

/* It is a connection from now on. */
void stream_connected(struct scheduler *scheduler, struct stream *stream);

#endif
