/* SPDX-License-Identifier: MIT */
/*
 * What is to be done later, at a fixed place of the turn. A task is on one queue at most. A queue
 * is run as a batch: what its tasks add runs when it is run next, so no turn is without end, and a
 * scheduler does not sleep while a queue is due (scheduler_has_due_tasks).
 */
#ifndef RUNTIME_SCHEDULER_TASK_H
#define RUNTIME_SCHEDULER_TASK_H

#include "base/list.h"

struct scheduler;
struct task;

typedef void task_function(struct scheduler *scheduler, struct task *task);

struct task {
    struct list link;
    task_function *run;
};

enum task_queue {
    TASK_SOON,             /* after the completion that is being dealt with, or all of the inbox */
    TASK_SUBMITTED,        /* in the next turn, once the kernel has been offered what there is now
                              and what it said at once is known */
    TASK_LAST,             /* when the turn ends, before it is submitted */
    TASK_WITH_BUFFERS,     /* at the end of the turn, if there are receive buffers */
    TASK_WITH_DESCRIPTORS, /* the same, if a descriptor was closed */
    TASK_WAS_SUBMITTED,    /* nobody adds to it: those of TASK_SUBMITTED go here */
    TASK_QUEUE_COUNT
};

struct task_queues {
    struct list lists[TASK_QUEUE_COUNT];
};

void task_queues_init(struct task_queues *queues);

static inline void task_init(struct task *task, task_function *run)
{
    list_init(&task->link);
    task->run = run;
}

static inline bool task_is_queued(const struct task *task)
{
    return !list_is_empty(&task->link);
}

/* Does nothing when the task is on a queue. */
static inline void task_add(struct task_queues *queues, enum task_queue queue, struct task *task)
{
    if (!task_is_queued(task))
        list_append(&queues->lists[queue], &task->link);
}

static inline void task_remove(struct task *task)
{
    list_remove(&task->link);
}

static inline bool task_queue_is_empty(const struct task_queues *queues, enum task_queue queue)
{
    return list_is_empty(&queues->lists[queue]);
}

void task_run_batch(struct scheduler *scheduler, enum task_queue queue);

/* Runs those that are there now. */
static inline void task_run(struct scheduler *scheduler, const struct task_queues *queues,
                            enum task_queue queue)
{
    if (!task_queue_is_empty(queues, queue))
        task_run_batch(scheduler, queue);
}

/* What there was has been submitted. */
void task_submitted(struct task_queues *queues);

#endif
