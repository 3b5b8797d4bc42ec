/* SPDX-License-Identifier: MIT */
/* Numbers of schedulers: no handle is ever given twice. */
#include "runtime/scheduler/registry.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot_table.h"
#include "support/locks.h"
#include <weir/error.h>
#include <weir/runtime.h>

enum { HALF = GENERATION_MAX / 2 };

static void expect_next(int index, uint32_t generation, uint32_t first_index)
{
    struct registry_handles handles = {0};
    cr_expect_eq(registry_reserve(&handles), index);
    cr_expect_eq(handles.generation, generation, "%u", handles.generation);
    cr_expect_eq(handles.first_index, first_index, "%u", handles.first_index);
}

Test(registry, generations_go_on_and_then_other_slots_are_used)
{
    expect_next(0, 1, 0);
    registry_release(0, 10, 64);
    expect_next(0, 11, 0);
    registry_release(0, HALF - 1, 256);
    expect_next(0, HALF, 0);
    registry_release(0, HALF, 128);
    expect_next(0, 1, 256);
    registry_release(0, 5, 64);
    expect_next(0, 6, 256);
    registry_release(0, GENERATION_MAX, 0);
    expect_next(0, 1, 256 + 64);
}

/* As many slots as a scheduler may have must be left. */
Test(registry, a_number_that_is_used_up_is_given_up)
{
    const uint32_t most = UINT32_MAX - SLOTS_MAX;
    expect_next(0, 1, 0);
    registry_release(0, HALF, most);
    expect_next(0, 1, most);
    registry_release(0, HALF, 1);
    expect_next(1, 1, 0);
}

Test(registry, has_so_many_numbers)
{
    for (int index = 0; index < REGISTRY_CAPACITY; index++)
        expect_next(index, 1, 0);
    struct registry_handles handles;
    cr_expect_eq(registry_reserve(&handles), WEIR_SYSTEM_LIMIT);
    registry_release(77, 3, 64);
    expect_next(77, 4, 0);
    cr_expect_eq(registry_reserve(&handles), WEIR_SYSTEM_LIMIT);
}

/* The one that there was is given back. */
Test(registry, a_runtime_for_which_there_are_too_few_leaves_nothing)
{
    weir_runtime *runtime;
    for (int index = 0; index < REGISTRY_CAPACITY - 1; index++)
        expect_next(index, 1, 0);
    int64_t blocks = memory_live_count();
    cr_expect_eq(weir_start(&runtime, &(weir_config){.schedulers = 2}), WEIR_SYSTEM_LIMIT);
    cr_expect_eq(memory_live_count(), blocks);
    expect_next(REGISTRY_CAPACITY - 1, 2, 0);
}

/* Locks are counted here: each that is given back was held. */
Test(registry, the_list_of_runtimes_is_changed_by_who_has_its_lock)
{
    weir_runtime *runtime;
    weir_totals totals;
    int status;
    cr_assert_eq(weir_start(&runtime, &(weir_config){.schedulers = 2}), 0);
    cr_expect_eq(weir_get_totals(runtime, -1, &totals), 0);
    cr_expect_eq(weir_drain(runtime, 0), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_expect_eq(weir_stop(runtime), 0);
    cr_expect_eq(locks_held, 0);
}

Test(registry, who_is_withdrawn_is_not_found)
{
    static struct scheduler scheduler;
    enum { INDEX = REGISTRY_CAPACITY - 1 };
    cr_expect(!registry_enter(INDEX) && !registry_enter_stopping(INDEX));
    registry_publish(INDEX, &scheduler);
    cr_expect_eq(registry_enter(INDEX), &scheduler);
    cr_expect_eq(registry_enter_stopping(INDEX), &scheduler);
    registry_enter_living(INDEX);
    cr_expect_eq(registry_user_count(INDEX), 3);
    registry_withdraw(INDEX);
    cr_expect(!registry_enter(INDEX));
    cr_expect_eq(registry_enter_stopping(INDEX), &scheduler);
    cr_expect_eq(registry_user_count(INDEX), 4);
    for (int i = 0; i < 4; i++)
        registry_leave(INDEX);
    registry_end(INDEX);
    cr_expect(!registry_enter_stopping(INDEX) && registry_user_count(INDEX) == 0);
}

Test(registry, wakes_who_sleeps)
{
    static struct scheduler scheduler;
    cr_assert(inbox_open(&scheduler.inbox) == 0);
    registry_wake(0);
    registry_publish(0, &scheduler);
    cr_assert(inbox_begin_sleep(&scheduler.inbox));
    registry_wake(0);
    cr_expect_eq(poll(&(struct pollfd){scheduler.inbox.bell, POLLIN, 0}, 1, 0), 1);
    cr_expect_eq(registry_user_count(0), 0);
    registry_withdraw(0);
    registry_end(0);
    inbox_close(&scheduler.inbox);
}

Test(registry, a_child_finds_nobody)
{
    static struct scheduler scheduler;
    expect_next(0, 1, 0);
    expect_next(1, 1, 0);
    registry_publish(1, &scheduler);
    registry_enter_living(1);
    cr_expect(!registry_has_parents() && !registry_is_parents(1));
    registry_lock();
    registry_forget();
    registry_unlock();
    cr_expect(registry_has_parents() && registry_is_parents(0) && registry_is_parents(1) &&
              !registry_is_parents(2));
    cr_expect(!registry_enter(1) && !registry_enter_stopping(1) && registry_user_count(1) == 0);
    expect_next(2, 1, 0);
    cr_expect_eq(registry_say_parents(WEIR_CLOSED), WEIR_CLOSED);
}
