/* SPDX-License-Identifier: MIT */
#include "load/steady.h"

#include <criterion/criterion.h>

static bool slice(struct steady *steady, uint64_t count, uint64_t response_ns)
{
    for (uint64_t i = 0; i < count; i++)
        steady_add(steady, response_ns);
    return steady_end_slice(steady);
}

Test(steady, is_not_said_of_less_than_all_slices)
{
    struct steady steady = {.slice_count = 0};
    for (int i = 1; i < STEADY_SLICES; i++)
        cr_assert_not(slice(&steady, 100, 1000));
    cr_assert(slice(&steady, 100, 1000));
}

Test(steady, is_not_said_while_responses_become_faster)
{
    struct steady steady = {.slice_count = 0};
    for (uint64_t i = 0; i < 20; i++)
        cr_assert_not(slice(&steady, 100, 100000 - i * 4000), "slice %lu", i);
    for (int i = 1; i < STEADY_SLICES; i++)
        slice(&steady, 100, 20000);
    cr_assert(slice(&steady, 100, 20000));
}

Test(steady, is_not_said_while_there_is_more_and_more)
{
    struct steady steady = {.slice_count = 0};
    for (uint64_t i = 0; i < 20; i++)
        cr_assert_not(slice(&steady, 100 + i * 20, 1000), "slice %lu", i);
}

Test(steady, is_said_of_noise)
{
    struct steady steady = {.slice_count = 0};
    bool is_steady = false;
    for (uint64_t i = 0; i < STEADY_SLICES; i++)
        is_steady = slice(&steady, 100 + i * 37 % 11, 1000 + i * 53 % 97);
    cr_assert(is_steady);
}

Test(steady, is_not_said_of_nothing)
{
    struct steady steady = {.slice_count = 0};
    for (int i = 0; i < 2 * STEADY_SLICES; i++)
        cr_assert_not(slice(&steady, 0, 0));
}
