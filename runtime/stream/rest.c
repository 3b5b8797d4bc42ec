/* SPDX-License-Identifier: MIT */
#include "runtime/stream/rest.h"

#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { REST_MS = 10 };

static void try_again(struct timer *timer)
{
    struct rest *rest = list_entry(timer, struct rest, timer);
    task_add(&rest->scheduler->tasks, TASK_SOON, &rest->receive_again);
    task_add(&rest->scheduler->tasks, TASK_SOON, &rest->send_again);
}

void rest_init(struct rest *rest, task_function *receive_again, task_function *send_again)
{
    list_init(&rest->outputs);
    rest->timer.fire = try_again;
    task_init(&rest->receive_again, receive_again);
    task_init(&rest->send_again, send_again);
}

static void begin(struct scheduler *scheduler, struct rest *rest)
{
    rest->scheduler = scheduler;
    scheduler->totals.memory_pauses++;
    if (!rest->timer.armed)
        scheduler_arm(scheduler, &rest->timer, REST_MS);
}

void rest_receive(struct scheduler *scheduler, struct stream *stream)
{
    struct rest *rest = &streams_of(scheduler)->rest;
    stream->reading = READING_RESTING;
    slot_list_append(&scheduler->slots, &rest->sockets, &stream->slot);
    begin(scheduler, rest);
}

void rest_send(struct scheduler *scheduler, struct stream *stream)
{
    struct rest *rest = &streams_of(scheduler)->rest;
    stream->output->queue.flushing = FLUSHING_RESTING;
    list_remove(&stream->output->rest_link);
    list_append(&rest->outputs, &stream->output->rest_link);
    begin(scheduler, rest);
}
