/* SPDX-License-Identifier: MIT */
/*
 * The bytes that a runtime may have queued, shared among its schedulers.
 *
 * Each holds some: a floor that it keeps, and pieces of what is left. It counts against what it
 * holds, which is nobody else's to look at; only when that is not enough, or is much more than
 * enough, are pieces taken from the pool or given back. Who finds none is posted to by whoever
 * gives some back: it says that it waits and looks again, the other gives and looks who waits, so
 * that one of them sees the other.
 */
#ifndef RUNTIME_SCHEDULER_LEASE_H
#define RUNTIME_SCHEDULER_LEASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/scheduler/inbox.h"

struct scheduler;
struct task;

enum { LEASE_HOLDERS_MAX = 64 };

struct lease_pool {
    _Atomic uint64_t free_bytes;
    _Atomic uint64_t waiting; /* a bit for each scheduler, by its number in the runtime */
    uint64_t floor_bytes;
    uint64_t piece_bytes;
    uint32_t indices[LEASE_HOLDERS_MAX]; /* of the schedulers, in the registry */
};

struct lease {
    struct lease_pool *pool;
    uint64_t bytes; /* that are held */
    bool waits;     /* its bit is set, or its node is on its way */
    struct inbox_node node;
    struct task *task; /* is due once there may be more */
};

void lease_pool_init(struct lease_pool *pool, uint64_t limit_bytes, uint32_t scheduler_count);

/* Holds its floor from now on. */
void lease_init(struct scheduler *scheduler, struct lease_pool *pool);

/* Whether more than `bytes` are held, if need be since some were just taken from the pool. */
bool lease_extend(struct lease *lease, uint64_t bytes);
static inline bool lease_exceeds(struct lease *lease, uint64_t bytes)
{
    return bytes < lease->bytes || lease_extend(lease, bytes);
}

/* So many are used: gives back what is too much. */
void lease_shrink(struct lease *lease, uint64_t used_bytes);
static inline void lease_return(struct lease *lease, uint64_t used_bytes)
{
    if (lease->bytes > lease->pool->floor_bytes &&
        lease->bytes > used_bytes + 2 * lease->pool->piece_bytes)
        lease_shrink(lease, used_bytes);
}

/* Makes `task` due (TASK_SOON) when there may be more than there was when `bytes` were asked for.
 */
void lease_wait(struct scheduler *scheduler, uint64_t bytes, struct task *task);

#endif
