/* SPDX-License-Identifier: MIT */
#include "load/process.h"

#include <criterion/criterion.h>
#include <time.h>
#include <unistd.h>

static uint64_t own_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

Test(process, counts_less_than_a_tick)
{
    struct process_sample begin, end;
    cr_assert(process_sample((uint32_t)getpid(), &begin));
    uint64_t from_ns = own_ns();
    while (own_ns() - from_ns < 1000000)
        ;
    uint64_t spent_ns = own_ns() - from_ns;
    cr_assert(process_sample((uint32_t)getpid(), &end));
    struct process_use used = process_used(&begin, &end);
    cr_assert_geq((used.user_us + used.system_us) * 1e3, (double)spent_ns);
    cr_assert_geq(used.user_us, 0);
    cr_assert_geq(used.system_us, 0);
}

Test(process, divides_the_exact_time_as_the_ticks_say)
{
    struct process_sample begin = {.cpu_ns = 1000, .user_ns = 10000000};
    struct process_sample end = {.cpu_ns = 41001000, .user_ns = 20000000, .system_ns = 30000000};
    struct process_use used = process_used(&begin, &end);
    cr_assert_float_eq(used.user_us, 10250, 1e-6);
    cr_assert_float_eq(used.system_us, 30750, 1e-6);
}

Test(process, divides_a_time_without_ticks_as_all_before)
{
    struct process_sample begin = {.cpu_ns = 0, .user_ns = 30000000, .system_ns = 10000000};
    struct process_sample end = begin;
    end.cpu_ns = 4000;
    struct process_use used = process_used(&begin, &end);
    cr_assert_float_eq(used.user_us, 3, 1e-9);
    cr_assert_float_eq(used.system_us, 1, 1e-9);
}

Test(process, is_not_there)
{
    struct process_sample sample;
    cr_assert_not(process_sample(1U << 30, &sample));
}
