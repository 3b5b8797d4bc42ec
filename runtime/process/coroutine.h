/* SPDX-License-Identifier: MIT */
/*
 * A stack with the place where it goes on, and the tools that have to be told when it changes:
 * the address and thread sanitizers, and valgrind. The stack that resumes it is its host's.
 */
#ifndef RUNTIME_PROCESS_COROUTINE_H
#define RUNTIME_PROCESS_COROUTINE_H

#include <stddef.h>

#include "runtime/process/context.h"
#include "runtime/process/stack.h"

struct coroutine_host {
    struct context context;
    const void *stack;
    size_t stack_size;
    void *fake_stack;   /* the address sanitizer's */
    void *thread_state; /* the thread sanitizer's */
};

struct coroutine {
    struct context context;
    struct stack stack;
    struct coroutine_host *host;
    void (*run)(void *data);
    void *data;
    void *fake_stack;
    void *thread_state;
    unsigned stack_id; /* valgrind's */
};

/* Runs `run(data)`, which must not return, on a stack of that size when it is first resumed. 0, or
 * -ENOMEM. */
int coroutine_open(struct coroutine *coroutine, struct coroutine_host *host, struct stacks *stacks,
                   size_t size);

/* On the host's stack: until the coroutine suspends itself or leaves. */
void coroutine_resume(struct coroutine *coroutine);

/* On the host's, a little before coroutine_resume: what it goes on with is in no near cache when
 * there are many. */
static inline void coroutine_fetch(const struct coroutine *coroutine)
{
    enum { LINE_BYTES = 64, LINES = 12 };
    const char *frames = coroutine->context.stack_pointer;
    for (size_t i = 0; i < LINES; i++)
        __builtin_prefetch(frames + i * LINE_BYTES, 1);
}

/* On its own. */
void coroutine_suspend(struct coroutine *coroutine);
_Noreturn void coroutine_leave(struct coroutine *coroutine);

/* On the host's: what is on its stack is forgotten. */
void coroutine_close(struct coroutine *coroutine, struct stacks *stacks);

#endif
