/* SPDX-License-Identifier: MIT */
#include "runtime/stream/busy.h"

#include <errno.h>

#include "base/canary.h"
#include "base/probe.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/waiting.h"
#include "runtime/stream/close.h"
#include "runtime/stream/limit.h"
#include "runtime/stream/output.h"
#include "runtime/stream/send.h"
#include "runtime/stream/senders.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

bool busy_is(struct scheduler *scheduler, const struct stream *stream)
{
    const struct output *output = stream->output;
    return output && output->queue.queued_bytes > 0 &&
           (output->busy || limit_is_exceeded(scheduler));
}

bool busy_would_wait(struct scheduler *scheduler, const struct stream *stream, size_t size)
{
    size_t queued_bytes = output_queued_bytes(stream);
    size_t most_bytes = FRAMING_HEADER_MAX + size;
    return busy_is(scheduler, stream) ||
           (queued_bytes > 0 && queued_bytes + most_bytes >= stream_values(stream)->high_watermark);
}

static void become_busy(struct scheduler *scheduler, struct output *output)
{
    output->busy = true;
    PROBE3(busy, scheduler->number, output->stream->slot.index, output->queue.queued_bytes);
    scheduler->totals.busy++;
}

bool busy_check_mark(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    if (!output->busy && output->queue.queued_bytes >= stream_values(stream)->high_watermark)
        become_busy(scheduler, output);
    return output->busy;
}

/* Somebody waits: what keeps the socket busy is noted, so that its end is noticed. */
static void stay_busy(struct scheduler *scheduler, struct output *output)
{
    if (output->busy)
        return;
    become_busy(scheduler, output);
    limit_wait(scheduler, output);
}

void busy_refuse(struct scheduler *scheduler, struct stream *stream)
{
    stay_busy(scheduler, stream->output);
    stream->output->refused = true;
}

int busy_cross(struct scheduler *scheduler, struct stream *stream, struct call *call)
{
    call->timeout_ms = stream_values(stream)->send_timeout_ms;
    send_call_of(call)->crossed = true;
    list_append(&stream->output->crossed, &call->link);
    if (call->timeout_ms == 0) {
        call->result = WEIR_TIMEOUT;
        call->operation->leave(scheduler, call);
        return WEIR_TIMEOUT;
    }
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

/* Behind one that has crossed the mark they wait until that is over, at the latest by its time-out.
 * Where a handler, or the runtime's limit, keeps the socket busy their own time runs. */
static void time_suspended(struct scheduler *scheduler, struct output *output)
{
    bool runs = list_is_empty(&output->crossed);
    struct list *link = output->suspended.next;
    for (; link != &output->suspended; link = link->next) {
        struct call *call = list_entry(link, struct call, link);
        if (!runs)
            call_let_leave(scheduler, call);
        else if (!call->timer.armed)
            call_set_timeout(scheduler, call);
    }
}

int busy_suspend(struct scheduler *scheduler, struct stream *stream, struct call *call)
{
    bool behind = !list_is_empty(&stream->output->crossed);
    call->timeout_ms = stream_values(stream)->send_timeout_ms;
    int result = call->timeout_ms == 0 && !behind ? WEIR_TIMEOUT : waiting_check(scheduler, call);
    if (result < 0)
        return result;
    stay_busy(scheduler, stream->output);
    list_append(&stream->output->suspended, &call->link);
    waiting_begin(scheduler, send_call_of(call)->source.size);
    if (behind)
        call_let_leave(scheduler, call);
    else
        call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

/* In order, as long as nobody makes the socket busy again. */
static void resume_suspended(struct scheduler *scheduler, struct stream *stream)
{
    while (stream->output && !list_is_empty(&stream->output->suspended)) {
        if (busy_is(scheduler, stream)) {
            stay_busy(scheduler, stream->output);
            time_suspended(scheduler, stream->output);
            return;
        }
        struct call *call = senders_take_suspended(scheduler, stream->output);
        int result = call->operation->run(scheduler, &stream->slot, call);
        if (result != CALL_WAITS)
            call_complete(scheduler, call, result);
    }
}

static void let_go_on(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    output->busy = false;
    PROBE2(unbusy, scheduler->number, stream->slot.index);
    list_remove(&output->limit_link);
    senders_answer(scheduler, stream);
    call_complete_all(scheduler, &output->crossed, 0);
    resume_suspended(scheduler, stream);
    output = stream->output;
    if (!output || !output->refused)
        return;
    if (busy_is(scheduler, stream)) {
        stay_busy(scheduler, output);
        return;
    }
    output->refused = false;
    if (!CANARY(FORGOTTEN_UNBUSY))
        owner_tell_unbusy(scheduler, &stream->slot);
}

static void give_up(struct scheduler *scheduler, struct stream *stream, struct call *call)
{
    if (!stream_values(stream)->send_timeout_close || call->result != WEIR_TIMEOUT) {
        if (send_call_of(call)->crossed)
            let_go_on(scheduler, stream);
        return;
    }
    bool refused = stream->output->refused;
    close_connection(scheduler, stream, LATCH_UNASKED);
    senders_give_up(scheduler, stream);
    if (refused)
        owner_tell_unbusy(scheduler, &stream->slot);
}

/* The bytes of one that crossed the mark stay queued, and the socket is not busy any more: the next
 * send crosses again. One of which nothing is queued leaves it as it is. */
void busy_expire(struct scheduler *scheduler, struct call *call)
{
    list_remove(&call->link);
    if (!send_call_of(call)->crossed)
        waiting_end(scheduler, send_call_of(call)->source.size);
    struct stream *stream = stream_find(scheduler, call->socket);
    if (!stream || !stream_is_live(stream) || !stream->output)
        return;
    slot_hold(&stream->slot);
    give_up(scheduler, stream, call);
    slot_unhold(scheduler, &stream->slot);
}

void busy_drained(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    if (!output->busy || output->queue.queued_bytes > stream_values(stream)->low_watermark)
        return;
    if (output->queue.queued_bytes > 0 && limit_holds(scheduler, output))
        limit_wait(scheduler, output);
    else
        let_go_on(scheduler, stream);
}

void busy_relieve(struct scheduler *scheduler, struct task *task)
{
    struct list limited;
    struct list *node;
    (void)task;
    if (!limit_relieves(scheduler))
        return;
    list_init(&limited);
    list_move_all(&limited, &streams_of(scheduler)->limited);
    while ((node = list_take(&limited))) {
        struct stream *stream = list_entry(node, struct output, limit_link)->stream;
        slot_hold(&stream->slot);
        busy_drained(scheduler, stream);
        output_free_if_idle(scheduler, stream); /* its queue may have been dropped meanwhile */
        slot_unhold(scheduler, &stream->slot);
    }
    limit_give_back(scheduler);
}
