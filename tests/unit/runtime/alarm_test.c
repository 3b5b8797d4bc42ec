/* SPDX-License-Identifier: MIT */
/* The application's timers, without their scheduler's turn and by a clock that stands still: which
 * state each is in, who may have it called, and when its place is free. */
#include "runtime/scheduler/alarm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slot_table.h"

enum { START_MS = 1000000, MS = 1000000, INDEX = 5, FIRST_INDEX = 1000, GENERATION = 7 };

static uint64_t now_ms = START_MS;

uint64_t __wrap_clock_now_ns(void);

uint64_t __wrap_clock_now_ns(void)
{
    return now_ms * MS + MS - 1;
}

static struct scheduler_limits limits;
static struct scheduler scheduler = {.index = INDEX, .first_index = FIRST_INDEX, .limits = &limits};
static int64_t blocks;

static void be_here(void)
{
    scheduler_become(&scheduler);
}

static void be_elsewhere(void)
{
    scheduler_become(NULL);
}

static void begin(void)
{
    blocks = memory_live_count();
    be_here();
    timer_wheel_init(&scheduler.timers, now_ms);
    timer_table_open(&scheduler.timer_table, GENERATION);
    cr_assert_eq(inbox_open(&scheduler.inbox), 0);
}

/* Its highest generation. */
static uint32_t end(void)
{
    uint32_t place_count;
    cr_expect(inbox_is_empty(&scheduler.inbox), "something is on its way");
    uint32_t highest = timer_table_close(&scheduler.timer_table, &place_count);
    inbox_close(&scheduler.inbox);
    be_elsewhere();
    cr_expect_eq(memory_live_count(), blocks);
    return highest;
}

/* The node that has been sent to the scheduler arrives. */
static void expect_node(bool any)
{
    struct inbox_node *node = inbox_take(&scheduler.inbox);
    cr_expect_eq(node != NULL, any);
    if (node) {
        cr_expect_null(node->next);
        be_here();
        node->run(&scheduler, node);
    }
}

static int count;
static uint64_t fired_ms;
static weir_timer fired_timer;
static int cancelled_here;
static int cancelled_there;

static void note(weir_timer timer, void *data)
{
    cr_expect_eq(data, &count);
    cr_expect_str_eq(weir_last_error_text(), "");
    fired_timer = timer;
    fired_ms = now_ms;
    count++;
}

static void advance(uint64_t to_ms)
{
    now_ms = to_ms;
    be_here();
    error_set_text("of another call");
    timer_advance(&scheduler.timers, now_ms);
}

static weir_timer start_with(uint64_t delay_ms, uint64_t period_ms, weir_fired *fired)
{
    const struct alarm_plan plan = {delay_ms, period_ms, fired, &count};
    weir_timer timer;
    cr_assert_eq(alarm_start(&scheduler, &plan, &timer), 0);
    return timer;
}

static weir_timer start(uint64_t delay_ms, uint64_t period_ms)
{
    return start_with(delay_ms, period_ms, note);
}

static bool is_in_wheel(void)
{
    return timer_next_ms(&scheduler.timers) != UINT64_MAX;
}

Test(alarm, fires_once_and_no_sooner)
{
    begin();
    weir_timer timer = start(40, 0);
    cr_expect_eq(timer.id >> HANDLE_INDEX_SHIFT, INDEX);
    cr_expect_eq(timer.id >> HANDLE_GENERATION_SHIFT & GENERATION_MAX, GENERATION);
    cr_expect_eq((uint32_t)timer.id, FIRST_INDEX);
    cr_expect_eq((uint32_t)start(41, 0).id, FIRST_INDEX + 1);
    expect_node(false);
    advance(START_MS + 40);
    cr_expect_eq(count, 0);
    advance(START_MS + 41);
    cr_expect(count == 1 && fired_timer.id == timer.id);
    advance(START_MS + 42);
    cr_expect_not(is_in_wheel());
    cr_expect_eq(alarm_cancel(&scheduler, timer), -ENOENT);
    cr_expect_neq(start(1, 0).id, timer.id);
    const struct alarm_plan plan = {1, 0, note, &count};
    cr_expect_eq(alarm_start(&scheduler, &plan, NULL), 0, "nobody wants its handle");
    advance(START_MS + 44);
    cr_expect_eq(count, 4);
    cr_expect_eq(end(), GENERATION + 2);
}

Test(alarm, of_another_thread_comes_by_its_node)
{
    begin();
    be_elsewhere();
    weir_timer timer = start(40, 0);
    advance(START_MS + 100);
    cr_expect_eq(count, 0, "it has not come yet");
    expect_node(true);
    advance(START_MS + 101);
    cr_expect(count == 1 && fired_timer.id == timer.id);
    end();
}

/* Wherever it is: on its way, in the wheel, or nowhere any more. */
Test(alarm, that_is_cancelled_is_not_called)
{
    begin();
    weir_timer timer = start(40, 0);
    cr_expect_eq(alarm_cancel(&scheduler, timer), 0);
    cr_expect_not(is_in_wheel());
    cr_expect_eq(alarm_cancel(&scheduler, timer), -ENOENT);
    be_elsewhere();
    timer = start(40, 0);
    cr_expect_eq(alarm_cancel(&scheduler, timer), 0);
    cr_expect_eq(alarm_cancel(&scheduler, timer), -ENOENT);
    expect_node(true);
    cr_expect_not(is_in_wheel());
    timer = start(40, 0);
    be_elsewhere();
    cr_expect_eq(alarm_cancel(&scheduler, timer), 0);
    cr_expect(is_in_wheel(), "its scheduler takes it out");
    cr_expect_eq(alarm_cancel(&scheduler, timer), -ENOENT);
    expect_node(true);
    cr_expect_not(is_in_wheel());
    cr_expect_eq(alarm_cancel(&scheduler, timer), -ENOENT);
    advance(START_MS + 100);
    cr_expect_eq(count, 0);
    cr_expect_eq(end(), GENERATION + 3, "each has given its place back");
}

/* It is due before its scheduler hears of it. */
Test(alarm, that_was_cancelled_in_time_is_not_called_either)
{
    begin();
    weir_timer timer = start(40, 0);
    be_elsewhere();
    cr_expect_eq(alarm_cancel(&scheduler, timer), 0);
    advance(START_MS + 41);
    cr_expect_eq(count, 0);
    weir_timer other = start(1, 0);
    cr_expect_neq((uint32_t)other.id, (uint32_t)timer.id, "its place is its own until then");
    expect_node(true);
    advance(START_MS + 50);
    cr_expect_eq(count, 1);
    end();
}

/* Nothing is posted to a scheduler that stops, nor called. */
Test(alarm, ends_with_its_scheduler)
{
    begin();
    weir_timer timer = start(40, 0);
    (void)start(30, 0);
    be_elsewhere();
    cr_expect_eq(alarm_cancel_stopping(&scheduler, timer), 0);
    cr_expect_eq(alarm_cancel_stopping(&scheduler, timer), -ENOENT);
    expect_node(false);
    scheduler.state = SCHEDULER_STOPPING;
    advance(START_MS + 100);
    cr_expect_eq(count, 0);
    scheduler.state = SCHEDULER_RUNNING;
    end();
}

static void cancel_everywhere(weir_timer timer, void *data)
{
    note(timer, data);
    be_elsewhere();
    cancelled_there = alarm_cancel(&scheduler, timer);
    be_here();
    cancelled_here = alarm_cancel(&scheduler, timer);
}

static void cancel_here_first(weir_timer timer, void *data)
{
    note(timer, data);
    cancelled_here = alarm_cancel(&scheduler, timer);
    be_elsewhere();
    cancelled_there = alarm_cancel(&scheduler, timer);
    be_here();
}

/* Who is called may stop its repetition; others are told that it is being called. */
static const struct {
    weir_fired *fired;
    uint64_t period_ms;
    int here;
    int there;
} running[] = {
    {cancel_everywhere, 0, -ENOENT, -EINPROGRESS},
    {cancel_everywhere, 10, -ENOENT, -EINPROGRESS},
    {cancel_here_first, 0, -ENOENT, -EINPROGRESS},
    {cancel_here_first, 10, 0, -EINPROGRESS},
};

Test(alarm, is_cancelled_while_it_is_called)
{
    for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++) {
        begin();
        count = 0;
        weir_timer timer = start_with(5, running[i].period_ms, running[i].fired);
        advance(now_ms + 6);
        cr_expect_eq(cancelled_here, running[i].here, "row %zu: %d", i, cancelled_here);
        cr_expect_eq(cancelled_there, running[i].there, "row %zu: %d", i, cancelled_there);
        cr_expect_eq(alarm_cancel(&scheduler, timer), -ENOENT);
        cr_expect_not(is_in_wheel());
        advance(now_ms + 100);
        cr_expect_eq(count, 1);
        cr_expect_eq(end(), GENERATION + 1);
    }
}

/* By its own times, however late it is called: the next that is still to come. */
Test(alarm, has_a_period)
{
    static const uint64_t times_ms[][2] = {
        {6, 6},   {15, 6},  {16, 16},  {25, 16},   {26, 26},   {36, 36},   {75, 75},
        {76, 76}, {96, 96}, {105, 96}, {117, 117}, {125, 117}, {126, 126},
    };
    begin();
    weir_timer timer = start(5, 10);
    for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
        advance(START_MS + times_ms[i][0]);
        cr_expect_eq(fired_ms, START_MS + times_ms[i][1], "at %lu: %lu", times_ms[i][0],
                     fired_ms - START_MS);
    }
    cr_expect_eq(count, 9);
    cr_expect_eq(alarm_cancel(&scheduler, timer), 0);
    advance(START_MS + 500);
    cr_expect_eq(count, 9);
    end();
}

/* A callback that takes until the next of its times is called at the one behind. */
static void take_a_period(weir_timer timer, void *data)
{
    note(timer, data);
    now_ms += 10;
}

Test(alarm, is_not_called_twice_at_once)
{
    begin();
    (void)start_with(5, 10, take_a_period);
    advance(START_MS + 6);
    cr_expect(count == 1 && now_ms == START_MS + 16);
    advance(START_MS + 25);
    cr_expect_eq(count, 1);
    advance(START_MS + 26);
    cr_expect_eq(count, 2);
    end();
}

static void tell_slow(const weir_slow_callback *slow)
{
    cr_expect_eq((void *)slow->function, (void *)take_a_period);
    cr_expect_eq(slow->took_ns, 10ull * MS);
    count += 100;
}

Test(alarm, may_be_slow)
{
    begin();
    limits = (struct scheduler_limits){.slow_callback_ns = MS, .slow_callback = tell_slow};
    (void)start_with(5, 0, take_a_period);
    advance(START_MS + 6);
    cr_expect_eq(count, 101);
    end();
}

Test(alarm, is_found_by_its_handle_alone)
{
    begin();
    weir_timer timer = start(40, 0);
    const uint64_t others[] = {timer.id + 1, timer.id - 1, timer.id + 64,
                               timer.id + (1ull << HANDLE_GENERATION_SHIFT),
                               timer.id - (1ull << HANDLE_GENERATION_SHIFT)};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        cr_expect_eq(alarm_cancel(&scheduler, (weir_timer){others[i]}), -ENOENT, "row %zu", i);
    cr_expect_eq(alarm_cancel(&scheduler, timer), 0);
    end();
}

Test(alarm, needs_memory)
{
    const struct alarm_plan plan = {1, 0, note, &count};
    weir_timer timer;
    begin();
    be_elsewhere();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(alarm_start(&scheduler, &plan, &timer), -ENOMEM);
        memory_fail_nth(0);
        cr_expect_str_eq(weir_last_error_text(), "no memory for a timer");
        expect_node(false);
    }
    end();
}

/* Its table: every place is given once, and a chunk at a time. */
Test(timer_table, gives_every_place_once)
{
    enum { CHUNK = 64, MANY = 20 * CHUNK };
    static struct timer_entry *entries[MANY];
    struct timer_table table;
    uint32_t place_count;
    blocks = memory_live_count();
    timer_table_open(&table, 3);
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t allocations = memory_allocation_count();
        cr_assert_eq(timer_table_take(&table, &entries[i]), 0);
        cr_expect(entries[i]->index == i && entries[i]->generation == 3);
        cr_expect_null(timer_table_find(&table, i, 3), "it is free until it has a state");
        entries[i]->state = TIMER_WAITING;
        cr_expect_eq(timer_table_find(&table, i, 3), entries[i]);
        if (i % CHUNK)
            cr_expect_eq(memory_allocation_count(), allocations);
    }
    cr_expect_null(timer_table_find(&table, MANY, 3));
    timer_table_give_back(&table, entries[70]);
    cr_expect(!timer_table_find(&table, 70, 3) && !timer_table_find(&table, 70, 4));
    struct timer_entry *again;
    cr_assert_eq(timer_table_take(&table, &again), 0);
    cr_expect(again == entries[70] && again->generation == 4);
    cr_expect_eq(timer_table_close(&table, &place_count), 4);
    cr_expect_eq(place_count, MANY);
    cr_expect_eq(memory_live_count(), blocks);
}

Test(timer_table, gives_up_a_place_whose_generations_are_used_up)
{
    struct timer_table table;
    struct timer_entry *first;
    struct timer_entry *second;
    uint32_t place_count;
    timer_table_open(&table, GENERATION_MAX);
    cr_assert_eq(timer_table_take(&table, &first), 0);
    timer_table_give_back(&table, first);
    cr_expect_eq(first->generation, GENERATION_MAX);
    cr_assert_eq(timer_table_take(&table, &second), 0);
    cr_expect_neq(second, first);
    cr_expect_eq(timer_table_close(&table, &place_count), GENERATION_MAX);
    cr_expect_eq(place_count, 64);
}

Test(timer_table, has_so_many_places)
{
    struct timer_table table;
    struct timer_entry *entry;
    uint32_t place_count;
    char text[100];
    timer_table_open(&table, 1);
    table.chunk_count = SLOTS_MAX / 64;
    cr_expect_eq(timer_table_take(&table, &entry), WEIR_SYSTEM_LIMIT);
    snprintf(text, sizeof(text), "a scheduler has at most %d timers", SLOTS_MAX);
    cr_expect_str_eq(weir_last_error_text(), text);
    table.chunk_count = 0;
    cr_expect_eq(timer_table_close(&table, &place_count), 1);
    cr_expect_eq(place_count, 0);
}
