/* SPDX-License-Identifier: MIT */
/*
 * A call: what a caller asks of a socket's scheduler, and how the answer gets back.
 *
 * A blocking call lies on its caller's stack: a thread sleeps until it is complete, a process is
 * suspended. An _async call is of the scheduler's memory. What a scheduler has asked for comes home
 * to it, and is finished there. On the socket's own scheduler a call that cannot wait is run as a
 * plain function.
 *
 * Who may touch it: its maker until it is posted, then the scheduler that runs it, until
 * call_complete. A blocking call is its caller's again, and may be gone, from the moment that
 * `done` is set. An _async call, and a process's on another scheduler, goes to its `origin`, if it
 * has one, which counts it as `outstanding` until it is finished, and does not end before: so the
 * way home is always there.
 */
#ifndef RUNTIME_SCHEDULER_CALL_H
#define RUNTIME_SCHEDULER_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "runtime/scheduler/inbox.h"
#include "runtime/scheduler/task.h"
#include "runtime/scheduler/timer.h"
#include <weir/socket.h>

struct call;
struct scheduler;
struct slot;
struct waiter;

/* CALL_WAITS: the call is on some list and will be completed from there. No count is ever that. */
enum { CALL_WAITS = INT32_MAX };

/* One row per operation that a caller can ask for. */
struct call_operation {
    const char *name;
    /* Its result, or CALL_WAITS. `slot` is that of a live socket of one of the kinds; NULL for what
     * needs no socket. */
    int (*run)(struct scheduler *scheduler, struct slot *slot, struct call *call);
    /* Makes a waiting call forget its wait: its time is up, or whatever its `result` says. */
    void (*leave)(struct scheduler *scheduler, struct call *call);
    /* Its process is to end: it completes soon, with WEIR_KILLED. NULL: it leaves its wait. */
    void (*interrupt)(struct scheduler *scheduler, struct call *call);
    int dead_result;  /* what a handle that is dead gives */
    uint8_t kinds;    /* bits of the kinds that it is for; 0: all of them */
    int other_result; /* what those of other kinds give */
    bool may_wait;    /* refused on a scheduler in its blocking form */
};

enum call_kind {
    CALL_BLOCKING,   /* a thread sleeps on `done` */
    CALL_SUSPENDING, /* a process is suspended until it is done */
    CALL_ASYNC,
    CALL_DIRECT, /* run in place, on the scheduler itself */
};

/* One with arguments or results of its own is a struct that begins with it. */
struct call {
    struct inbox_node node;
    struct list link;        /* on the list that it waits on */
    struct task finish_task; /* CALL_ASYNC: it is complete, and calls back soon */
    struct timer timer;
    const struct call_operation *operation;
    struct scheduler *scheduler; /* where it runs */
    struct scheduler *origin;    /* where to finish; NULL: where it ran */
    struct waiter *waiter;       /* CALL_SUSPENDING */
    enum call_kind kind;
    bool may_leave; /* it waits, and may be made to leave its wait */
    weir_socket socket;
    int64_t timeout_ms;
    int result;
    atomic_uint done;
    char *text; /* of who waits for it: the error's text goes here */

    void (*callback)(void); /* weir_opened, weir_sent or weir_received; may be NULL */
    void *data;
    void (*finish)(struct call *call); /* calls back and frees what the call holds */
};

/* Whether the caller may wait: a thread may, and a process; a callback may not. */
bool call_may_wait(void);

/* A process that knows that it is to end does so, instead of making a call that may wait. Nothing
 * is held by then. */
void call_begin(void);

/* Has a call that waits fetched into the near caches, amid the stack of a process that it lies on;
 * or, when that is there, its process. */
void call_fetch(const struct call *call);
void call_fetch_waiter(const struct call *call);

/* Whether somebody waits for the call to come back. */
static inline bool call_is_waited_for(const struct call *call)
{
    return call->kind == CALL_BLOCKING || call->kind == CALL_SUSPENDING;
}

/*
 * Asks for an operation in its blocking form: here and now on the socket's own scheduler, else by
 * waiting until its scheduler has done it. The call's result.
 */
int call_make(const struct call_operation *operation, weir_socket socket, struct call *call);

/* Asks for it in its _async form. 0, or an error with nothing called back. `call` is taken in
 * either case. */
int call_make_async(const struct call_operation *operation, weir_socket socket, struct call *call);

/* An _async call of which its `operation` is known is not made: `result`, with nothing called
 * back. */
int call_discard(struct call *call, int result);

/* The same for what needs no socket: `index` is the scheduler's. */
int call_make_on(const struct call_operation *operation, uint32_t index, struct call *call);
int call_make_async_on(const struct call_operation *operation, uint32_t index, struct call *call);

/* Memory for an _async call, all zero: `size` bytes, of a struct that begins with it. NULL: no
 * memory. */
void *call_allocate(size_t size);

/* Scheduler: completes a waiting call. */
void call_complete(struct scheduler *scheduler, struct call *call, int result);

/* Scheduler: ends the wait of a call. */
void call_end(struct scheduler *scheduler, struct call *call, int result);

/* Scheduler: ends a waiting _async call with this data. How many that are; `call` may be NULL. */
int call_cancel(struct scheduler *scheduler, struct call *call, const void *data);

/* Scheduler: the socket that an operation is for. NULL: `result` is what the call gives. */
struct slot *call_find_socket(struct scheduler *scheduler, const struct call_operation *operation,
                              weir_socket socket, int *result);

/* Scheduler: from now on the call may leave its wait: with WEIR_TIMEOUT when its time is up. */
void call_set_timeout(struct scheduler *scheduler, struct call *call);

/* Scheduler: the same without a time-out, which does not run any more. */
void call_let_leave(struct scheduler *scheduler, struct call *call);

/* Scheduler: from now on it may not. */
void call_hold(struct scheduler *scheduler, struct call *call);

/* Scheduler: the call that `waiter` waits for, if it does, gives WEIR_KILLED as soon as it may be
 * left. */
void call_interrupt(struct scheduler *scheduler, struct waiter *waiter);

/* Scheduler: completes every call of a list with `result`. */
void call_complete_all(struct scheduler *scheduler, struct list *calls, int result);

#endif
