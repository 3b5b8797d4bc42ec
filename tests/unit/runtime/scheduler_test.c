/* SPDX-License-Identifier: MIT */
/* How a scheduler opens, and how it does not. */
#include "runtime/scheduler/scheduler.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/memory.h"
#include "runtime/ring/features.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/registry.h"

static weir_runtime *runtime;
static struct scheduler *scheduler;
static int pinned = -1;

void __wrap_cpus_pin(int cpu);

void __wrap_cpus_pin(int cpu)
{
    pinned = cpu;
}

static uint64_t fallbacks_without(const char *features, uint32_t *in_use)
{
    const weir_config config = {.schedulers = 1, .features_off = features};
    cr_assert_eq(runtime_create(&runtime, &config), 0);
    scheduler = runtime->schedulers[0];
    uint64_t before_ns = clock_now_ns();
    cr_assert_eq(scheduler_open(scheduler), 0);
    uint64_t fallbacks = scheduler->totals.fallbacks;
    cr_expect_geq(scheduler->now_ns, before_ns);
    cr_expect_eq(scheduler->timers.now_ms, scheduler->now_ns / 1000000);
    *in_use = scheduler->profile.features;
    registry_publish(scheduler->index, scheduler);
    scheduler_close(scheduler);
    cr_expect_null(scheduler_current());
    cr_expect_null(registry_enter_stopping(scheduler->index), "it has ended");
    registry_withdraw(scheduler->index);
    runtime_free(runtime);
    return fallbacks;
}

/* One for each feature that it lives without. */
Test(scheduler, counts_what_its_kernel_lacks)
{
    uint32_t all;
    uint32_t fewer;
    uint64_t usual = fallbacks_without("", &all);
    uint64_t more = fallbacks_without("multishot_accept,multishot_receive", &fewer);
    cr_expect_eq(more, usual + (uint64_t)__builtin_popcount(all & ~fewer));
    cr_expect_eq(usual, (uint64_t)__builtin_popcount(FEATURE_ALL & ~all));
    cr_expect_eq(__builtin_popcount(all & ~fewer), 2);
}

static int started;

static void note_started(weir_runtime *which)
{
    cr_expect_eq(which, runtime);
    started++;
}

/* It says why, and leaves nothing. On a core of its own, if it is to have one. */
Test(scheduler, that_does_not_start_says_why)
{
    const weir_config config = {.schedulers = 1};
    struct rlimit before;
    struct scheduler_host host;
    cr_assert_eq(runtime_create(&runtime, &config), 0);
    scheduler = runtime->schedulers[0];
    host = *scheduler->host;
    host.started = note_started;
    scheduler->host = &host;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    for (int cpu = -1; cpu < 1; cpu++) {
        memset(scheduler->start_text, 0, sizeof(scheduler->start_text));
        scheduler->cpu = cpu;
        cr_expect_null(scheduler_main(scheduler));
        cr_expect_eq(started, cpu + 2);
        cr_expect_eq(scheduler->start_result, -EMFILE);
        cr_expect_not_null(strstr(scheduler->start_text, "ulimit -n"));
        cr_expect_eq(pinned, cpu);
        for (int number = 0; number < KIND_COUNT; number++)
            cr_expect_null(scheduler->states[number]);
    }
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    runtime_free(runtime);
    cr_expect_eq(memory_live_count(), 0);
}
