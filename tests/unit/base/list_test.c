/* SPDX-License-Identifier: MIT */
#include "base/list.h"

#include <criterion/criterion.h>

struct item {
    int number;
    struct list node;
};

static int number_of(const struct list *node)
{
    return list_entry(node, struct item, node)->number;
}

/* The list from its first to its last as decimal digits, and backwards it must be the same. */
static int digits(const struct list *list)
{
    int forwards = 0;
    int backwards = 0;
    int unit = 1;
    for (const struct list *node = list->next; node != list; node = node->next)
        forwards = forwards * 10 + number_of(node);
    for (const struct list *node = list->previous; node != list; node = node->previous, unit *= 10)
        backwards += number_of(node) * unit;
    cr_assert_eq(forwards, backwards);
    return forwards;
}

static struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
static struct list list;

static void fill(void)
{
    list_init(&list);
    for (size_t i = 0; i < 3; i++)
        list_append(&list, &items[i].node);
}

Test(list, appends_at_the_end, .init = fill)
{
    cr_expect_eq(digits(&list), 123);
}

Test(list, removes_anywhere, .init = fill)
{
    list_remove(&items[1].node);
    cr_expect_eq(digits(&list), 13);
    cr_expect(list_is_empty(&items[1].node), "a node on no list is linked to itself");
    list_remove(&items[1].node);
    cr_expect_eq(digits(&list), 13, "so that removing it again does nothing");
}

Test(list, takes_from_the_front, .init = fill)
{
    for (int number = 1; number <= 3; number++)
        cr_expect_eq(number_of(list_take(&list)), number);
    cr_expect_null(list_take(&list));
    cr_expect(list_is_empty(&list));
}

Test(list, moves_all, .init = fill)
{
    struct list other;
    struct item four = {.number = 4};
    list_init(&other);
    list_append(&other, &four.node);
    list_move_all(&other, &list);
    cr_expect_eq(digits(&other), 4123);
    cr_expect(list_is_empty(&list));
    list_move_all(&other, &list);
    cr_expect_eq(digits(&other), 4123);
    list_move_all(&list, &other);
    cr_expect_eq(digits(&list), 4123);
}
