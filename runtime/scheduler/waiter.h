/* SPDX-License-Identifier: MIT */
/*
 * Who may wait on a scheduler without holding it up: code on a stack of its own, a process. The
 * scheduler has it as `waiter` while that stack runs and no call is being done on it; so what a
 * call brings about, callbacks of others too, never waits on it.
 */
#ifndef RUNTIME_SCHEDULER_WAITER_H
#define RUNTIME_SCHEDULER_WAITER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/scheduler/inbox.h"

struct call;
struct mail_wait;
struct scheduler;
struct waiter;
struct weir_mailbox;

/* What somebody has told it. */
enum waiter_order {
    WAITER_GOES_ON,
    WAITER_IS_TO_END, /* what it waits for is over, and so is what it would wait for next */
    WAITER_KNOWS,     /* a call has said so: none that may wait comes back any more */
};

struct waiter_row {
    void (*suspend)(struct waiter *waiter); /* until it is resumed */
    void (*resume)(struct waiter *waiter);  /* goes on soon; nothing if it runs */
    void (*yield)(struct waiter *waiter);   /* goes on when others have */
    void (*end)(struct waiter *waiter);     /* never comes back */
};

struct waiter {
    const struct waiter_row *row;
    struct scheduler *scheduler;
    struct weir_mailbox *mailbox; /* its own */
    struct mail_wait *mail;
    struct call *call; /* that it waits for */
    uint32_t where;    /* the registry index of the scheduler that the call was made on */
    enum waiter_order order;
    uint32_t at_once;  /* calls in a row that were complete before it could wait */
    bool interrupting; /* the node is on its way to where the call runs, or back */
    struct inbox_node interrupt;
};

#endif
