/* SPDX-License-Identifier: MIT */
#include "runtime/stream/rest.h"

#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/output.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { REST_MS = 10 };

static void receive_again(struct scheduler *scheduler, struct list *sockets)
{
    struct list *node;
    while ((node = list_take(sockets))) {
        struct stream *stream = list_entry(node, struct stream, link);
        stream->reading = READING_NOT;
        receive_update(scheduler, stream);
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
    struct list sockets;
    struct list outputs;
    list_init(&sockets);
    list_init(&outputs);
    list_move_all(&sockets, &rest->sockets);
    list_move_all(&outputs, &rest->outputs);
    receive_again(rest->scheduler, &sockets);
    send_again(rest->scheduler, &outputs);
}

void rest_init(struct rest *rest)
{
    list_init(&rest->sockets);
    list_init(&rest->outputs);
    rest->timer.fire = try_again;
}

static void begin(struct scheduler *scheduler, struct list *list, struct list *link)
{
    struct rest *rest = &streams_of(scheduler)->rest;
    rest->scheduler = scheduler;
    scheduler->totals.memory_pauses++;
    list_remove(link);
    list_append(list, link);
    if (!rest->timer.armed)
        scheduler_arm(scheduler, &rest->timer, REST_MS);
}

void rest_receive(struct scheduler *scheduler, struct stream *stream)
{
    stream->reading = READING_RESTING;
    begin(scheduler, &streams_of(scheduler)->rest.sockets, &stream->link);
}

void rest_send(struct scheduler *scheduler, struct stream *stream)
{
    stream->output->queue.flushing = FLUSHING_RESTING;
    begin(scheduler, &streams_of(scheduler)->rest.outputs, &stream->output->rest_link);
}
