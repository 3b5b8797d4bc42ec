/* SPDX-License-Identifier: MIT */
#include "load/rounds.h"

#include <criterion/criterion.h>

static struct rounds a, b;

static void fill(uint32_t count)
{
    a.count = b.count = count;
    for (uint32_t i = 0; i < count; i++) {
        a.figures[i][ROUNDS_P50] = 10 * (i + 1);
        b.figures[i][ROUNDS_P50] = 10 * (i + 1) * (1 + (i + 1) / 100.0);
    }
}

/* What is left off at the ends is what tables of the sign test have: 0 of 6, 1 of 9 to 11, 2 of 12,
 * 5 of 20, 9 of 30. */
Test(rounds, interval_is_that_of_the_sign_test)
{
    static const struct {
        uint32_t count, off;
    } rows[] = {{6, 0}, {8, 0}, {9, 1}, {11, 1}, {12, 2}, {20, 5}, {30, 9}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rounds_ratio ratio;
        uint32_t count = rows[i].count, off = rows[i].off;
        fill(count);
        cr_assert(rounds_compare(&a, &b, ROUNDS_P50, &ratio));
        cr_assert_float_eq(ratio.low, 1 + (off + 1) / 100.0, 1e-9, "%u: %g", count, ratio.low);
        cr_assert_float_eq(ratio.high, 1 + (count - off) / 100.0, 1e-9, "%u: %g", count,
                           ratio.high);
        cr_assert_float_eq(ratio.median, 1 + (count + 1) / 200.0, 1e-9);
    }
}

Test(rounds, need_six_of_both_and_no_zero)
{
    struct rounds_ratio ratio;
    fill(6);
    cr_assert(rounds_compare(&a, &b, ROUNDS_P50, &ratio));
    cr_assert_not(rounds_compare(&a, &b, ROUNDS_FAILED, &ratio));
    b.count = 5;
    cr_assert_not(rounds_compare(&a, &b, ROUNDS_P50, &ratio));
}
