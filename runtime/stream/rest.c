/* SPDX-License-Identifier: MIT */
#include "runtime/stream/rest.h"

#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/output.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { REST_MS = 10 };

static void receive_again(struct scheduler *scheduler, struct slot_list *sockets)
{
    struct slot *slot;
    while ((slot = slot_list_take(&scheduler->slots, sockets))) {
        stream_of(slot)->reading = READING_NOT;
        receive_update(scheduler, stream_of(slot));
    }
}

static void send_again(struct scheduler *scheduler, struct list *outputs)
{
    struct list *node;
    while ((node = list_take(outputs)))
        flush_unblock(scheduler, list_entry(node, struct output, rest_link)->stream);
}

static void try_again(struct timer *timer)
{
    struct rest *rest = list_entry(timer, struct rest, timer);
    struct slot_list sockets = {0};
    struct list outputs;
    list_init(&outputs);
    slot_list_move_all(&rest->scheduler->slots, &sockets, &rest->sockets);
    list_move_all(&outputs, &rest->outputs);
    receive_again(rest->scheduler, &sockets);
    send_again(rest->scheduler, &outputs);
}

void rest_init(struct rest *rest)
{
    list_init(&rest->outputs);
    rest->timer.fire = try_again;
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
