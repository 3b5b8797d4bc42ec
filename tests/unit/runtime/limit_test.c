/* SPDX-License-Identifier: MIT */
/* The runtime's limit of queued bytes: who waits for its end is let go an eighth below it. */
#include "runtime/stream/limit.h"

#include <criterion/criterion.h>

#include "runtime/scheduler/waiting.h"
#include "runtime/stream/output.h"
#include "runtime/stream/streams.h"

enum { LIMIT = 800, RELIEVED = LIMIT - LIMIT / 8 };

static struct lease_pool pool;
static struct scheduler scheduler;
static struct output outputs[2];

/* All of the limit is this scheduler's. */
static void begin(void)
{
    lease_pool_init(&pool, LIMIT, 1);
    lease_init(&scheduler, &pool);
    task_queues_init(&scheduler.tasks);
    cr_assert_eq(streams_open(&scheduler, &scheduler.states[KIND_STREAM]), 0);
    for (int i = 0; i < 2; i++)
        list_init(&outputs[i].limit_link);
}

static void queue(uint64_t bytes)
{
    scheduler.totals.queued_bytes = bytes;
}

static bool relief_is_due(void)
{
    struct task *task = &streams_of(&scheduler)->relieve;
    bool due = task_is_queued(task);
    task_remove(task);
    return due;
}

Test(limit, is_exceeded_when_nothing_of_it_is_left)
{
    begin();
    queue(LIMIT - 1);
    cr_expect(!limit_is_exceeded(&scheduler) && !limit_holds(&scheduler, &outputs[0]));
    queue(LIMIT);
    cr_expect(limit_is_exceeded(&scheduler) && limit_holds(&scheduler, &outputs[0]));
}

Test(limit, holds_who_waits_until_it_is_an_eighth_below)
{
    begin();
    queue(LIMIT);
    limit_wait(&scheduler, &outputs[0]);
    limit_wait(&scheduler, &outputs[1]);
    limit_wait(&scheduler, &outputs[0]);
    const struct list *limited = &streams_of(&scheduler)->limited;
    cr_expect(limited->next == &outputs[0].limit_link &&
                  limited->next->next == &outputs[1].limit_link,
              "in order, and once");
    cr_expect(!relief_is_due());
    limit_count_off(&scheduler, LIMIT - RELIEVED - 1);
    cr_expect_eq(scheduler.totals.queued_bytes, RELIEVED + 1);
    cr_expect(limit_holds(&scheduler, &outputs[0]) && !limit_relieves(&scheduler));
    cr_expect(!relief_is_due());
    limit_count_off(&scheduler, 1);
    cr_expect(relief_is_due());
    cr_expect(!limit_holds(&scheduler, &outputs[0]) && limit_relieves(&scheduler));
}

Test(limit, relieves_nobody_who_does_not_wait)
{
    begin();
    queue(LIMIT);
    limit_count_off(&scheduler, LIMIT);
    cr_expect(!relief_is_due() && !limit_relieves(&scheduler));
}

/* Others have given back enough for what is queued to be an eighth below. */
Test(limit, relieves_when_there_is_more_of_it)
{
    const uint64_t enough = LIMIT + LIMIT / 7 + 2;
    begin();
    queue(LIMIT);
    limit_wait(&scheduler, &outputs[0]);
    cr_expect(scheduler.lease.waits && pool.waiting == 1);
    pool.free_bytes = enough - LIMIT - 1;
    cr_expect(!limit_relieves(&scheduler) && !relief_is_due());
    scheduler.lease.waits = false;
    pool.waiting = 0;
    cr_expect(!limit_relieves(&scheduler) && scheduler.lease.waits && pool.waiting == 1);
    pool.free_bytes = enough - LIMIT;
    cr_expect(limit_relieves(&scheduler) && scheduler.lease.bytes >= enough);
}

/* What is queued, and what waits to be, is needed; of the rest a piece. */
Test(limit, that_is_not_needed_is_given_back)
{
    begin();
    lease_pool_init(&pool, LIMIT, 2);
    lease_init(&scheduler, &pool);
    cr_assert(lease_exceeds(&scheduler.lease, 500));
    scheduler.totals.waiting_bytes = 100;
    queue(200);
    limit_count_off(&scheduler, 100);
    cr_expect_eq(scheduler.lease.bytes, 100 + 100 + pool.piece_bytes);
    limit_wait(&scheduler, &outputs[0]);
    cr_assert(lease_exceeds(&scheduler.lease, 500));
    uint64_t held = scheduler.lease.bytes;
    limit_count_off(&scheduler, 100);
    cr_expect_eq(scheduler.lease.bytes, held, "somebody waits for more");
}

/* Also where nothing is queued that could leave. */
Test(limit, that_nothing_waits_for_any_more_is_given_back)
{
    begin();
    lease_pool_init(&pool, LIMIT, 2);
    lease_init(&scheduler, &pool);
    waiting_begin(&scheduler, 500);
    cr_assert(lease_exceeds(&scheduler.lease, 500));
    waiting_end(&scheduler, 400);
    cr_expect_eq(scheduler.totals.waiting_bytes, 100);
    cr_expect_eq(scheduler.lease.bytes, 100 + pool.piece_bytes);
}
