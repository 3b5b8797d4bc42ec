/* SPDX-License-Identifier: MIT */
/* Starting and cancelling timers, from wherever. */
#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "runtime/runtime.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/alarm.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include <weir/timer.h>

/* What a time is at most, so that sums of times are in range: ten thousand years. */
static const int64_t time_most_ms = INT64_C(1) << 48;

static int check_time(const char *name, int64_t time_ms)
{
    if (time_ms >= 0 && time_ms <= time_most_ms)
        return 0;
    return error_say(-EINVAL, "timer: a %s of %" PRId64 " milliseconds", name, time_ms);
}

static int check(const weir_runtime *runtime, int scheduler, int64_t delay_ms, int64_t period_ms)
{
    int count = (int)runtime->scheduler_count;
    if (scheduler < WEIR_ANY_SCHEDULER || scheduler >= count)
        return error_say(-EINVAL, "timer: scheduler %d: there are %d", scheduler, count);
    int result = check_time("delay", delay_ms);
    return result < 0 ? result : check_time("period", period_ms);
}

static uint32_t index_of(weir_runtime *runtime, int scheduler)
{
    const struct scheduler *here = scheduler_current();
    if (scheduler >= 0)
        return runtime->schedulers[scheduler]->index;
    return here && here->runtime == runtime ? here->index : runtime_next_scheduler(runtime);
}

static int start(uint32_t index, const struct alarm_plan *plan, weir_timer *timer)
{
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return error_say(WEIR_CLOSED, "timer: the runtime is being stopped");
    int result = alarm_start(scheduler, plan, timer);
    registry_leave(index);
    return result;
}

int weir_timer_start(weir_runtime *runtime, int scheduler, int64_t delay_ms, int64_t period_ms,
                     weir_fired *fired, void *data, weir_timer *timer)
{
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    const struct alarm_plan plan = {(uint64_t)delay_ms, (uint64_t)period_ms, fired, data};
    result = fired ? check(runtime, scheduler, delay_ms, period_ms)
                   : error_say(-EINVAL, "timer: no function was given");
    if (result == 0)
        result = start(index_of(runtime, scheduler), &plan, timer);
    runtimes_leave(runtime);
    return result;
}

/* While its runtime stops, a timer may be called yet. */
static int cancel_stopping(uint32_t index, weir_timer timer)
{
    struct scheduler *scheduler = registry_enter_stopping(index);
    if (!scheduler)
        return registry_is_parents(index) ? registry_say_parents(-ENOENT) : -ENOENT;
    int result = alarm_cancel_stopping(scheduler, timer);
    registry_leave(index);
    return result;
}

/* In a callback of a runtime that stops the own scheduler is there all the same. */
static int cancel(weir_timer timer)
{
    struct scheduler *here = scheduler_current();
    uint32_t index = (uint32_t)(timer.id >> HANDLE_INDEX_SHIFT);
    if (here && here->index == index)
        return alarm_cancel(here, timer);
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return cancel_stopping(index, timer);
    int result = alarm_cancel(scheduler, timer);
    registry_leave(index);
    return result;
}

int weir_timer_cancel(weir_timer timer)
{
    error_clear_text();
    int result = cancel(timer);
    if (result == -EINPROGRESS)
        return error_say(result, "timer: it is being called just now, for the last time");
    if (result == -ENOENT && !weir_last_error_text()[0])
        return error_say(result, "timer: there is none to cancel: it is over, or never was");
    return result;
}
