/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked list with a sentinel. A node that is on no list is linked to itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *previous;
};

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *list, struct list *node)
{
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

/* To its front. */
static inline void list_prepend(struct list *list, struct list *node)
{
    list_append(list->next, node);
}

static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* The first node, taken off; NULL when the list is empty. */
static inline struct list *list_take(struct list *list)
{
    if (list_is_empty(list))
        return NULL;
    struct list *first = list->next;
    list_remove(first);
    return first;
}

/* Everything on `from` goes to the end of `to`. */
static inline void list_move_all(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

#endif
