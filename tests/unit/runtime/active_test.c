/* SPDX-License-Identifier: MIT */
#include "runtime/socket/active.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <weir/options.h>

enum { MOST = 32767, LEAST = -32768, OFF = WEIR_ACTIVE_FALSE, ALL = WEIR_ACTIVE_TRUE };
enum { ONCE = WEIR_ACTIVE_ONCE };

static const struct {
    int32_t present;
    int32_t wanted;
    int result;
    int32_t next;
} settings[] = {
    {OFF, 5, 0, 5},
    {ONCE, 5, 0, 5},
    {ALL, 5, 0, 5},
    {ALL, -5, 0, -5},
    {3, 5, 0, 8},
    {3, -5, 0, -2},
    {-2, 1, 0, -1},
    {LEAST, 1, 0, LEAST + 1},
    {3, ALL, 0, ALL},
    {3, ONCE, 0, ONCE},
    {3, OFF, 0, OFF},
    {OFF, MOST, 0, MOST},
    {0, MOST, 0, MOST},
    {MOST, 0, 0, MOST},
    {MOST - 1, 1, 0, MOST},
    {5, LEAST, 0, LEAST + 5},
    {MOST, MOST, -EINVAL, 0},
    {1, MOST, -EINVAL, 0},
    {MOST, 1, -EINVAL, 0},
    {MOST, -1, 0, MOST - 1},
};

Test(active, a_count_is_added_and_anything_else_replaced)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int32_t next = 0;
        int result = active_next(settings[i].present, settings[i].wanted, &next);
        cr_expect_eq(result, settings[i].result, "row %zu: %d", i, result);
        if (settings[i].result == 0)
            cr_expect_eq(next, settings[i].next, "row %zu: %d", i, next);
    }
}

static const struct {
    int32_t before;
    int32_t after;
    bool last;
} messages[] = {
    {ALL, ALL, false}, {ONCE, OFF, false}, {MOST, MOST - 1, false}, {2, 1, false}, {1, OFF, true},
};

Test(active, a_message_counts)
{
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        int32_t active = messages[i].before;
        cr_expect_eq(active_count_down(&active), messages[i].last, "row %zu", i);
        cr_expect_eq(active, messages[i].after, "row %zu: %d", i, active);
    }
}

Test(active, is_spent_at_nothing)
{
    cr_expect(active_is_spent(0) && active_is_spent(-1) && active_is_spent(2 * LEAST));
    cr_expect(!active_is_spent(1) && !active_is_spent(ALL) && !active_is_spent(ONCE));
}
