/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/task.h"

#include "base/canary.h"
#include "base/error.h"
#include "runtime/scheduler/scheduler.h"

void task_queues_init(struct task_queues *queues)
{
    for (int queue = 0; queue < TASK_QUEUE_COUNT; queue++)
        list_init(&queues->lists[queue]);
}

void task_run_batch(struct scheduler *scheduler, enum task_queue queue)
{
    struct list batch;
    struct list *link;
    list_init(&batch);
    list_move_all(&batch, &scheduler->tasks.lists[queue]);
    while ((link = list_take(CANARY(ENDLESS_DRAIN) && list_is_empty(&batch)
                                 ? &scheduler->tasks.lists[queue]
                                 : &batch))) {
        struct task *task = list_entry(link, struct task, link);
        error_clear_text(); /* a call that it ends is not to say what another one said */
        task->run(scheduler, task);
    }
}

void task_submitted(struct task_queues *queues)
{
    list_move_all(&queues->lists[TASK_WAS_SUBMITTED], &queues->lists[TASK_SUBMITTED]);
}
