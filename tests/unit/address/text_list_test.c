/* SPDX-License-Identifier: MIT */
#include "address/text_list.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>

enum { MANY = 9 }; /* grows twice */

static struct text_list numbers(void)
{
    struct text_list list = {0};
    for (int i = 0; i < MANY; i++) {
        const char text[] = {(char)('0' + i), '\0'};
        cr_assert_eq(text_list_append(&list, text), 0);
    }
    return list;
}

static void expect_numbers(const struct text_list *list)
{
    cr_assert_eq(list->count, MANY);
    for (int i = 0; i < MANY; i++)
        cr_expect(list->texts[i][0] == '0' + i && !list->texts[i][1], "%s", list->texts[i]);
}

Test(text_list, keeps_its_order)
{
    struct text_list list = numbers();
    struct text_list copy;
    expect_numbers(&list);
    cr_assert_eq(text_list_copy(&copy, &list), 0);
    text_list_clear(&list);
    cr_expect(list.count == 0 && !list.texts);
    expect_numbers(&copy);
    text_list_clear(&copy);
    cr_expect_eq(memory_live_count(), 0);
}

Test(text_list, removes_what_is_exactly_that)
{
    struct text_list list = {0};
    static const char *const texts[] = {"a", "ab", "a", "b", "a"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_assert_eq(text_list_append(&list, texts[i]), 0);
    text_list_remove(&list, "a");
    cr_assert_eq(list.count, 2);
    cr_expect_str_eq(list.texts[0], "ab");
    cr_expect_str_eq(list.texts[1], "b");
    text_list_clear(&list);
    cr_expect_eq(memory_live_count(), 0);
}

Test(text_list, without_memory_a_list_is_as_it_was)
{
    int result = -ENOMEM;
    for (uint64_t nth = 1; result == -ENOMEM; nth++) {
        struct text_list list = numbers();
        int64_t live = memory_live_count();
        struct text_list copy;
        memory_fail_nth(nth);
        result = text_list_copy(&copy, &list);
        memory_fail_nth(0);
        if (result < 0)
            cr_expect_eq(memory_live_count(), live, "allocation %ju", (uintmax_t)nth);
        else
            expect_numbers(&copy);
        expect_numbers(&list);
        text_list_clear(&copy);
        text_list_clear(&list);
        cr_assert_leq(nth, MANY + 4u);
    }
    cr_expect_eq(result, 0);
    cr_expect_eq(memory_live_count(), 0);
}

Test(text_list, without_memory_nothing_is_appended)
{
    struct text_list list = {0};
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(text_list_append(&list, "a"), -ENOMEM);
        cr_expect_eq(list.count, 0);
    }
    memory_fail_nth(0);
    cr_expect_eq(text_list_append(&list, "a"), 0);
    cr_expect_eq(list.count, 1);
    text_list_clear(&list);
}
