/* SPDX-License-Identifier: MIT */
/*
 * The receive buffers that are lent to the kernel through a provided-buffer ring, and the queues
 * of filled ones that wait to be sent back.
 */
#ifndef PEERS_URING_BUFFERS_H
#define PEERS_URING_BUFFERS_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { URING_BUFFER_NONE = UINT16_MAX };

struct uring_buffer {
    uint32_t filled;
    uint16_t next;     /* in a queue, or URING_BUFFER_NONE */
    uint16_t position; /* in the ring, when it was last lent */
};

struct uring_buffers {
    struct io_uring_buf_ring *ring;
    char *memory;
    size_t bytes, stride;
    unsigned count;
    uint16_t tail;      /* of the ring, with what is not published yet */
    uint16_t published; /* of the ring, as the kernel sees it */
    struct uring_buffer *buffers;
    uint16_t *at; /* position -> buffer, for completions that span several */
};

/* Filled buffers in order; `sent` bytes of the first are gone. */
struct uring_queue {
    uint16_t head, tail;
    uint32_t sent;
};

/*
 * `skew` bytes are left between buffers: without them, equal places in all buffers share the same
 * few sets of the cache.
 */
void uring_buffers_open(struct uring_buffers *buffers, struct io_uring *ring, unsigned count,
                        size_t bytes, size_t skew);

/* Gives a buffer back; the kernel sees it after uring_buffers_publish. */
void uring_buffers_return(struct uring_buffers *buffers, uint16_t index);

/* Answers whether there was any to publish. */
bool uring_buffers_publish(struct uring_buffers *buffers);

void uring_queue_init(struct uring_queue *queue);

/* Appends `size` received bytes that begin in buffer `first`, and go on in those lent after it. */
void uring_queue_append(struct uring_queue *queue, struct uring_buffers *buffers, uint16_t first,
                        size_t size);

/* Drops `size` bytes from the front. */
void uring_queue_drop(struct uring_queue *queue, struct uring_buffers *buffers, size_t size);
void uring_queue_drop_all(struct uring_queue *queue, struct uring_buffers *buffers);

/* Fills up to `max` parts from the front, joining what lies side by side, and counts them. */
unsigned uring_queue_parts(const struct uring_queue *queue, const struct uring_buffers *buffers,
                           struct iovec *parts, unsigned max);

#endif
