/* SPDX-License-Identifier: MIT */
/* The ring of the io_uring peer: how it is set up, and how it submits and sleeps. */
#ifndef PEERS_URING_RING_H
#define PEERS_URING_RING_H

#include <liburing.h>
#include <stdbool.h>

struct uring_ring_settings {
    long sq_entries, cq_entries;
    long spin_us;     /* how long to watch for work before sleeping; 0 = sleep at once */
    bool spin_always; /* not only after a turn that found little */
    bool no_iowait;
};

struct uring_ring {
    struct io_uring ring;
    struct uring_ring_settings settings;
    unsigned found; /* completions in the last turn */
};

void uring_ring_open(struct uring_ring *ring, const struct uring_ring_settings *settings);

/* A cleared submission entry; submits when the queue is full. */
struct io_uring_sqe *uring_ring_sqe(struct uring_ring *ring);

/* Submits without waiting. */
void uring_ring_submit(struct uring_ring *ring);

/* Submits, and returns when a completion is there: one system call unless it spins. */
void uring_ring_wait(struct uring_ring *ring);

#endif
