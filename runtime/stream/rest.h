/* SPDX-License-Identifier: MIT */
/*
 * Receives and sends for which the kernel has no memory. They are tried again a little later, all
 * of them together: at once it would have none either, and asking over and over costs a core.
 */
#ifndef RUNTIME_STREAM_REST_H
#define RUNTIME_STREAM_REST_H

#include "base/list.h"
#include "runtime/scheduler/slot_list.h"
#include "runtime/scheduler/task.h"
#include "runtime/scheduler/timer.h"

struct scheduler;
struct stream;

struct rest {
    struct slot_list sockets; /* whose receive is to be armed: READING_RESTING until then */
    struct list outputs;      /* that are to be flushed: FLUSHING_RESTING until then */
    struct timer timer;
    struct task receive_again;
    struct task send_again;
    struct scheduler *scheduler;
};

/* With the tasks that try again what is there. */
void rest_init(struct rest *rest, task_function *receive_again, task_function *send_again);

void rest_receive(struct scheduler *scheduler, struct stream *stream);
void rest_send(struct scheduler *scheduler, struct stream *stream);

#endif
