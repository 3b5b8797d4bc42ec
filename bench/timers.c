/* SPDX-License-Identifier: MIT */
/*
 * What timers cost and how late they fire: COUNT of them (1,000,000) are started on a scheduler to
 * fire within SPREAD_MS from each other (4,000; 1: all at the same time), as many more are started
 * and cancelled, and nanoseconds of its thread per start, per cancel and per firing are printed,
 * with the percentiles of how late they were called.
 */
#include "common/fail.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/weir.h>

enum { LEAD_MS = 1500, LATE_US_MAX = 1 << 20 };

struct measure {
    weir_runtime *runtime;
    uint32_t count;
    int spread_ms;
    uint64_t start_ns;
    uint64_t cancel_ns;
    uint64_t fire_ns; /* the scheduler's time when the last had fired */
    uint32_t fired;
    uint64_t *due_ns;
    uint32_t *late; /* how many by so many microseconds */
    weir_timer *timers;
    atomic_bool done;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct measure measure;

static void fired(weir_timer timer, void *data)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    const uint64_t *due = data;
    uint64_t due_ns = *due;
    uint64_t late_us = (now_ns - due_ns) / 1000;
    (void)timer;
    if (now_ns < due_ns)
        fail("a timer fired early");
    measure.late[late_us < LATE_US_MAX ? late_us : LATE_US_MAX - 1]++;
    if (++measure.fired < measure.count)
        return;
    measure.fire_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - measure.fire_ns;
    atomic_store(&measure.done, true);
}

static void never(weir_timer timer, void *data)
{
    (void)timer;
    (void)data;
    fail("a cancelled timer fired");
}

static void start_all(void)
{
    for (uint32_t i = 0; i < measure.count; i++) {
        int64_t delay_ms = LEAD_MS + rand() % measure.spread_ms;
        measure.due_ns[i] = clock_ns(CLOCK_MONOTONIC) + (uint64_t)delay_ms * 1000000u;
        if (weir_timer_start(measure.runtime, 0, delay_ms, 0, fired, &measure.due_ns[i], NULL) < 0)
            fail("weir_timer_start");
    }
}

static void cancel_all(void)
{
    for (uint32_t i = 0; i < measure.count; i++)
        if (weir_timer_start(measure.runtime, 0, LEAD_MS + rand() % measure.spread_ms, 0, never,
                             NULL, &measure.timers[i]) < 0)
            fail("weir_timer_start");
    measure.cancel_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < measure.count; i++)
        if (weir_timer_cancel(measure.timers[i]) < 0)
            fail("weir_timer_cancel");
    measure.cancel_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - measure.cancel_ns;
}

static void run(void *unused)
{
    (void)unused;
    cancel_all();
    measure.start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    start_all();
    measure.fire_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    measure.start_ns = measure.fire_ns - measure.start_ns;
}

static uint32_t percentile_us(double part)
{
    uint64_t wanted = (uint64_t)(part * measure.count);
    uint64_t seen = 0;
    for (uint32_t us = 0; us < LATE_US_MAX; us++)
        if ((seen += measure.late[us]) > wanted)
            return us;
    return LATE_US_MAX;
}

int main(int argc, char **argv)
{
    const weir_config config = {.schedulers = 1};
    measure.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    measure.spread_ms = argc > 2 ? (int)strtoul(argv[2], NULL, 10) : 4000;
    if (measure.spread_ms < 1)
        fail("usage: timers [COUNT [SPREAD_MS]]");
    measure.due_ns = calloc(measure.count, sizeof(*measure.due_ns));
    measure.timers = calloc(measure.count, sizeof(*measure.timers));
    measure.late = calloc(LATE_US_MAX, sizeof(*measure.late));
    if (!measure.due_ns || !measure.timers || !measure.late ||
        weir_start(&measure.runtime, &config) < 0 || weir_run_on(measure.runtime, 0, run, NULL) < 0)
        fail("cannot start");
    while (!atomic_load(&measure.done))
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    weir_stop(measure.runtime);
    printf("timers %u  ns each: start %.0f, cancel %.0f, fire %.0f  late us: median %u, p99 %u, "
           "p99.9 %u\n",
           measure.count, (double)measure.start_ns / measure.count,
           (double)measure.cancel_ns / measure.count, (double)measure.fire_ns / measure.count,
           percentile_us(0.5), percentile_us(0.99), percentile_us(0.999));
    free(measure.due_ns);
    free(measure.timers);
    free(measure.late);
    return 0;
}
