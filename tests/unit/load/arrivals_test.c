/* SPDX-License-Identifier: MIT */
#include "load/arrivals.h"

#include <criterion/criterion.h>
#include <math.h>

static struct arrivals arrivals;

Test(arrivals, constant_ones_are_even_and_do_not_drift)
{
    arrivals_begin(&arrivals, &(struct arrivals_shape){.kind = ARRIVALS_CONSTANT, .rate = 3});
    uint64_t last_ns = 0;
    for (int i = 0; i <= 3000000; i++)
        last_ns = arrivals_next(&arrivals);
    cr_assert_eq(last_ns, UINT64_C(1000000000000000));
}

Test(arrivals, poisson_gaps_have_the_mean_and_spread_of_the_law)
{
    enum { COUNT = 200000 };
    double sum = 0, squares = 0;
    uint64_t before_ns = 0;
    arrivals_begin(&arrivals,
                   &(struct arrivals_shape){.kind = ARRIVALS_POISSON, .rate = 1000, .seed = 7});
    for (int i = 0; i < COUNT; i++) {
        uint64_t at_ns = arrivals_next(&arrivals);
        double gap_ms = (double)(at_ns - before_ns) / 1e6;
        sum += gap_ms;
        squares += gap_ms * gap_ms;
        before_ns = at_ns;
    }
    double mean = sum / COUNT;
    cr_assert_float_eq(mean, 1, 0.01);
    cr_assert_float_eq(sqrt(squares / COUNT - mean * mean), 1, 0.02);
}

Test(arrivals, bursts_come_together_at_the_rate_of_all)
{
    arrivals_begin(&arrivals, &(struct arrivals_shape){
                                  .kind = ARRIVALS_BURST, .rate = 100, .burst_count = 10});
    for (uint64_t i = 0; i < 50; i++)
        cr_assert_eq(arrivals_next(&arrivals), i / 10 * 100000000);
}

Test(arrivals, a_ramp_sends_the_mean_of_its_rates_in_its_duration)
{
    const uint64_t second_ns = 1000000000;
    uint64_t count = 0, half = 0, at_ns;
    arrivals_begin(&arrivals, &(struct arrivals_shape){.kind = ARRIVALS_RAMP,
                                                       .rate = 1000,
                                                       .from_rate = 0,
                                                       .duration_ns = 10 * second_ns});
    while ((at_ns = arrivals_next(&arrivals)) < 10 * second_ns) {
        half += at_ns < 5 * second_ns;
        count++;
    }
    cr_assert(count >= 4999 && count <= 5001, "%lu", count);
    cr_assert(half >= 1249 && half <= 1251, "%lu", half);
}

Test(arrivals, a_ramp_that_falls_comes_to_its_end)
{
    const uint64_t second_ns = 1000000000;
    uint64_t count = 0;
    arrivals_begin(&arrivals, &(struct arrivals_shape){.kind = ARRIVALS_RAMP,
                                                       .rate = 0.001,
                                                       .from_rate = 1000,
                                                       .duration_ns = 2 * second_ns});
    while (arrivals_next(&arrivals) < 2 * second_ns)
        count++;
    cr_assert(count >= 998 && count <= 1001, "%lu", count);
}
