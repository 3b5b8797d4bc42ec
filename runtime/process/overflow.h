/* SPDX-License-Identifier: MIT */
/*
 * A process that overflows its stack touches the guard below, and the program ends by SIGSEGV as
 * any other that does so: but it says first which process it was. The handler runs on a stack of
 * its own, one for each scheduler's thread, and hands every other fault to who was there before.
 */
#ifndef RUNTIME_PROCESS_OVERFLOW_H
#define RUNTIME_PROCESS_OVERFLOW_H

#include <signal.h>
#include <stdbool.h>

struct overflow_watch {
    bool on;
    void *memory; /* of the handler's stack; NULL: the thread has one of somebody else's */
    stack_t before;
};

/* On the scheduler's thread: from now on. 0, or -ENOMEM. */
int overflow_watch_begin(struct overflow_watch *watch);
void overflow_watch_end(struct overflow_watch *watch);

#endif
