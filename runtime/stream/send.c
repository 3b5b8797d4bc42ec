/* SPDX-License-Identifier: MIT */
#include "runtime/stream/send.h"

#include <errno.h>

#include "base/system.h"
#include "framing/framing.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/close.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/outcome.h"
#include "runtime/stream/output.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/senders.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static int refusal(struct stream *stream)
{
    bool told = (stream->latches & LATCH_SEND) != 0;
    stream->latches &= (uint8_t)~LATCH_SEND;
    return told ? outcome_shown(stream, stream->error) : -ENOTCONN;
}

/* The document's functions lose the whole socket over a send after shutdown(write), and show it as
 * a reset. */
static int lose_after_shutdown(struct scheduler *scheduler, struct stream *stream)
{
    outcome_note(stream, -ECONNRESET);
    int result = outcome_shown(stream, -ECONNRESET);
    slot_hold(&stream->slot);
    close_connection(scheduler, stream, LATCH_RECEIVE | LATCH_OWNER);
    senders_give_up(scheduler, stream);
    receive_go_on(scheduler, stream);
    slot_unhold(scheduler, &stream->slot);
    return result;
}

/* Whether the socket can take anything at all. */
static int check_sendable(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->slot.state == SOCKET_GONE)
        return refusal(stream);
    if (stream->sending == SENDING_OPEN)
        return 0;
    if (stream->sending == SENDING_FAILED && stream->receiving == RECEIVING_OPEN)
        return outcome_shown(stream, stream->error);
    return lose_after_shutdown(scheduler, stream);
}

/* Calls whose bytes the kernel has been offered have succeeded. */
static void answer_offered(struct scheduler *scheduler, struct task *task)
{
    struct stream *stream = list_entry(task, struct output, offer)->stream;
    senders_answer(scheduler, stream);
    output_free_if_idle(scheduler, stream);
}

static bool open_output(struct scheduler *scheduler, struct stream *stream)
{
    stream->output = output_open(streams_of(scheduler), stream);
    if (!stream->output)
        return false;
    task_init(&stream->output->flush, flush_run);
    task_init(&stream->output->offer, answer_offered);
    return true;
}

static int enqueue(struct scheduler *scheduler, struct stream *stream,
                   const struct send_source *source, const uint8_t *header, size_t header_size)
{
    if (!stream->output && !open_output(scheduler, stream))
        return -ENOMEM;
    int result = send_source_enqueue(source, streams_of(scheduler)->pools, &stream->output->queue,
                                     header, header_size);
    if (result < 0) {
        output_free_if_idle(scheduler, stream);
        return result;
    }
    scheduler->totals.queued_bytes += source->size + header_size;
    flush_schedule(scheduler, stream);
    return 0;
}

/* Queues all of it. 0, or an error with nothing queued. */
static int accept_source(struct scheduler *scheduler, struct stream *stream,
                         const struct send_source *source)
{
    uint8_t header[FRAMING_HEADER_MAX];
    enum weir_packet_type type = (enum weir_packet_type)stream_values(stream)->packet;
    int header_size = framing_encode_header(type, source->size, header);
    size_t size = source->size + (size_t)header_size;
    if (source->rights && size == 0)
        return error_say(-EINVAL, "send: descriptors need a byte to go with");
    if (header_size < 0)
        return error_say(header_size, "send: %zu bytes do not fit a packet of type %s",
                         source->size, weir_packet_type_name(type));
    int result = size > 0 ? enqueue(scheduler, stream, source, header, (size_t)header_size) : 0;
    if (result < 0)
        return result;
    traffic_count(&stream->sent, &stream->sent_max, size);
    scheduler->totals.packets_sent++;
    return 0;
}

int send_now(struct scheduler *scheduler, struct stream *stream, const struct send_source *source)
{
    int result = check_sendable(scheduler, stream);
    if (result < 0)
        return result;
    if (busy_is(scheduler, stream)) {
        busy_refuse(scheduler, stream);
        return -EAGAIN;
    }
    size_t before = output_queued_bytes(stream);
    result = accept_source(scheduler, stream, source);
    if (result == 0 && before > 0)
        busy_check_mark(scheduler, stream);
    return result;
}

static int wait_for_offer(struct scheduler *scheduler, struct stream *stream, struct call *call)
{
    list_append(&stream->output->offered, &call->link);
    task_add(&scheduler->tasks, TASK_SUBMITTED, &stream->output->offer);
    return CALL_WAITS;
}

/* Behind one that waits: the callbacks of _async calls come in the order of the calls. */
static bool is_behind_another(const struct stream *stream, const struct call *call)
{
    return call->kind == CALL_ASYNC && !list_is_empty(&stream->output->offered);
}

/* Nothing was queued: the kernel is offered the bytes before the call returns, so that it can say
 * what is wrong, unless they are to be delayed. Something was: the marks decide. */
static int run_send(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct stream *stream = stream_of(slot);
    int result = check_sendable(scheduler, stream);
    if (result < 0)
        return result;
    if (busy_is(scheduler, stream))
        return busy_suspend(scheduler, stream, call);
    size_t before = output_queued_bytes(stream);
    result = accept_source(scheduler, stream, &send_call_of(call)->source);
    if (result < 0)
        return result;
    if (before > 0 && busy_check_mark(scheduler, stream))
        return busy_cross(scheduler, stream, call);
    if (stream->output && is_behind_another(stream, call))
        return wait_for_offer(scheduler, stream, call);
    bool waits =
        before == 0 && output_queued_bytes(stream) > 0 && !stream_values(stream)->delay_send;
    return waits ? wait_for_offer(scheduler, stream, call) : 0;
}

static void leave_send(struct scheduler *scheduler, struct call *call)
{
    busy_expire(scheduler, call);
}

const struct call_operation operation_send = {
    .name = "weir_send",
    .run = run_send,
    .kinds = 1 << KIND_STREAM,
    .other_result = -ENOTCONN,
    .leave = leave_send,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

int send_shutdown(struct scheduler *scheduler, struct stream *stream, bool both)
{
    if (stream->sending == SENDING_FAILED)
        return -ENOTCONN;
    if (output_queued_bytes(stream) == 0)
        return stream_shut(stream, both ? SHUT_RDWR : SHUT_WR);
    both |= stream->sending == SENDING_SHUTTING_BOTH;
    stream->sending = both ? SENDING_SHUTTING_BOTH : SENDING_SHUTTING;
    senders_dismiss_suspended(scheduler, stream->output, WEIR_CLOSED);
    flush_start(scheduler, stream);
    return 0;
}
