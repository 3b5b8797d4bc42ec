/* SPDX-License-Identifier: MIT */
/* The bytes that may be queued: none is held twice, and none is lost. */
#include "runtime/scheduler/lease.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

static const struct {
    uint64_t limit;
    uint32_t schedulers;
    uint64_t floor;
    uint64_t piece;
    uint64_t free;
} pools[] = {
    {800, 1, 800, 100, 0}, {800, 2, 50, 50, 700},
    {800, 4, 25, 25, 700}, {1000000, 64, 1953, 1953, 1000000 - 64 * 1953ull},
    {7, 1, 7, 1, 0},       {7, 2, 1, 1, 5},
    {3, 4, 1, 1, 0},
};

Test(lease, everybody_has_a_floor)
{
    for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
        struct lease_pool pool;
        lease_pool_init(&pool, pools[i].limit, pools[i].schedulers);
        cr_expect_eq(pool.floor_bytes, pools[i].floor, "row %zu: %lu", i, pool.floor_bytes);
        cr_expect_eq(pool.piece_bytes, pools[i].piece, "row %zu: %lu", i, pool.piece_bytes);
        cr_expect_eq(pool.free_bytes, pools[i].free, "row %zu: %lu", i, pool.free_bytes);
    }
}

/* Two of them, of a pool with pieces of 50: each has 50, and there are 700. */
static struct lease_pool pool;
static struct scheduler first = {.number = 0};
static struct scheduler second = {.number = 1};

static void begin(void)
{
    memset(&pool, 0xFF, sizeof(pool));
    lease_pool_init(&pool, 800, 2);
    lease_init(&first, &pool);
    lease_init(&second, &pool);
}

static void expect_held(uint64_t of_first, uint64_t of_second)
{
    cr_expect_eq(first.lease.bytes, of_first, "%lu", first.lease.bytes);
    cr_expect_eq(second.lease.bytes, of_second, "%lu", second.lease.bytes);
    cr_expect_eq(pool.free_bytes, 800 - of_first - of_second, "%lu", pool.free_bytes);
}

Test(lease, whole_pieces_are_taken_while_there_are_any)
{
    begin();
    cr_expect(lease_exceeds(&first.lease, 0) && lease_exceeds(&first.lease, 49));
    expect_held(50, 50);
    cr_expect(lease_exceeds(&first.lease, 50));
    expect_held(100, 50);
    cr_expect(lease_exceeds(&first.lease, 149));
    expect_held(150, 50);
    cr_expect(lease_exceeds(&first.lease, 200));
    expect_held(250, 50);
    cr_expect(lease_exceeds(&second.lease, 530));
    expect_held(250, 550);
    cr_expect(!lease_exceeds(&first.lease, 250) && lease_exceeds(&first.lease, 249));
    expect_held(250, 550);
}

/* What is less than a piece is taken as well; what is not enough is left. */
Test(lease, the_last_ones_are_taken_too)
{
    begin();
    pool.free_bytes = 20;
    cr_expect(!lease_exceeds(&first.lease, 70) && pool.free_bytes == 20);
    cr_expect(lease_exceeds(&first.lease, 60) && pool.free_bytes == 0);
    cr_expect_eq(first.lease.bytes, 70);
    pool.free_bytes = 1;
    cr_expect(lease_exceeds(&first.lease, 70) && pool.free_bytes == 0);
    cr_expect_eq(first.lease.bytes, 71);
}

Test(lease, what_is_too_much_is_given_back)
{
    begin();
    cr_assert(lease_exceeds(&first.lease, 399));
    expect_held(400, 50);
    lease_return(&first.lease, 300);
    expect_held(400, 50);
    lease_return(&first.lease, 299);
    expect_held(349, 50);
    lease_return(&first.lease, 0);
    expect_held(50, 50);
    lease_return(&first.lease, 0);
    expect_held(50, 50);
}

static void run(struct scheduler *scheduler, struct task *task)
{
    (void)scheduler;
    (void)task;
}

/* Who waits is noted once, and is told at once if it was just given back. */
Test(lease, who_finds_none_waits)
{
    struct task task;
    begin();
    task_queues_init(&second.tasks);
    task_init(&task, run);
    pool.free_bytes = 0;
    lease_wait(&second, 50, &task);
    cr_expect(second.lease.waits && pool.waiting == 2 && !task_is_queued(&task));
    lease_wait(&second, 49, &task);
    cr_expect(task_is_queued(&task) && pool.waiting == 2);
    pool.waiting = 0;
    lease_wait(&second, 50, &task);
    cr_expect(pool.waiting == 0, "its node is on the way");
    task_remove(&task);
    second.lease.node.run(&second, &second.lease.node);
    cr_expect(!second.lease.waits && task_is_queued(&task));
}

/* Through the registry, so nobody who has gone is told. */
Test(lease, who_waits_is_told_of_what_is_given_back)
{
    enum { INDEX = 7 };
    struct task task;
    second.index = INDEX;
    begin();
    task_queues_init(&second.tasks);
    task_init(&task, run);
    cr_assert(inbox_open(&second.inbox) == 0);
    registry_publish(INDEX, &second);
    for (int round = 0; round < 2; round++) {
        cr_assert(lease_exceeds(&first.lease, 749));
        lease_wait(&second, 50, &task);
        lease_return(&first.lease, 0);
        expect_held(50, 50);
        cr_expect(pool.waiting == 0 && registry_user_count(INDEX) == 0);
        cr_expect_eq(inbox_take(&second.inbox), round == 0 ? &second.lease.node : NULL);
        second.lease.node.run(&second, &second.lease.node);
        registry_withdraw(INDEX);
    }
    registry_end(INDEX);
    inbox_close(&second.inbox);
}

/* Two at once: nothing is given to both. */
enum { PIECES = 400000 };

static void *take_all(void *data)
{
    struct scheduler *scheduler = data;
    while (lease_exceeds(&scheduler->lease, scheduler->lease.bytes))
        continue;
    return NULL;
}

Test(lease, no_byte_is_held_twice)
{
    pthread_t thread;
    begin();
    pool.piece_bytes = 1;
    pool.free_bytes = PIECES;
    cr_assert_eq(pthread_create(&thread, NULL, take_all, &second), 0);
    take_all(&first);
    pthread_join(thread, NULL);
    cr_expect_eq(pool.free_bytes, 0);
    cr_expect_eq(first.lease.bytes + second.lease.bytes, 100 + PIECES);
}
