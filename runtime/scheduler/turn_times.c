/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/turn_times.h"

static void put(uint64_t *figure, uint64_t value)
{
    __atomic_store_n(figure, value, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *figure)
{
    return __atomic_load_n(figure, __ATOMIC_RELAXED);
}

static unsigned class_of(uint64_t time_ns)
{
    uint64_t time_us = time_ns / 1000;
    unsigned class = time_us ? 64 - (unsigned)__builtin_clzll(time_us) : 0;
    return class < WEIR_TIME_CLASSES ? class : WEIR_TIME_CLASSES - 1;
}

static void note(weir_times *times, uint64_t time_ns)
{
    uint64_t *class = &times->classes[class_of(time_ns)];
    put(&times->count, times->count + 1);
    put(&times->sum_ns, times->sum_ns + time_ns);
    put(class, *class + 1);
    if (time_ns > times->longest_ns)
        put(&times->longest_ns, time_ns);
}

void turn_times_note(struct turn_clock *clock, uint64_t began_ns, uint64_t now_ns,
                     bool had_completions)
{
    uint64_t from_ns = clock->waiting_from_ns ? clock->waiting_from_ns : began_ns;
    note(&clock->times.turns, now_ns - began_ns);
    if (had_completions)
        note(&clock->times.waits, now_ns - from_ns);
    clock->waiting_from_ns = clock->has_left_some ? from_ns : began_ns;
}

static void add(weir_times *sum, const weir_times *times)
{
    uint64_t longest_ns = get(&times->longest_ns);
    sum->count += get(&times->count);
    sum->sum_ns += get(&times->sum_ns);
    if (longest_ns > sum->longest_ns)
        sum->longest_ns = longest_ns;
    for (int i = 0; i < WEIR_TIME_CLASSES; i++)
        sum->classes[i] += get(&times->classes[i]);
}

void turn_times_add(weir_turn_times *sum, const struct turn_clock *clock)
{
    add(&sum->turns, &clock->times.turns);
    add(&sum->waits, &clock->times.waits);
}
