/* SPDX-License-Identifier: MIT */
/* A scheduler that is told to stop ends when nothing is left: also not what somebody posts who is
 * about to leave it, between one look and the next. */
#include <criterion/criterion.h>

#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"

static struct scheduler *scheduler;
static struct inbox_node last;
static bool leaving;
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
    return 0;
}

Test(done, what_the_last_user_has_posted_is_run)
{
    const weir_config config = {.schedulers = 1};
    weir_runtime *runtime;
    cr_assert(runtime_create(&runtime, &config) == 0);
    scheduler = runtime->schedulers[0];
    cr_assert(scheduler_open(scheduler) == 0);
    last.run = note;
    cr_assert(!scheduler_is_done(scheduler), "it was not told to stop");
    scheduler_stop(scheduler);
    leaving = true;
    cr_assert(!scheduler_is_done(scheduler), "what was posted is lost");
    scheduler_turn(scheduler);
    cr_assert(ran == 1 && scheduler_is_done(scheduler));
    scheduler_close(scheduler);
    runtime_free(runtime);
}
