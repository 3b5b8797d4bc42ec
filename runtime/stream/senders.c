/* SPDX-License-Identifier: MIT */
#include "runtime/stream/senders.h"

#include "runtime/scheduler/call.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/waiting.h"
#include "runtime/stream/limit.h"
#include "runtime/stream/output.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

/* Sends never wait, the reading of a file may. */
static void cancel_reading(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->output->queue.part)
        cancel_start(scheduler, &stream->slot, STREAM_READ);
}

struct call *senders_take_suspended(struct scheduler *scheduler, struct output *output)
{
    struct list *node = list_take(&output->suspended);
    if (!node)
        return NULL;
    struct call *call = list_entry(node, struct call, link);
    waiting_end(scheduler, send_call_of(call)->source.size);
    call_hold(scheduler, call);
    return call;
}

void senders_dismiss_suspended(struct scheduler *scheduler, struct output *output, int result)
{
    struct call *call;
    while ((call = senders_take_suspended(scheduler, output)))
        call_complete(scheduler, call, result);
}

void senders_answer(struct scheduler *scheduler, struct stream *stream)
{
    task_remove(&stream->output->offer);
    call_complete_all(scheduler, &stream->output->offered, 0);
}

/* Who crossed the mark hears why; who waits behind hears what any send is told from now on. */
void senders_dismiss(struct scheduler *scheduler, struct stream *stream, int result)
{
    struct output *output = stream->output;
    if (!output)
        return;
    output->refused = false;
    call_complete_all(scheduler, &output->crossed, result);
    if (stream->slot.state == SOCKET_GONE)
        result = -ENOTCONN;
    senders_dismiss_suspended(scheduler, output, result);
}

void senders_dismiss_all(struct scheduler *scheduler, struct stream *stream, int result)
{
    if (stream->output)
        call_complete_all(scheduler, &stream->output->offered, result);
    senders_dismiss(scheduler, stream, result);
}

void senders_give_up(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    if (!output)
        return;
    size_t before = output->queue.queued_bytes;
    send_queue_drop(streams_of(scheduler)->pools, &output->queue);
    limit_count_off(scheduler, before - output->queue.queued_bytes);
    if (output->queue.in_flight_bytes > 0) {
        cancel_reading(scheduler, stream);
        return;
    }
    call_complete_all(scheduler, &output->drained, 0);
    output_free_if_idle(scheduler, stream);
}

/* Answers those whose bytes they were. Whether there were any. */
bool senders_tell(struct scheduler *scheduler, struct stream *stream, int result)
{
    struct output *output = stream->output;
    if (!output)
        return false;
    bool told = !list_is_empty(&output->offered) || !list_is_empty(&output->crossed);
    call_complete_all(scheduler, &output->offered, result);
    call_complete_all(scheduler, &output->crossed, result);
    return told;
}
