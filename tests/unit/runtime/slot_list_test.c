/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/slot_list.h"

#include <criterion/criterion.h>

#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slot_table.h"

enum { MANY = 5 };

struct slots {
    struct slot_table table;
    struct slot *at[MANY];
};

static void open_slots(struct slots *slots)
{
    slot_table_init(&slots->table, 1);
    for (int i = 0; i < MANY; i++)
        slots->at[i] = slot_table_take(&slots->table);
}

static void close_slots(struct slots *slots)
{
    for (int i = 0; i < MANY; i++)
        slot_table_free(&slots->table, slots->at[i]);
    slot_table_close(&slots->table);
}

/* Takes all, which must be those at the places that the text names. */
static void expect_all(struct slots *slots, struct slot_list *list, const char *places)
{
    for (; *places; places++) {
        struct slot *slot = slot_list_first(&slots->table, list);
        cr_assert(slot == slots->at[*places - '0'], "%c", *places);
        cr_assert(slot_is_listed(slot));
        cr_assert(slot_list_take(&slots->table, list) == slot);
        cr_assert(!slot_is_listed(slot));
    }
    cr_assert(slot_list_is_empty(list));
    cr_assert(slot_list_take(&slots->table, list) == NULL);
}

static void append(struct slots *slots, struct slot_list *list, const char *places)
{
    for (; *places; places++)
        slot_list_append(&slots->table, list, slots->at[*places - '0']);
}

Test(slot_list, gives_them_in_the_order_that_they_came)
{
    struct slots slots;
    struct slot_list list = {0};
    open_slots(&slots);
    expect_all(&slots, &list, "");
    append(&slots, &list, "3");
    expect_all(&slots, &list, "3");
    append(&slots, &list, "20413");
    expect_all(&slots, &list, "20413");
    close_slots(&slots);
}

Test(slot_list, any_of_them_can_be_taken_off)
{
    static const char *const rest[MANY] = {"1234", "0234", "0134", "0124", "0123"};
    static const char *const behind[MANY] = {"12340", "02341", "01342", "01243", "01234"};
    struct slots slots;
    struct slot_list list = {0};
    open_slots(&slots);
    for (int i = 0; i < MANY; i++) {
        append(&slots, &list, "01234");
        slot_list_remove(&slots.table, &list, slots.at[i]);
        cr_assert(!slot_is_listed(slots.at[i]));
        expect_all(&slots, &list, rest[i]);
        append(&slots, &list, "01234");
        slot_list_remove(&slots.table, &list, slots.at[i]);
        slot_list_append(&slots.table, &list, slots.at[i]);
        expect_all(&slots, &list, behind[i]);
    }
    append(&slots, &list, "4");
    slot_list_remove(&slots.table, &list, slots.at[4]);
    expect_all(&slots, &list, "");
    close_slots(&slots);
}

Test(slot_list, all_of_one_go_behind_those_of_another)
{
    static const struct {
        const char *to;
        const char *from;
        const char *together;
    } rows[] = {
        {"", "", ""}, {"1", "", "1"}, {"", "2", "2"}, {"1", "2", "12"}, {"21", "403", "21403"}};
    struct slots slots;
    open_slots(&slots);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slot_list to = {0};
        struct slot_list from = {0};
        append(&slots, &to, rows[i].to);
        append(&slots, &from, rows[i].from);
        slot_list_move_all(&slots.table, &to, &from);
        cr_assert(slot_list_is_empty(&from));
        expect_all(&slots, &to, rows[i].together);
    }
    close_slots(&slots);
}

Test(slot_list, of_two_that_were_put_together_is_one_like_any_other)
{
    struct slots slots;
    struct slot_list to = {0};
    struct slot_list from = {0};
    open_slots(&slots);
    append(&slots, &to, "01");
    append(&slots, &from, "23");
    slot_list_move_all(&slots.table, &to, &from);
    slot_list_remove(&slots.table, &to, slots.at[2]);
    append(&slots, &to, "24");
    expect_all(&slots, &to, "01324");
    close_slots(&slots);
}
