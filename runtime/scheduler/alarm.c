/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/alarm.h"

#include <errno.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slow.h"
#include "runtime/scheduler/timer_table.h"

static weir_timer handle_of(const struct scheduler *scheduler, const struct timer_entry *entry)
{
    return (weir_timer){(uint64_t)scheduler->index << HANDLE_INDEX_SHIFT |
                        (uint64_t)entry->generation << HANDLE_GENERATION_SHIFT |
                        (scheduler->first_index + entry->index)};
}

static struct timer_entry *find(const struct scheduler *scheduler, weir_timer timer)
{
    uint32_t index = (uint32_t)timer.id - scheduler->first_index;
    uint32_t generation = (uint32_t)(timer.id >> HANDLE_GENERATION_SHIFT) & GENERATION_MAX;
    return timer_table_find(&scheduler->timer_table, index, generation);
}

/* The first time of the period's that is still to come. */
static uint64_t next_due_ms(const struct timer_entry *entry)
{
    uint64_t now_ms = clock_now_ns() / 1000000u;
    uint64_t due_ms = CANARY(DRIFTING) ? now_ms : entry->timer.expiry_ms;
    return due_ms + ((now_ms - due_ms) / entry->period_ms + 1) * entry->period_ms;
}

static bool begin_run(struct timer_table *table, struct timer_entry *entry)
{
    pthread_mutex_lock(&table->lock);
    /* Else it is cancelled, and its node on the way. */
    bool runs = entry->state == TIMER_WAITING || CANARY(DEAD_TIMER);
    if (runs)
        entry->state = TIMER_RUNNING;
    pthread_mutex_unlock(&table->lock);
    return runs;
}

static void end_run(struct scheduler *scheduler, struct timer_entry *entry)
{
    struct timer_table *table = &scheduler->timer_table;
    pthread_mutex_lock(&table->lock);
    if (entry->state == TIMER_RUNNING && entry->period_ms > 0) {
        entry->state = TIMER_WAITING;
        timer_arm(&scheduler->timers, &entry->timer, next_due_ms(entry));
    } else {
        timer_table_give_back(table, entry);
    }
    pthread_mutex_unlock(&table->lock);
}

static void fire(struct timer *timer)
{
    struct scheduler *scheduler = scheduler_current();
    struct timer_entry *entry = list_entry(timer, struct timer_entry, timer);
    if (scheduler->state == SCHEDULER_STOPPING || !begin_run(&scheduler->timer_table, entry))
        return;
    error_clear_text();
    uint64_t began_ns = slow_begin(scheduler);
    entry->fired(handle_of(scheduler, entry), entry->data);
    slow_end(scheduler, began_ns, (slow_function *)entry->fired);
    end_run(scheduler, entry);
}

static void put_in_wheel(struct scheduler *scheduler, struct timer_entry *entry)
{
    entry->state = TIMER_WAITING;
    timer_arm(&scheduler->timers, &entry->timer, entry->timer.expiry_ms);
}

static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct timer_table *table = &scheduler->timer_table;
    struct timer_entry *entry = list_entry(node, struct timer_entry, node);
    pthread_mutex_lock(&table->lock);
    if (entry->state == TIMER_STARTING) {
        put_in_wheel(scheduler, entry);
    } else {
        CHECK(entry->state == TIMER_CANCELLED);
        timer_disarm(&scheduler->timers, &entry->timer);
        timer_table_give_back(table, entry);
    }
    pthread_mutex_unlock(&table->lock);
}

/* One millisecond more, as in scheduler_arm. */
static void set_up(struct timer_entry *entry, const struct alarm_plan *plan)
{
    entry->timer.fire = fire;
    entry->timer.expiry_ms = clock_now_ns() / 1000000u + plan->delay_ms + 1;
    entry->node.run = arrive;
    entry->period_ms = plan->period_ms;
    entry->fired = plan->fired;
    entry->data = plan->data;
    entry->state = TIMER_STARTING;
}

int alarm_start(struct scheduler *scheduler, const struct alarm_plan *plan, weir_timer *timer)
{
    bool here = scheduler == scheduler_current();
    struct timer_table *table = &scheduler->timer_table;
    struct timer_entry *entry;
    pthread_mutex_lock(&table->lock);
    int result = timer_table_take(table, &entry);
    if (result == 0) {
        set_up(entry, plan);
        if (timer)
            *timer = handle_of(scheduler, entry);
        if (here)
            put_in_wheel(scheduler, entry);
    }
    pthread_mutex_unlock(&table->lock);
    if (result == 0 && !here)
        inbox_post(&scheduler->inbox, &entry->node);
    return result;
}

/* CANCEL_POSTS: 0, and its scheduler has yet to be sent its node. */
enum { CANCEL_POSTS = 1 };

static int cancel_waiting(struct scheduler *scheduler, struct timer_entry *entry)
{
    if (scheduler != scheduler_current()) {
        entry->state = TIMER_CANCELLED;
        return CANCEL_POSTS;
    }
    timer_disarm(&scheduler->timers, &entry->timer);
    timer_table_give_back(&scheduler->timer_table, entry);
    return 0;
}

/* Who asks on its scheduler is the callback itself, or is called by it. */
static int cancel_running(struct scheduler *scheduler, struct timer_entry *entry)
{
    bool here = scheduler == scheduler_current();
    if (here && entry->period_ms == 0)
        return -ENOENT;
    entry->state = TIMER_LAST_RUN;
    return here ? 0 : -EINPROGRESS;
}

static int cancel(struct scheduler *scheduler, struct timer_entry *entry)
{
    switch (entry->state) {
    case TIMER_STARTING:
        entry->state = TIMER_CANCELLED;
        return 0;
    case TIMER_WAITING:
        return cancel_waiting(scheduler, entry);
    case TIMER_RUNNING:
        return cancel_running(scheduler, entry);
    case TIMER_LAST_RUN:
        return scheduler == scheduler_current() ? -ENOENT : -EINPROGRESS;
    case TIMER_CANCELLED:
        return -ENOENT;
    case TIMER_FREE:
        break;
    }
    CHECK_NEVER(entry->state);
}

static int find_and_cancel(struct scheduler *scheduler, weir_timer timer,
                           struct timer_entry **entry)
{
    struct timer_table *table = &scheduler->timer_table;
    pthread_mutex_lock(&table->lock);
    *entry = find(scheduler, timer);
    int result = *entry ? cancel(scheduler, *entry) : -ENOENT;
    pthread_mutex_unlock(&table->lock);
    return result;
}

int alarm_cancel(struct scheduler *scheduler, weir_timer timer)
{
    struct timer_entry *entry;
    int result = find_and_cancel(scheduler, timer, &entry);
    if (result != CANCEL_POSTS)
        return result;
    inbox_post(&scheduler->inbox, &entry->node);
    return 0;
}

/* It keeps its place until the scheduler has ended. */
int alarm_cancel_stopping(struct scheduler *scheduler, weir_timer timer)
{
    struct timer_entry *entry;
    int result = find_and_cancel(scheduler, timer, &entry);
    return result == CANCEL_POSTS ? 0 : result;
}
