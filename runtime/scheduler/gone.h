/* SPDX-License-Identifier: MIT */
/* The last of a socket: its handler is told that it is gone, and its slot is free. */
#ifndef RUNTIME_SCHEDULER_GONE_H
#define RUNTIME_SCHEDULER_GONE_H

#include "runtime/scheduler/slot_list.h"
#include "runtime/scheduler/task.h"

struct scheduler;
struct slot;

struct gone {
    struct slot_list settled; /* whose handlers are still to be told */
    struct slot_list leaving; /* those of the turn before */
    struct task tell;         /* TASK_LAST while there are any */
};

void gone_init(struct gone *gone);

/* It is closed, and nothing of it is in flight. Does nothing when it is about to be told. */
void gone_release(struct scheduler *scheduler, struct slot *slot);

#endif
