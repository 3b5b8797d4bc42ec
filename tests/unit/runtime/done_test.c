/* SPDX-License-Identifier: MIT */
/* A scheduler that is told to stop ends when nothing is left: also not what somebody posts who is
 * about to leave it, between one look and the next. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/memory.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"

static weir_runtime *runtime;
static struct scheduler *scheduler;
static struct inbox_node last;
static bool leaving;
static uint32_t user_count;
static int ran;

static void note(struct scheduler *where, struct inbox_node *node)
{
    cr_assert(where == scheduler && node == &last);
    ran++;
}

uint32_t __wrap_registry_user_count(uint32_t index);

/* Who is asked for has just posted and left. */
uint32_t __wrap_registry_user_count(uint32_t index)
{
    cr_assert(index == scheduler->index);
    if (leaving)
        inbox_post(&scheduler->inbox, &last);
    leaving = false;
    return user_count;
}

static void begin(void)
{
    const weir_config config = {.schedulers = 1};
    cr_assert(runtime_create(&runtime, &config) == 0);
    scheduler = runtime->schedulers[0];
    cr_assert(scheduler_open(scheduler) == 0);
    last.run = note;
    cr_assert(!scheduler_is_done(scheduler), "it was not told to stop");
    scheduler_stop(scheduler);
}

static void end(void)
{
    scheduler_close(scheduler);
    runtime_free(runtime);
}

Test(done, what_the_last_user_has_posted_is_run)
{
    begin();
    leaving = true;
    cr_assert(!scheduler_is_done(scheduler), "what was posted is lost");
    scheduler_turn(scheduler);
    cr_assert(ran == 1 && scheduler_is_done(scheduler));
    end();
}

/* Each that may be left alone, and gone again. */
static void expect_waits(uint32_t *count, const char *name)
{
    *count = 1;
    cr_expect(!scheduler_is_done(scheduler), "%s", name);
    *count = 0;
    cr_expect(scheduler_is_done(scheduler), "%s", name);
}

static void expect_waits_for_task(enum task_queue queue)
{
    struct task task;
    task_init(&task, NULL);
    task_add(&scheduler->tasks, queue, &task);
    cr_expect(!scheduler_is_done(scheduler), "queue %d", (int)queue);
    task_remove(&task);
    cr_expect(scheduler_is_done(scheduler), "queue %d", (int)queue);
}

Test(done, whatever_is_left_is_waited_for)
{
    begin();
    expect_waits(&user_count, "a user");
    expect_waits(&scheduler->slots.used_count, "a slot");
    expect_waits(&scheduler->outstanding, "a call");
    expect_waits_for_task(TASK_SOON);
    expect_waits_for_task(TASK_LAST);
    expect_waits_for_task(TASK_SUBMITTED);
    expect_waits_for_task(TASK_WAS_SUBMITTED);
    inbox_post(&scheduler->inbox, &last);
    cr_expect(!scheduler_is_done(scheduler), "a post");
    scheduler_turn(scheduler);
    cr_expect(scheduler_is_done(scheduler));
    end();
}

/* One that cannot be opened leaves nothing behind. */
Test(scheduler, needs_memory_to_open)
{
    const weir_config config = {.schedulers = 1};
    int result = -ENOMEM;
    uint64_t nth = 1;
    cr_assert_eq(runtime_create(&runtime, &config), 0);
    scheduler = runtime->schedulers[0];
    int64_t before = memory_live_count();
    for (; result == -ENOMEM; nth++) {
        cr_expect_eq(memory_live_count(), before, "nth %lu", nth);
        memory_fail_nth(nth);
        result = scheduler_open(scheduler);
        memory_fail_nth(0);
    }
    cr_expect(result == 0 && nth > 3);
    scheduler_close(scheduler);
    runtime_free(runtime);
    cr_expect_eq(memory_live_count(), 0);
}
