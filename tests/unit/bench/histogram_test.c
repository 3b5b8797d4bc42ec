/* SPDX-License-Identifier: MIT */
#include "load/histogram.h"

#include <criterion/criterion.h>

static struct histogram histogram;

static void expect_close(uint64_t quantile_ns, uint64_t exact_ns)
{
    cr_assert(quantile_ns >= exact_ns, "%lu is less than %lu", quantile_ns, exact_ns);
    cr_assert(quantile_ns <= exact_ns + exact_ns / 128 + 1, "%lu is far from %lu", quantile_ns,
              exact_ns);
}

Test(histogram, is_empty_at_first)
{
    histogram_clear(&histogram);
    cr_assert_eq(histogram_quantile_ns(&histogram, 0.5), 0);
}

Test(histogram, knows_each_duration_within_one_percent)
{
    for (uint64_t duration_ns = 1; duration_ns < UINT64_C(1) << 41;
         duration_ns += duration_ns / 3 + 1) {
        histogram_clear(&histogram);
        histogram_add(&histogram, duration_ns, 1);
        histogram_add(&histogram, UINT64_C(1) << 42, 1); /* so that the most does not cap it */
        expect_close(histogram_quantile_ns(&histogram, 0.5), duration_ns);
    }
}

Test(histogram, answers_quantiles_of_an_even_spread)
{
    histogram_clear(&histogram);
    for (uint64_t duration_us = 1; duration_us <= 1000; duration_us++)
        histogram_add(&histogram, duration_us * 1000, 1);
    expect_close(histogram_quantile_ns(&histogram, 0.5), 500000);
    expect_close(histogram_quantile_ns(&histogram, 0.99), 990000);
    expect_close(histogram_quantile_ns(&histogram, 0.999), 999000);
    cr_assert_eq(histogram_quantile_ns(&histogram, 1), 1000000);
}

Test(histogram, weighs_by_count)
{
    histogram_clear(&histogram);
    histogram_add(&histogram, 10, 99);
    histogram_add(&histogram, 1000, 1);
    cr_assert_eq(histogram.count, 100);
    cr_assert_eq(histogram_quantile_ns(&histogram, 0.99), 10);
    cr_assert_eq(histogram_quantile_ns(&histogram, 0.999), 1000);
}

Test(histogram, puts_what_is_too_long_in_its_last_class)
{
    histogram_clear(&histogram);
    histogram_add(&histogram, UINT64_MAX, 1);
    cr_assert_eq(histogram.classes[HISTOGRAM_CLASSES - 1], 1);
    cr_assert_eq(histogram.max_ns, UINT64_MAX);
}
