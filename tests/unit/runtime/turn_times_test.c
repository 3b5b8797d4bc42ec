/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/turn_times.h"

#include <criterion/criterion.h>

enum { LAST = WEIR_TIME_CLASSES - 1 };

static const struct {
    uint64_t time_ns;
    unsigned class;
} times[] = {
    {0, 0},
    {999, 0},
    {1000, 1},
    {1999, 1},
    {2000, 2},
    {3999, 2},
    {4000, 3},
    {1023999, 10},
    {1024000, 11},
    {4194303999, 22},
    {4194304000, LAST},
    {8388608000, LAST},
    {1ull << 62, LAST},
};

Test(turn_times, fall_into_classes)
{
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct turn_clock clock = {.has_left_some = false};
        turn_times_note(&clock, 5000, 5000 + times[i].time_ns, true);
        const weir_times *turns = &clock.times.turns;
        cr_expect_eq(turns->classes[times[i].class], 1, "row %zu", i);
        cr_expect(turns->count == 1 && turns->sum_ns == times[i].time_ns &&
                      turns->longest_ns == times[i].time_ns,
                  "row %zu", i);
        cr_expect_eq(clock.times.waits.classes[times[i].class], 1, "row %zu", i);
    }
}

Test(turn_times, add_up_and_the_longest_stays)
{
    struct turn_clock clock = {.has_left_some = false};
    turn_times_note(&clock, 1000, 4000, false);
    turn_times_note(&clock, 4000, 9000, false);
    turn_times_note(&clock, 9000, 10000, false);
    const weir_times *turns = &clock.times.turns;
    cr_expect(turns->count == 3 && turns->sum_ns == 9000 && turns->longest_ns == 5000);
    cr_expect(turns->classes[1] == 1 && turns->classes[2] == 1 && turns->classes[3] == 1);
    cr_expect_eq(clock.times.waits.count, 0, "nothing came");
}

/* What comes has waited since the kernel was last looked at, unless nothing was there then. */
Test(turn_times, waits_begin_at_the_look_before)
{
    struct turn_clock clock = {.has_left_some = false};
    turn_times_note(&clock, 1000, 3000, true);
    cr_expect_eq(clock.times.waits.sum_ns, 2000, "there was no look before");
    turn_times_note(&clock, 3000, 7000, true);
    cr_expect_eq(clock.times.waits.sum_ns, 2000 + 6000, "since the turn before began");
    turn_times_nothing_waits(&clock);
    turn_times_note(&clock, 50000, 51000, true);
    cr_expect_eq(clock.times.waits.sum_ns, 2000 + 6000 + 1000);
    clock.has_left_some = true;
    turn_times_note(&clock, 51000, 52000, true);
    cr_expect_eq(clock.times.waits.sum_ns, 9000 + 2000, "since 50000");
    turn_times_note(&clock, 52000, 53000, true);
    cr_expect_eq(clock.times.waits.sum_ns, 11000 + 3000, "some still wait since then");
}

Test(turn_times, of_several_are_added)
{
    struct turn_clock one = {.has_left_some = false};
    struct turn_clock other = {.has_left_some = false};
    weir_turn_times sum = {.turns = {.count = 0}};
    turn_times_note(&one, 1000, 3000, true);
    turn_times_note(&other, 1000, 9000, false);
    turn_times_note(&other, 9000, 9000, false);
    turn_times_add(&sum, &one);
    turn_times_add(&sum, &other);
    turn_times_add(&sum, &one);
    cr_expect(sum.turns.count == 4 && sum.turns.sum_ns == 12000 && sum.turns.longest_ns == 8000);
    cr_expect(sum.turns.classes[0] == 1 && sum.turns.classes[2] == 2 && sum.turns.classes[4] == 1);
    cr_expect(sum.waits.count == 2 && sum.waits.sum_ns == 4000 && sum.waits.classes[2] == 2);
}
