/* SPDX-License-Identifier: MIT */
/*
 * What a socket has to send, in order. Pure: it knows bytes, and neither who waits nor the kernel.
 * Invariant: what is in flight is part of what is queued, and a segment is never empty.
 */
#ifndef RUNTIME_SEND_QUEUE_SEND_QUEUE_H
#define RUNTIME_SEND_QUEUE_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "runtime/send_queue/segment.h"

/* What becomes of the front of a queue. */
enum flushing {
    FLUSHING_NOT,
    FLUSHING_IN_FLIGHT,
    FLUSHING_DROPPED, /* in flight, and what comes back of it is not sent on */
    FLUSHING_BLOCKED, /* the kernel has no room: it says when there is some */
    FLUSHING_RESTING, /* the kernel has no memory: it is asked again a little later */
};

struct send_queue {
    struct segment *first;
    struct segment *last;
    size_t queued_bytes;         /* not known to be sent, those in flight included */
    size_t in_flight_bytes;      /* FLUSHING_IN_FLIGHT and _DROPPED only */
    uint32_t notices;            /* zero-copy sends whose memory the kernel still uses */
    struct segment *unconfirmed; /* what they have sent, until the last notice has come */
    size_t unconfirmed_bytes;    /* lent to the kernel since there was no notice to wait for */
    struct weir_buffer *part;    /* of a file, being read: that is in flight; else NULL */
    bool zero_copy;              /* the operation in flight is */
    uint8_t flushing;            /* enum flushing */
};

/* All zero it is empty. Closing drops what is queued; nothing may be in flight. */
void send_queue_close(struct send_pools *pools, struct send_queue *queue);
/* Drops what is queued behind the operation in flight, if there is one; that one is the last. */
void send_queue_drop(struct send_pools *pools, struct send_queue *queue);

/* Where the next `size` bytes go, contiguous. NULL: no memory. send_queue_grow makes them part of
 * the queue once they are written. */
uint8_t *send_queue_room(struct send_pools *pools, struct send_queue *queue, size_t size);

static inline void send_queue_grow(struct send_queue *queue, size_t size)
{
    queue->last->size += size;
    queue->queued_bytes += size;
}

/* Appends a segment that is not empty. */
void send_queue_link(struct send_queue *queue, struct segment *segment);

/* The pieces from the front on, at most `count`, up to the next file, or the next that descriptors
 * go with. How many; their bytes are in flight now. */
size_t send_queue_gather(struct send_queue *queue, struct iovec *pieces, size_t count);
/* The descriptors that go with the first of them, or NULL. */
static inline const struct weir_buffer *send_queue_rights(const struct send_queue *queue)
{
    return queue->first ? queue->first->rights : NULL;
}
/* The file whose turn it is, or NULL. */
static inline struct segment *send_queue_file(const struct send_queue *queue)
{
    return queue->first && queue->first->kind == SEGMENT_FILE ? queue->first : NULL;
}

/* An operation for the first `size` bytes is in flight. */
void send_queue_begin(struct send_queue *queue, size_t size);

/* The bytes in flight go out by a zero-copy operation: they stay until its notice comes. */
void send_queue_lend(struct send_queue *queue);
void send_queue_noticed(struct send_pools *pools, struct send_queue *queue);

/* The operation in flight is over and has sent `size` bytes. */
void send_queue_sent(struct send_pools *pools, struct send_queue *queue, size_t size);

#endif
