/* SPDX-License-Identifier: MIT */
#include "sim/alarms.h"

#include <errno.h>

#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "sim/actor.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/program.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include <weir/timer.h>

enum { ALARM_MOST = 32, MS = 1000000, LATE_MOST_MS = 10 };

enum alarm_state { ALARM_OVER, ALARM_WAITS, ALARM_RUNS, ALARM_RUNS_LAST };

struct alarm {
    enum alarm_state state;
    weir_timer timer;
    uint32_t serial; /* of those that have been this one */
    bool has_fired;
    uint64_t begun_ns;
    uint64_t due_ms; /* the next time */
    uint64_t period_ms;
};

static struct alarm alarms[ALARM_MOST];
static weir_runtime *the_runtime;

void alarms_reset(void)
{
    for (uint32_t i = 0; i < ALARM_MOST; i++)
        alarms[i] = (struct alarm){0};
}

static uint32_t index_of(const struct alarm *alarm)
{
    return (uint32_t)(alarm - alarms);
}

static bool is_of(const struct alarm *alarm, const struct scheduler *scheduler)
{
    return scheduler && scheduler->index == (uint32_t)(alarm->timer.id >> HANDLE_INDEX_SHIFT);
}

static bool is_here(const struct alarm *alarm)
{
    return is_of(alarm, scheduler_current());
}

void alarms_scheduler_over(const struct scheduler *scheduler)
{
    for (uint32_t i = 0; i < ALARM_MOST; i++)
        if (is_of(&alarms[i], scheduler))
            alarms[i].state = ALARM_OVER;
}

/* Bells take their time until it is known where it is, and so do callbacks, and others who hold its
 * scheduler up between reading the clock and sleeping. */
static void check_late(const struct alarm *alarm)
{
    uint64_t due_ns = alarm->due_ms * MS;
    uint64_t most_ns = due_ns + (uint64_t)(alarm->has_fired ? 2 : LATE_MOST_MS) * MS;
    most_ns += slow_since_ns(actor_is_alone() ? due_ns : alarm->begun_ns);
    SIM_CHECK(model_stopping || kernel.now_ns <= most_ns, "timer %u is %llu us too late",
              index_of(alarm), (unsigned long long)(kernel.now_ns - alarm->due_ms * MS) / 1000);
}

/* Times that pass while others are called are left out. */
static void pass(struct alarm *alarm)
{
    uint64_t late_ms = kernel.now_ns / MS - alarm->due_ms;
    alarm->due_ms += (late_ms / alarm->period_ms + 1) * alarm->period_ms;
}

/* The one whose time this is. Its data has its number and serial, so that it is told from others.
 */
static struct alarm *of_data(const void *data)
{
    uintptr_t number = (uintptr_t)data;
    struct alarm *alarm = &alarms[number % ALARM_MOST];
    SIM_CHECK(alarm->state != ALARM_OVER && alarm->serial == number / ALARM_MOST,
              "timer %u fires, and it is over", index_of(alarm));
    return alarm;
}

static void cancel(struct alarm *alarm);

static void act(struct alarm *alarm)
{
    if (program_winds_down())
        return;
    if (dice_chance(100))
        cancel(alarm);
    if (dice_chance(300))
        alarms_act(the_runtime);
    if (dice_chance(300))
        program_act_on_connection();
}

static void end_run(struct alarm *alarm)
{
    bool goes_on = alarm->state == ALARM_RUNS && alarm->period_ms > 0;
    alarm->state = goes_on ? ALARM_WAITS : ALARM_OVER;
    if (goes_on)
        pass(alarm);
}

static void fired(weir_timer timer, void *data)
{
    struct alarm *alarm = of_data(data);
    trace("timer %lld fires", index_of(alarm), 0, 0, 0);
    turns_progress();
    SIM_CHECK(alarm->timer.id == timer.id, "another timer fires");
    SIM_CHECK(alarm->state == ALARM_WAITS, "timer %u fires while it fires", index_of(alarm));
    SIM_CHECK(is_here(alarm), "timer %u fires elsewhere", index_of(alarm));
    SIM_CHECK(kernel.now_ns >= alarm->due_ms * MS, "timer %u is %llu us too early", index_of(alarm),
              (unsigned long long)(alarm->due_ms * MS - kernel.now_ns) / 1000);
    check_late(alarm);
    alarm->state = ALARM_RUNS;
    alarm->has_fired = true;
    slow_maybe();
    act(alarm);
    end_run(alarm);
}

static struct alarm *unused_alarm(void)
{
    for (uint32_t i = 0; i < ALARM_MOST; i++)
        if (alarms[i].state == ALARM_OVER)
            return &alarms[i];
    return NULL;
}

/* A time is up when its millisecond is over, so one more is waited for. */
static void start(struct alarm *alarm)
{
    uint64_t delay_ms = dice_chance(200) ? 0 : dice_size(60);
    uint32_t schedulers = weir_scheduler_count(the_runtime);
    int where = dice_chance(400) ? WEIR_ANY_SCHEDULER : (int)dice_below(schedulers);
    uint32_t serial = alarm->serial + 1;
    uintptr_t data = (uintptr_t)serial * ALARM_MOST + index_of(alarm);
    *alarm = (struct alarm){.state = ALARM_WAITS, .serial = serial, .begun_ns = kernel.now_ns};
    alarm->due_ms = kernel.now_ns / MS + delay_ms + 1;
    alarm->period_ms = dice_chance(400) ? dice_between(1, 25) : 0;
    int result = weir_timer_start(the_runtime, where, (int64_t)delay_ms, (int64_t)alarm->period_ms,
                                  fired, (void *)data, /* NOLINT(performance-no-int-to-ptr) */
                                  &alarm->timer);
    trace("timer %lld in %lld ms, every %lld: %lld", index_of(alarm), (int64_t)delay_ms,
          (int64_t)alarm->period_ms, result);
    SIM_CHECK(result == 0 || (result == WEIR_CLOSED && model_stopping) ||
                  (result == -ENOMEM && model_lenient),
              "timer_start gave %s", weir_error_name(result));
    if (result < 0)
        alarm->state = ALARM_OVER;
}

/* What a cancel says, and what becomes of the timer. */
static int foresee_cancel(struct alarm *alarm)
{
    switch (alarm->state) {
    case ALARM_OVER:
        return -ENOENT;
    case ALARM_WAITS:
        alarm->state = ALARM_OVER;
        return 0;
    case ALARM_RUNS:
        if (is_here(alarm) && alarm->period_ms == 0)
            return -ENOENT;
        alarm->state = ALARM_RUNS_LAST;
        return is_here(alarm) ? 0 : -EINPROGRESS;
    case ALARM_RUNS_LAST:
        return is_here(alarm) ? -ENOENT : -EINPROGRESS;
    }
    return 0;
}

static void cancel(struct alarm *alarm)
{
    int expected = foresee_cancel(alarm);
    int result = weir_timer_cancel(alarm->timer);
    trace("cancel of timer %lld: %lld", index_of(alarm), result, 0, 0);
    SIM_CHECK(result == expected, "timer_cancel gave %s, not %s", weir_error_name(result),
              weir_error_name(expected));
}

void alarms_act(weir_runtime *runtime)
{
    the_runtime = runtime;
    struct alarm *alarm = dice_chance(600) ? unused_alarm() : NULL;
    if (alarm)
        start(alarm);
    else
        cancel(&alarms[dice_below(ALARM_MOST)]);
}

void alarms_check_asleep(void)
{
    for (uint32_t i = 0; i < ALARM_MOST; i++)
        if (alarms[i].state == ALARM_WAITS)
            check_late(&alarms[i]);
}
