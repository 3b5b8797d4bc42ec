/* SPDX-License-Identifier: MIT */
#include "own_turns.h"

#include <criterion/criterion.h>

#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"

static weir_runtime *runtime;

static void be_awake(struct timer *timer)
{
    scheduler_arm(runtime->schedulers[0], timer, 1);
}

static struct timer tick = {.fire = be_awake};

struct scheduler *own_turns_begin(void)
{
    const weir_config one = {.schedulers = 1};
    cr_assert_eq(runtime_create(&runtime, &one), 0);
    cr_assert_eq(scheduler_open(runtime->schedulers[0]), 0);
    scheduler_arm(runtime->schedulers[0], &tick, 1);
    return runtime->schedulers[0];
}

void own_turns_end(struct scheduler *scheduler)
{
    timer_disarm(&scheduler->timers, &tick);
    scheduler_stop(scheduler);
    while (!scheduler_is_done(scheduler))
        scheduler_turn(scheduler);
    scheduler_close(scheduler);
    runtime_free(runtime);
}
