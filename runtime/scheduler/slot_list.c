/* SPDX-License-Identifier: MIT */
/* A number is a slot's index and FIRST_NUMBER; 0 is the list itself, or none, and an outer link of
 * a slot that is on a list is END, so that one alone is told from one on none. */
#include "runtime/scheduler/slot_list.h"

#include <stddef.h>

#include "base/check.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slot_table.h"

enum { END = 1, FIRST_NUMBER };

static struct slot *slot_at(const struct slot_table *table, uint32_t number)
{
    return number < FIRST_NUMBER ? NULL : slot_table_at(table, number - FIRST_NUMBER);
}

/* What the one before points onwards with: a slot's link, or the list. */
static void set_next(const struct slot_table *table, struct slot_list *list, uint32_t before,
                     uint32_t number)
{
    struct slot *slot = slot_at(table, before);
    if (slot)
        slot->link.next = number;
    else
        list->first = number == END ? 0 : number;
}

static void set_previous(const struct slot_table *table, struct slot_list *list, uint32_t behind,
                         uint32_t number)
{
    struct slot *slot = slot_at(table, behind);
    if (slot)
        slot->link.previous = number;
    else
        list->last = number == END ? 0 : number;
}

bool slot_is_listed(const struct slot *slot)
{
    return slot->link.next != 0;
}

void slot_list_append(const struct slot_table *table, struct slot_list *list, struct slot *slot)
{
    uint32_t number = slot->index + FIRST_NUMBER;
    CHECK(!slot_is_listed(slot));
    slot->link = (struct slot_link){END, list->last ? list->last : END};
    set_next(table, list, list->last, number);
    list->last = number;
}

void slot_list_remove(const struct slot_table *table, struct slot_list *list, struct slot *slot)
{
    struct slot_link link = slot->link;
    CHECK(slot_is_listed(slot));
    set_next(table, list, link.previous, link.next);
    set_previous(table, list, link.next, link.previous);
    slot->link = (struct slot_link){0};
}

struct slot *slot_list_first(const struct slot_table *table, const struct slot_list *list)
{
    return slot_at(table, list->first);
}

struct slot *slot_list_take(const struct slot_table *table, struct slot_list *list)
{
    struct slot *slot = slot_list_first(table, list);
    if (slot)
        slot_list_remove(table, list, slot);
    return slot;
}

void slot_list_move_all(const struct slot_table *table, struct slot_list *to,
                        struct slot_list *from)
{
    if (slot_list_is_empty(from))
        return;
    set_next(table, to, to->last, from->first);
    set_previous(table, from, from->first, to->last ? to->last : END);
    to->last = from->last;
    *from = (struct slot_list){0};
}
