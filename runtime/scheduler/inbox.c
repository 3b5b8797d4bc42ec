/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/inbox.h"

#include "base/canary.h"
#include "base/error.h"
#include "base/system.h"
#include "runtime/scheduler/scheduler.h"

int inbox_open(struct inbox *inbox)
{
    atomic_init(&inbox->newest, NULL);
    atomic_init(&inbox->sleeping, false);
    inbox->bell = system_wake_open();
    if (inbox->bell < 0)
        return error_say(inbox->bell, "no descriptor for a scheduler: raise the open files limit "
                                      "(ulimit -n)");
    return 0;
}

void inbox_close(struct inbox *inbox)
{
    system_close(inbox->bell);
}

void inbox_post(struct inbox *inbox, struct inbox_node *node)
{
    struct inbox_node *newest = atomic_load_explicit(&inbox->newest, memory_order_relaxed);
    do
        node->next = newest;
    while (!atomic_compare_exchange_weak_explicit(&inbox->newest, &newest, node,
                                                  memory_order_seq_cst, memory_order_relaxed));
    inbox_wake(inbox);
}

/* Sequentially consistent, as is inbox_begin_sleep: either the scheduler sees the node before it
 * sleeps, or the poster sees that it sleeps. */
void inbox_wake(struct inbox *inbox)
{
    if (CANARY(DEAF_SIBLING) && scheduler_current())
        return;
    if (!CANARY(LOST_WAKE) && atomic_load(&inbox->sleeping) &&
        atomic_exchange(&inbox->sleeping, false))
        system_wake_raise(inbox->bell);
}

struct inbox_node *inbox_take(struct inbox *inbox)
{
    if (inbox_is_empty(inbox))
        return NULL;
    /* Acquire pairs with the post: the node's contents are visible. */
    struct inbox_node *newest =
        atomic_exchange_explicit(&inbox->newest, NULL, memory_order_acquire);
    struct inbox_node *oldest = NULL;
    while (newest) {
        struct inbox_node *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

bool inbox_begin_sleep(struct inbox *inbox)
{
    atomic_store(&inbox->sleeping, true);
    if (atomic_load(&inbox->newest) == NULL)
        return true;
    atomic_store(&inbox->sleeping, false);
    return false;
}

void inbox_end_sleep(struct inbox *inbox)
{
    atomic_store_explicit(&inbox->sleeping, false, memory_order_relaxed);
}
