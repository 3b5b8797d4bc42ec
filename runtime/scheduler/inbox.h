/* SPDX-License-Identifier: MIT */
/* What other threads ask of a scheduler: a queue of many producers and one consumer, and a bell. */
#ifndef RUNTIME_SCHEDULER_INBOX_H
#define RUNTIME_SCHEDULER_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct scheduler;

struct inbox_node {
    struct inbox_node *next;
    void (*run)(struct scheduler *scheduler, struct inbox_node *node);
};

struct inbox {
    _Atomic(struct inbox_node *) newest;
    atomic_bool sleeping;
    int bell; /* system_wake_open */
};

int inbox_open(struct inbox *inbox);
void inbox_close(struct inbox *inbox);

/* Any thread. The node is the scheduler's until it has run. */
void inbox_post(struct inbox *inbox, struct inbox_node *node);

/* Any thread: makes the scheduler do a turn soon. */
void inbox_wake(struct inbox *inbox);

/* Owner: what was posted, oldest first, as a chain. */
struct inbox_node *inbox_take(struct inbox *inbox);

/* Owner, around its sleep. False: something was posted meanwhile, do not sleep. */
bool inbox_begin_sleep(struct inbox *inbox);
void inbox_end_sleep(struct inbox *inbox);

static inline bool inbox_is_empty(struct inbox *inbox)
{
    return atomic_load_explicit(&inbox->newest, memory_order_relaxed) == NULL;
}

#endif
