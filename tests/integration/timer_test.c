/* SPDX-License-Identifier: MIT */
/* The application's timers: when they fire, and what cancelling them answers. */
#include "support/loopback.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct alarm {
    weir_runtime *runtime;
    weir_timer timer;
    atomic_uint count;
    uint64_t fired_ms;
    int scheduler; /* that it was called on */
    int cancelled; /* what its own cancel said */
};

static void note(weir_timer timer, void *data)
{
    struct alarm *alarm = data;
    (void)timer;
    alarm->fired_ms = now_ms();
    alarm->scheduler = weir_current_scheduler();
    atomic_fetch_add(&alarm->count, 1);
}

static const weir_config two_schedulers = {.schedulers = 2};

Test(timer, fires_once_and_not_early)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    for (int delay_ms = 0; delay_ms < 40; delay_ms += 13)
        for (int scheduler = 0; scheduler < 2; scheduler++) {
            struct alarm alarm = {0};
            uint64_t start_ms = now_ms();
            GIVES(weir_timer_start(loopback.runtime, scheduler, delay_ms, 0, note, &alarm,
                                   &alarm.timer),
                  0);
            EVENTUALLY(atomic_load(&alarm.count) == 1);
            cr_expect(alarm.fired_ms >= start_ms + (uint64_t)delay_ms);
            cr_expect(alarm.scheduler == scheduler);
            EVENTUALLY(weir_timer_cancel(alarm.timer) == -ENOENT); /* its callback has returned */
            cr_expect(atomic_load(&alarm.count) == 1);
        }
    loopback_close(&loopback);
}

/* The first that is called holds its scheduler up. */
struct stop {
    weir_runtime *runtime;
    atomic_uint count;
    atomic_bool goes_on;
};

static void hold_up(weir_timer timer, void *data)
{
    struct stop *stop = data;
    (void)timer;
    if (atomic_fetch_add(&stop->count, 1) == 0)
        while (!atomic_load(&stop->goes_on))
            usleep(1000);
}

static void *stop_runtime(void *data)
{
    struct stop *stop = data;
    weir_stop(stop->runtime);
    return NULL;
}

static void do_nothing(void *data)
{
    (void)data;
}

/* Who cancels while the runtime stops is told the truth: whose callback runs, and whose will not.
 */
Test(timer, is_cancelled_while_its_runtime_stops)
{
    const weir_config one = {.schedulers = 1};
    struct stop stop = {0};
    weir_timer timers[2];
    pthread_t thread;
    GIVES(weir_start(&stop.runtime, &one), 0);
    for (int i = 0; i < 2; i++)
        GIVES(weir_timer_start(stop.runtime, 0, 1, 0, hold_up, &stop, &timers[i]), 0);
    EVENTUALLY(atomic_load(&stop.count) == 1);
    cr_assert(pthread_create(&thread, NULL, stop_runtime, &stop) == 0);
    EVENTUALLY(weir_run_on(stop.runtime, 0, do_nothing, NULL) == WEIR_CLOSED);
    int first = weir_timer_cancel(timers[0]);
    int second = weir_timer_cancel(timers[1]);
    cr_expect((first == 0 && second == -EINPROGRESS) || (first == -EINPROGRESS && second == 0),
              "%s and %s", weir_error_name(first), weir_error_name(second));
    atomic_store(&stop.goes_on, true);
    pthread_join(thread, NULL);
    cr_expect(atomic_load(&stop.count) == 1);
    cr_expect(weir_timer_cancel(timers[0]) == -ENOENT);
}

static void start_here(void *data)
{
    struct alarm *alarm = data;
    GIVES(weir_timer_start(alarm->runtime, WEIR_ANY_SCHEDULER, 1, 0, note, alarm, NULL), 0);
}

Test(timer, is_the_callers)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    for (int scheduler = 0; scheduler < 2; scheduler++) {
        struct alarm alarm = {.runtime = loopback.runtime};
        run_there(loopback.runtime, (uint32_t)scheduler, start_here, &alarm);
        EVENTUALLY(atomic_load(&alarm.count) == 1);
        cr_expect(alarm.scheduler == scheduler);
    }
    loopback_close(&loopback);
}

/* Cancelled before it is due: from a thread, from its scheduler, from another one. */

static void cancel_it(void *data)
{
    struct alarm *alarm = data;
    alarm->cancelled = weir_timer_cancel(alarm->timer);
}

Test(timer, cancelled_in_time_is_never_called)
{
    struct loopback loopback = loopback_start(&two_schedulers);
    for (int from = -1; from < 2; from++) {
        struct alarm alarm = {0};
        GIVES(weir_timer_start(loopback.runtime, 0, WAIT_MS, 0, note, &alarm, &alarm.timer), 0);
        if (from < 0)
            cancel_it(&alarm);
        else
            run_there(loopback.runtime, (uint32_t)from, cancel_it, &alarm);
        GIVES(alarm.cancelled, 0);
        GIVES(weir_timer_cancel(alarm.timer), -ENOENT);
        cr_expect(atomic_load(&alarm.count) == 0);
    }
    loopback_close(&loopback);
}

Test(timer, its_place_is_used_again_by_another_handle)
{
    struct loopback loopback = loopback_start(NULL);
    weir_timer first;
    weir_timer second;
    struct alarm alarm = {0};
    GIVES(weir_timer_start(loopback.runtime, 0, WAIT_MS, 0, note, &alarm, &first), 0);
    GIVES(weir_timer_cancel(first), 0);
    run_there(loopback.runtime, 0, start_here, &(struct alarm){.runtime = loopback.runtime});
    GIVES(weir_timer_start(loopback.runtime, 0, WAIT_MS, 0, note, &alarm, &second), 0);
    cr_expect(first.id != second.id);
    GIVES(weir_timer_cancel(first), -ENOENT);
    GIVES(weir_timer_cancel(second), 0);
    loopback_close(&loopback);
}

/* A callback that is held up: who cancels meanwhile is told so. */

struct gate {
    atomic_int inside;
    atomic_int open;
    atomic_uint count;
};

static void wait_in(weir_timer timer, void *data)
{
    struct gate *gate = data;
    (void)timer;
    atomic_fetch_add(&gate->count, 1);
    atomic_store(&gate->inside, 1);
    while (!atomic_load(&gate->open))
        continue;
}

static void expect_in_progress(int64_t period_ms)
{
    struct loopback loopback = loopback_start(NULL);
    struct gate gate = {0};
    weir_timer timer;
    GIVES(weir_timer_start(loopback.runtime, 0, 0, period_ms, wait_in, &gate, &timer), 0);
    EVENTUALLY(atomic_load(&gate.inside));
    GIVES(weir_timer_cancel(timer), -EINPROGRESS);
    GIVES(weir_timer_cancel(timer), -EINPROGRESS);
    atomic_store(&gate.open, 1);
    EVENTUALLY(weir_timer_cancel(timer) == -ENOENT);
    cr_expect(atomic_load(&gate.count) == 1, "called again: %u times", atomic_load(&gate.count));
    loopback_close(&loopback);
}

Test(timer, cancelled_while_it_is_called)
{
    expect_in_progress(0);
    expect_in_progress(1);
}

static void cancel_itself(weir_timer timer, void *data)
{
    struct alarm *alarm = data;
    alarm->cancelled = weir_timer_cancel(timer);
    atomic_fetch_add(&alarm->count, 1);
}

Test(timer, its_own_callback_cancels_it)
{
    struct loopback loopback = loopback_start(NULL);
    for (int period_ms = 0; period_ms < 2; period_ms++) {
        struct alarm alarm = {0};
        struct alarm later = {0};
        GIVES(weir_timer_start(loopback.runtime, 0, 0, period_ms, cancel_itself, &alarm, NULL), 0);
        EVENTUALLY(atomic_load(&alarm.count) == 1);
        GIVES(weir_timer_start(loopback.runtime, 0, 20, 0, note, &later, NULL), 0);
        EVENTUALLY(atomic_load(&later.count) == 1);
        GIVES(alarm.cancelled, period_ms ? 0 : -ENOENT);
        cr_expect(atomic_load(&alarm.count) == 1);
    }
    loopback_close(&loopback);
}

/* It is held up once, by more than a period. One that counted from when it was called would be off
 * by that for ever; one that made up for what was missed would be called twice at once. */

enum { PERIOD_MS = 20, HELD_UP_MS = 27, HELD_UP_AT = 2, TIMES = 10 };

struct beat {
    uint64_t start_ms;
    uint64_t nearest_ms; /* to one of its times, that it was called since */
    atomic_uint count;
};

static void beat(weir_timer timer, void *data)
{
    struct beat *beat = data;
    uint64_t called_ms = now_ms();
    uint64_t off_ms = (called_ms - beat->start_ms) % PERIOD_MS;
    unsigned count = atomic_load(&beat->count);
    (void)timer;
    if (count > HELD_UP_AT && off_ms < beat->nearest_ms)
        beat->nearest_ms = off_ms;
    while (count == HELD_UP_AT && now_ms() < called_ms + HELD_UP_MS)
        continue;
    atomic_fetch_add(&beat->count, 1);
}

Test(timer, a_period_does_not_drift)
{
    struct loopback loopback = loopback_start(NULL);
    struct beat pace = {.start_ms = now_ms(), .nearest_ms = PERIOD_MS};
    weir_timer timer;
    GIVES(weir_timer_start(loopback.runtime, 0, PERIOD_MS, PERIOD_MS, beat, &pace, &timer), 0);
    EVENTUALLY(atomic_load(&pace.count) >= TIMES);
    uint64_t took_ms = now_ms() - pace.start_ms;
    (void)weir_timer_cancel(timer);
    EVENTUALLY(weir_timer_cancel(timer) == -ENOENT);
    cr_expect(pace.nearest_ms < HELD_UP_MS - PERIOD_MS, "never nearer than %lu ms",
              (unsigned long)pace.nearest_ms);
    cr_expect(took_ms >= PERIOD_MS * (TIMES + 1), "made up for: %lu ms", (unsigned long)took_ms);
    loopback_close(&loopback);
}

/* Each arms another one that is due at once: the scheduler goes on with the rest all the same. */

static void arm_again(weir_timer timer, void *data)
{
    struct alarm *alarm = data;
    (void)timer;
    atomic_fetch_add(&alarm->count, 1);
    (void)!weir_timer_start(alarm->runtime, 0, 0, 0, arm_again, alarm, NULL);
}

Test(timer, timers_that_are_due_at_once_make_turns)
{
    struct loopback loopback = loopback_start(NULL);
    struct alarm alarm = {.runtime = loopback.runtime};
    arm_again((weir_timer){0}, &alarm);
    for (int i = 0; i < 10; i++)
        run_there(loopback.runtime, 0, cancel_it, &(struct alarm){0});
    EVENTUALLY(atomic_load(&alarm.count) > 5);
    loopback_close(&loopback);
}

Test(timer, handles_outlive_their_runtime)
{
    weir_timer old;
    struct alarm alarm = {0};
    struct loopback loopback = loopback_start(NULL);
    GIVES(weir_timer_start(loopback.runtime, 0, WAIT_MS, 1, note, &alarm, &old), 0);
    loopback_close(&loopback);
    GIVES(weir_timer_cancel(old), -ENOENT);
    loopback = loopback_start(NULL);
    weir_timer other;
    GIVES(weir_timer_start(loopback.runtime, 0, WAIT_MS, 0, note, &alarm, &other), 0);
    cr_expect(old.id != other.id);
    GIVES(weir_timer_cancel(old), -ENOENT);
    GIVES(weir_timer_cancel(other), 0);
    loopback_close(&loopback);
    cr_expect(atomic_load(&alarm.count) == 0);
}

Test(timer, mistakes_are_refused)
{
    struct loopback loopback = loopback_start(NULL);
    weir_runtime *runtime = loopback.runtime;
    GIVES(weir_timer_start(runtime, 1, 0, 0, note, NULL, NULL), -EINVAL);
    GIVES(weir_timer_start(runtime, -2, 0, 0, note, NULL, NULL), -EINVAL);
    GIVES(weir_timer_start(runtime, 0, -1, 0, note, NULL, NULL), -EINVAL);
    GIVES(weir_timer_start(runtime, 0, 0, -1, note, NULL, NULL), -EINVAL);
    GIVES(weir_timer_start(runtime, 0, 0, 0, NULL, NULL, NULL), -EINVAL);
    GIVES(weir_timer_cancel((weir_timer){0}), -ENOENT);
    GIVES(weir_timer_cancel((weir_timer){UINT64_MAX}), -ENOENT);
    cr_assert_str_eq(weir_last_error_text(),
                     "timer: there is none to cancel: it is over, or never was");
    loopback_close(&loopback);
    GIVES(weir_timer_start(runtime, 0, 0, 0, note, NULL, NULL), WEIR_CLOSED);
}
