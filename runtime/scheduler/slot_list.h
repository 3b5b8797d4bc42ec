/* SPDX-License-Identifier: MIT */
/*
 * Lists of slots, linked by their numbers: these take half of what pointers do, and every idle
 * connection has a link. A slot is on one list at most.
 */
#ifndef RUNTIME_SCHEDULER_SLOT_LIST_H
#define RUNTIME_SCHEDULER_SLOT_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct slot;
struct slot_table;

/* All zero it is empty. */
struct slot_list {
    uint32_t first;
    uint32_t last;
};

/* All zero the slot is on no list. */
struct slot_link {
    uint32_t next;
    uint32_t previous;
};

static inline bool slot_list_is_empty(const struct slot_list *list)
{
    return list->first == 0;
}

bool slot_is_listed(const struct slot *slot);

void slot_list_append(const struct slot_table *table, struct slot_list *list, struct slot *slot);

/* The slot is on that list. */
void slot_list_remove(const struct slot_table *table, struct slot_list *list, struct slot *slot);

/* The first one, or NULL. */
struct slot *slot_list_first(const struct slot_table *table, const struct slot_list *list);
/* The same, taken off. */
struct slot *slot_list_take(const struct slot_table *table, struct slot_list *list);

/* Everything on `from` goes to the end of `to`. */
void slot_list_move_all(const struct slot_table *table, struct slot_list *to,
                        struct slot_list *from);

#endif
