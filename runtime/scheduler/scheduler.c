/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/scheduler.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/probe.h"
#include "runtime/ring/features.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/cpus.h"
#include "runtime/scheduler/dispatch.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/totals.h"

/* How long a stop waits for queued bytes to leave before it drops them. */
static const uint64_t stop_grace_ns = 1000000000u;

_Thread_local struct scheduler *scheduler_own;

void scheduler_become(struct scheduler *scheduler)
{
    scheduler_own = scheduler;
    buffer_pool_own(scheduler ? scheduler->buffers : NULL);
}

void scheduler_submit(struct scheduler *scheduler)
{
    if (ring_pending(scheduler->ring) > 0)
        ring_submit(scheduler->ring);
    if (ring_pending(scheduler->ring) == 0)
        vectors_reset(&scheduler->vectors);
}

/* One more: a wheel of whole milliseconds must not cut the first one short. */
void scheduler_arm(struct scheduler *scheduler, struct timer *timer, uint64_t delay_ms)
{
    uint64_t now_ns = CANARY(STALE_CLOCK) ? scheduler->now_ns : clock_now_ns();
    timer_arm(&scheduler->timers, timer, now_ns / 1000000u + delay_ms + 1);
}

static void run_inbox(struct scheduler *scheduler)
{
    struct inbox_node *node = inbox_take(&scheduler->inbox);
    while (node) {
        struct inbox_node *next = node->next;
        node->run(scheduler, node);
        node = next;
    }
    task_run(scheduler, &scheduler->tasks, TASK_SOON);
}

void scheduler_do_soon(struct scheduler *scheduler)
{
    task_run(scheduler, &scheduler->tasks, TASK_SOON);
    if (ring_pending(scheduler->ring) >= scheduler->limits->eager_submit)
        scheduler_submit(scheduler);
}

static void run_completions(struct scheduler *scheduler)
{
    const struct scheduler_limits *limits = scheduler->limits;
    uint32_t count = ring_take(scheduler->ring, scheduler->completions, limits->completion_budget);
    scheduler->totals.completions += count;
    scheduler->last_count = count;
    scheduler->turn_clock.has_left_some =
        count == limits->completion_budget && ring_ready(scheduler->ring) > 0;
    for (uint32_t i = 0; i < count; i++) {
        dispatch_fetch_ahead(scheduler, i, count);
        error_clear_text(); /* calls that it ends are not to say what other calls said */
        dispatch(scheduler, &scheduler->completions[i]);
        scheduler_do_soon(scheduler);
    }
}

/* What many slow peers have made the queues grow to would stay with the allocator for ever: after a
 * flood 200 MiB of it. */
static bool has_memory_to_return(const struct scheduler *scheduler)
{
    enum { WORTH_BYTES = 32 << 20 };
    return scheduler->queued_bytes_peak >= WORTH_BYTES &&
           scheduler->totals.queued_bytes <= scheduler->queued_bytes_peak / 8;
}

static void return_memory(struct timer *timer)
{
    struct scheduler *scheduler = list_entry(timer, struct scheduler, return_memory);
    if (!has_memory_to_return(scheduler))
        return;
    scheduler->queued_bytes_peak = scheduler->totals.queued_bytes;
    memory_trim();
}

/* Later, since queues that grow and shrink by the second need it again. */
static void plan_to_return_memory(struct scheduler *scheduler)
{
    enum { LATER_MS = 1000 };
    if (scheduler->totals.queued_bytes > scheduler->queued_bytes_peak)
        scheduler->queued_bytes_peak = scheduler->totals.queued_bytes;
    if (has_memory_to_return(scheduler) && !scheduler->return_memory.armed)
        scheduler_arm(scheduler, &scheduler->return_memory, LATER_MS);
}

static void give_back_resources(struct scheduler *scheduler)
{
    buffer_pool_collect(scheduler->buffers);
    if (buffer_pool_available(scheduler->buffers) > 0)
        task_run(scheduler, &scheduler->tasks, TASK_WITH_BUFFERS);
    buffer_pool_supply(scheduler->buffers);
    plan_to_return_memory(scheduler);
    if (scheduler->descriptor_closed) {
        scheduler->descriptor_closed = false;
        task_run(scheduler, &scheduler->tasks, TASK_WITH_DESCRIPTORS);
    }
}

/* By the clock, not by the turn's beginning: a slow callback is to delay no time-out. */
static uint64_t time_until_ns(uint64_t then_ms)
{
    uint64_t now_ns = clock_now_ns();
    return then_ms * 1000000u > now_ns ? then_ms * 1000000u - now_ns : 0;
}

/* The one place that says so: what is not asked here may lie until somebody else wakes it up. */
bool scheduler_has_due_tasks(const struct scheduler *scheduler)
{
    const struct task_queues *tasks = &scheduler->tasks;
    bool buffers = !task_queue_is_empty(tasks, TASK_WITH_BUFFERS) &&
                   buffer_pool_available(scheduler->buffers) > 0;
    bool descriptors =
        scheduler->descriptor_closed && !task_queue_is_empty(tasks, TASK_WITH_DESCRIPTORS);
    return buffers || descriptors || !task_queue_is_empty(tasks, TASK_SOON) ||
           !task_queue_is_empty(tasks, TASK_LAST) || !task_queue_is_empty(tasks, TASK_SUBMITTED);
}

/* 0 when there is something to do at once. */
static uint64_t time_to_sleep_ns(struct scheduler *scheduler)
{
    uint64_t next_ms = timer_next_ms(&scheduler->timers);
    uint64_t sleep_ns = UINT64_MAX;
    bool due = scheduler_has_due_tasks(scheduler) && !CANARY(TASK_LEFT);
    if (due || !inbox_is_empty(&scheduler->inbox))
        return 0;
    if (next_ms != UINT64_MAX)
        sleep_ns = time_until_ns(next_ms);
    if (scheduler->state == SCHEDULER_STOPPING && sleep_ns > 1000000u)
        sleep_ns = 1000000u;
    return sleep_ns;
}

static bool look_until(struct scheduler *scheduler, uint64_t until_ns)
{
    enum { LOOKS_PER_CLOCK = 16 };
    while (clock_now_ns() < until_ns) {
        for (int i = 0; i < LOOKS_PER_CLOCK; i++) {
            if (ring_has_work(scheduler->ring) || !inbox_is_empty(&scheduler->inbox))
                return true;
            clock_relax();
        }
    }
    return false;
}

/* An idle scheduler looks before it sleeps: waking up is nearly all of a lone request's latency.
 * Only an idle one: while many sockets are busy a turn that starts early has less to do, and each
 * request costs more. */
static bool spin(struct scheduler *scheduler)
{
    enum { IDLE_COMPLETIONS = 2 };
    if (scheduler->last_count > IDLE_COMPLETIONS)
        return false;
    if (scheduler->last_count > 0 || scheduler->spin_until_ns == 0)
        scheduler->spin_until_ns = clock_now_ns() + scheduler->limits->busy_wait_ns;
    return look_until(scheduler, scheduler->spin_until_ns);
}

/* False: somebody has come meanwhile, and would not be noticed. */
static bool begin_sleep(struct scheduler *scheduler)
{
    return inbox_begin_sleep(&scheduler->inbox) && !buffer_pool_has_returns(scheduler->buffers);
}

static void wait_for_work(struct scheduler *scheduler)
{
    CHECK(scheduler_own == scheduler); /* else a callback has forked, and the child has returned */
    uint64_t sleep_ns = time_to_sleep_ns(scheduler);
    if (!ring_has_work(scheduler->ring))
        turn_times_nothing_waits(&scheduler->turn_clock);
    if (sleep_ns == 0)
        scheduler->spin_until_ns = 0; /* it is at work, without completions perhaps */
    if (sleep_ns > 0 && scheduler->limits->busy_wait_ns > 0) {
        scheduler_submit(scheduler);
        if (spin(scheduler))
            sleep_ns = 0;
    }
    if (sleep_ns > 0 && !begin_sleep(scheduler))
        sleep_ns = 0;
#ifndef NDEBUG
    CHECK(sleep_ns == 0 || CANARY(TASK_LEFT) || !scheduler_has_due_tasks(scheduler));
#endif
    ring_turn(scheduler->ring, sleep_ns);
    inbox_end_sleep(&scheduler->inbox);
    if (ring_pending(scheduler->ring) == 0)
        vectors_reset(&scheduler->vectors);
    task_submitted(&scheduler->tasks);
}

static void read_clock(struct scheduler *scheduler)
{
    scheduler->now_ns = clock_now_ns();
}

static void publish_totals(struct scheduler *scheduler)
{
    struct ring_counters counters = ring_get_counters(scheduler->ring);
    scheduler->totals.turns++;
    scheduler->totals.system_calls = counters.system_calls;
    scheduler->totals.completion_overflows = counters.overflows;
    totals_publish(&scheduler->published, &scheduler->totals);
}

/*
 * Completions come before timers: a time-out never beats data that had arrived in time. What the
 * inbox brought is finished before both: who gets a socket hears of it before its packets. In the
 * end calls are finished, and then what they have sent is flushed.
 */
void scheduler_turn(struct scheduler *scheduler)
{
    read_clock(scheduler);
    run_inbox(scheduler);
    run_completions(scheduler);
    task_run(scheduler, &scheduler->tasks, TASK_WAS_SUBMITTED);
    timer_advance(&scheduler->timers, scheduler->now_ns / 1000000u);
    task_run(scheduler, &scheduler->tasks, TASK_SOON);
    task_run(scheduler, &scheduler->tasks, TASK_SOON);
    task_run(scheduler, &scheduler->tasks, TASK_LAST);
    give_back_resources(scheduler);
    publish_totals(scheduler);
    uint64_t end_ns = clock_now_ns();
    PROBE3(turn, scheduler->number, scheduler->now_ns, end_ns);
    turn_times_note(&scheduler->turn_clock, scheduler->now_ns, end_ns, scheduler->last_count > 0);
    wait_for_work(scheduler);
}

static void release_memory(struct scheduler *scheduler, struct task *task)
{
    (void)task;
    buffer_pool_tell_released(scheduler->buffers);
}

static void release_memory_soon(void *context)
{
    struct scheduler *scheduler = context;
    task_add(&scheduler->tasks, TASK_SOON, &scheduler->release_memory);
}

static int open_buffers(struct scheduler *scheduler, const struct scheduler_limits *limits)
{
    struct buffer_pool_config config = {
        .ring = scheduler->ring,
        .scheduler = scheduler->index,
        .wake = registry_wake,
        .release_soon = release_memory_soon,
        .context = scheduler,
        .count = limits->ring.buffer_count,
        .size = limits->ring.buffer_size,
        .kernel_picks = (scheduler->profile.features & FEATURE_BIT(BUFFER_RING)) != 0,
    };
    return buffer_pool_open(&scheduler->buffers, &config);
}

static void shut_kinds(struct scheduler *scheduler)
{
    for (int number = 0; number < KIND_COUNT; number++) {
        if (scheduler->states[number])
            scheduler->kinds[number]->shut(scheduler->states[number]);
        scheduler->states[number] = NULL;
    }
}

static int open_kinds(struct scheduler *scheduler)
{
    int result = 0;
    for (int number = 0; number < KIND_COUNT && result >= 0; number++) {
        const struct kind *kind = scheduler->kinds[number];
        if (kind && kind->open)
            result = kind->open(scheduler, &scheduler->states[number]);
    }
    return result;
}

static int open_memory(struct scheduler *scheduler, const struct scheduler_limits *limits)
{
    scheduler->completions =
        memory_allocate(limits->completion_budget * sizeof(*scheduler->completions));
    return scheduler->completions ? open_kinds(scheduler) : -ENOMEM;
}

static void free_memory(struct scheduler *scheduler)
{
    shut_kinds(scheduler);
    slot_notes_free(&scheduler->places);
    memory_free(scheduler->completions);
}

int scheduler_open(struct scheduler *scheduler)
{
    const struct scheduler_limits *limits = scheduler->limits;
    read_clock(scheduler);
    task_queues_init(&scheduler->tasks);
    task_init(&scheduler->release_memory, release_memory);
    gone_init(&scheduler->gone);
    timer_wheel_init(&scheduler->timers, scheduler->now_ns / 1000000u);
    scheduler->return_memory.fire = return_memory;
    int result = open_memory(scheduler, limits);
    if (result >= 0)
        result = inbox_open(&scheduler->inbox);
    if (result < 0) {
        free_memory(scheduler);
        return result;
    }
    result = ring_open(&scheduler->ring, &limits->ring, &scheduler->profile);
    if (result >= 0) {
        result = open_buffers(scheduler, limits);
        if (result < 0)
            ring_close(scheduler->ring);
    }
    if (result < 0) {
        inbox_close(&scheduler->inbox);
        free_memory(scheduler);
        return result;
    }
    scheduler->totals.fallbacks =
        (uint64_t)__builtin_popcount(FEATURE_ALL & ~scheduler->profile.features);
    scheduler_wait_for_bell(scheduler);
    scheduler_become(scheduler);
    return 0;
}

/* Sockets and timers have generations of their own, and one number for what was used of both. */
static void close_tables(struct scheduler *scheduler)
{
    uint32_t timer_count;
    uint32_t timer_generation = timer_table_close(&scheduler->timer_table, &timer_count);
    uint32_t slot_count = slot_table_size(&scheduler->slots);
    uint32_t slot_generation = slot_table_close(&scheduler->slots);
    scheduler->slot_count = slot_count > timer_count ? slot_count : timer_count;
    scheduler->last_generation =
        slot_generation > timer_generation ? slot_generation : timer_generation;
}

void scheduler_close(struct scheduler *scheduler)
{
    scheduler_become(NULL);
    registry_end(scheduler->index);
    ring_close(scheduler->ring);
    buffer_pool_close(scheduler->buffers);
    inbox_close(&scheduler->inbox);
    free_memory(scheduler);
    slot_notes_free(&scheduler->passed);
    close_tables(scheduler);
}

/*
 * A stop, step by step. The runtime withdraws its schedulers from the registry: nobody finds them
 * any more, who is inside one stays until it is answered. Then this is posted, like anything else.
 * From here on nothing new is begun; sockets end, what is queued still leaves, and after a grace
 * that is dropped. What is left is counted down: slots, calls made here, tasks, posts. Users are
 * looked at before the inbox, so that the last post of one that has left is seen.
 */
void scheduler_stop(struct scheduler *scheduler)
{
    scheduler->state = SCHEDULER_STOPPING;
    scheduler->stop_deadline_ns = clock_now_ns() + stop_grace_ns;
    slot_end_all(scheduler, END_STOP);
}

bool scheduler_is_done(struct scheduler *scheduler)
{
    if (scheduler->state != SCHEDULER_STOPPING)
        return false;
    if (scheduler->slots.used_count > 0 && scheduler->now_ns > scheduler->stop_deadline_ns)
        slot_end_all(scheduler, END_ABORT);
    return registry_user_count(scheduler->index) == 0 && scheduler->slots.used_count == 0 &&
           scheduler->outstanding == 0 && task_queue_is_empty(&scheduler->tasks, TASK_SOON) &&
           task_queue_is_empty(&scheduler->tasks, TASK_LAST) &&
           task_queue_is_empty(&scheduler->tasks, TASK_SUBMITTED) &&
           task_queue_is_empty(&scheduler->tasks, TASK_WAS_SUBMITTED) &&
           inbox_is_empty(&scheduler->inbox);
}

static void pin(const struct scheduler *scheduler)
{
    char name[16];
    snprintf(name, sizeof(name), "weir-%u", scheduler->number);
    pthread_setname_np(pthread_self(), name);
    if (scheduler->cpu >= 0)
        cpus_pin(scheduler->cpu);
}

/* A callback has ended the thread, by pthread_exit or by being cancelled. Nobody else may use the
 * ring, and whoever waits for the scheduler would wait for ever. */
static void die(void *scheduler)
{
    CHECK(!"a callback has ended its scheduler's thread");
    (void)scheduler;
}

static void run(struct scheduler *scheduler)
{
    pthread_cleanup_push(die, scheduler);
    while (!scheduler_is_done(scheduler))
        scheduler_turn(scheduler);
    pthread_cleanup_pop(0);
}

void *scheduler_main(void *argument)
{
    struct scheduler *scheduler = argument;
    pin(scheduler);
    scheduler->start_result = scheduler_open(scheduler);
    if (scheduler->start_result < 0)
        error_copy_text(scheduler->start_text);
    scheduler->host->started(scheduler->runtime);
    if (scheduler->start_result < 0)
        return NULL;
    run(scheduler);
    scheduler_close(scheduler);
    return NULL;
}
