/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/lease.h"

#include "base/check.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

/* One scheduler alone holds all of it. */
void lease_pool_init(struct lease_pool *pool, uint64_t limit_bytes, uint32_t scheduler_count)
{
    enum { PARTS = 8 };
    uint64_t part = limit_bytes / PARTS / scheduler_count;
    CHECK_LE(scheduler_count, (uint32_t)LEASE_HOLDERS_MAX);
    pool->piece_bytes = part > 0 ? part : 1;
    pool->floor_bytes = scheduler_count == 1 ? limit_bytes : pool->piece_bytes;
    uint64_t floors = pool->floor_bytes * scheduler_count;
    atomic_init(&pool->free_bytes, limit_bytes > floors ? limit_bytes - floors : 0);
    atomic_init(&pool->waiting, 0);
}

static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct lease *lease = list_entry(node, struct lease, node);
    lease->waits = false;
    task_add(&scheduler->tasks, TASK_SOON, lease->task);
}

void lease_init(struct scheduler *scheduler, struct lease_pool *pool)
{
    pool->indices[scheduler->number] = scheduler->index;
    scheduler->lease = (struct lease){.pool = pool, .bytes = pool->floor_bytes, .node.run = arrive};
}

bool lease_extend(struct lease *lease, uint64_t bytes)
{
    struct lease_pool *pool = lease->pool;
    uint64_t lacking = bytes - lease->bytes + 1;
    uint64_t whole = (lacking + pool->piece_bytes - 1) / pool->piece_bytes * pool->piece_bytes;
    uint64_t available = atomic_load(&pool->free_bytes);
    uint64_t taken;
    do {
        if (available < lacking)
            return false;
        taken = whole < available ? whole : available;
    } while (!atomic_compare_exchange_weak(&pool->free_bytes, &available, available - taken));
    lease->bytes += taken;
    return true;
}

static void tell(const struct lease_pool *pool, int number)
{
    struct scheduler *scheduler = registry_enter(pool->indices[number]);
    if (!scheduler)
        return;
    inbox_post(&scheduler->inbox, &scheduler->lease.node);
    registry_leave(pool->indices[number]);
}

void lease_shrink(struct lease *lease, uint64_t used_bytes)
{
    struct lease_pool *pool = lease->pool;
    uint64_t kept = used_bytes + pool->piece_bytes; /* no less than the floor, which is a piece */
    atomic_fetch_add(&pool->free_bytes, lease->bytes - kept);
    lease->bytes = kept;
    if (atomic_load(&pool->waiting) == 0)
        return;
    uint64_t waiting = atomic_exchange(&pool->waiting, 0);
    for (; waiting; waiting &= waiting - 1)
        tell(pool, __builtin_ctzll(waiting));
}

void lease_wait(struct scheduler *scheduler, uint64_t bytes, struct task *task)
{
    struct lease *lease = &scheduler->lease;
    struct lease_pool *pool = lease->pool;
    if (!lease->waits) {
        lease->waits = true;
        lease->task = task;
        atomic_fetch_or(&pool->waiting, 1ull << scheduler->number);
    }
    if (lease_exceeds(lease, bytes))
        task_add(&scheduler->tasks, TASK_SOON, task);
}
