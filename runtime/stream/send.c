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
#include "runtime/stream/delivery.h"
#include "runtime/stream/flush.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static bool has_queue(const struct stream *stream)
{
    return (stream_is_live(stream) || stream->slot.state == SOCKET_CLOSED) && stream->output;
}

size_t send_queued_bytes(const struct stream *stream)
{
    return has_queue(stream) ? stream->output->queue.queued_bytes : 0;
}

uint32_t send_notices(const struct stream *stream)
{
    return has_queue(stream) ? stream->output->queue.notices : 0;
}

/* Only a reset is ever shown. */
static int shown(const struct stream *stream, int error)
{
    bool reset = error == -ECONNRESET && stream_values(stream)->show_econnreset;
    return reset ? -ECONNRESET : WEIR_CLOSED;
}

/* What ended the socket, unless its owner has been told of an end already. */
static void note_failure(struct stream *stream, int error)
{
    if (stream->error == 0 && !stream->closed_told)
        stream->error = error;
}

static int refusal(struct stream *stream)
{
    bool told = (stream->latches & LATCH_SEND) != 0;
    stream->latches &= (uint8_t)~LATCH_SEND;
    return told ? shown(stream, stream->error) : -ENOTCONN;
}

/* The document's functions lose the whole socket over a send after shutdown(write), and show it as
 * a reset. */
static int lose_after_shutdown(struct scheduler *scheduler, struct stream *stream)
{
    note_failure(stream, -ECONNRESET);
    int result = shown(stream, -ECONNRESET);
    slot_hold(&stream->slot);
    close_connection(scheduler, stream, LATCH_RECEIVE | LATCH_OWNER);
    send_drop(scheduler, stream);
    delivery_continue(scheduler, stream);
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
        return shown(stream, stream->error);
    return lose_after_shutdown(scheduler, stream);
}

static bool open_output(struct scheduler *scheduler, struct stream *stream)
{
    stream->output = output_open(streams_of(scheduler), stream);
    if (!stream->output)
        return false;
    task_init(&stream->output->flush, flush_run);
    task_init(&stream->output->offer, send_answer_offered);
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
        send_free_if_idle(scheduler, stream);
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
    size_t before = send_queued_bytes(stream);
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
    size_t before = send_queued_bytes(stream);
    result = accept_source(scheduler, stream, &send_call_of(call)->source);
    if (result < 0)
        return result;
    if (before > 0 && busy_check_mark(scheduler, stream))
        return busy_cross(scheduler, stream, call);
    if (stream->output && is_behind_another(stream, call))
        return wait_for_offer(scheduler, stream, call);
    bool waits = before == 0 && send_queued_bytes(stream) > 0 && !stream_values(stream)->delay_send;
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

void send_answer(struct scheduler *scheduler, struct stream *stream)
{
    task_remove(&stream->output->offer);
    call_complete_all(scheduler, &stream->output->offered, 0);
}

void send_answer_offered(struct scheduler *scheduler, struct task *task)
{
    struct stream *stream = list_entry(task, struct output, offer)->stream;
    send_answer(scheduler, stream);
    send_free_if_idle(scheduler, stream);
}

/* Who crossed the mark hears why; who waits behind hears what any send is told from now on. */
void send_dismiss(struct scheduler *scheduler, struct stream *stream, int result)
{
    struct output *output = stream->output;
    if (!output)
        return;
    output->refused = false;
    call_complete_all(scheduler, &output->crossed, result);
    if (stream->slot.state == SOCKET_GONE)
        result = -ENOTCONN;
    busy_dismiss(scheduler, output, result);
}

void send_dismiss_all(struct scheduler *scheduler, struct stream *stream, int result)
{
    if (stream->output)
        call_complete_all(scheduler, &stream->output->offered, result);
    send_dismiss(scheduler, stream, result);
}

void send_free_if_idle(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->output && output_is_idle(stream->output))
        send_free(scheduler, stream);
}

void send_free(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->output)
        output_close(streams_of(scheduler), stream->output);
    stream->output = NULL;
}

void send_drop(struct scheduler *scheduler, struct stream *stream)
{
    struct output *output = stream->output;
    if (!output)
        return;
    size_t before = output->queue.queued_bytes;
    send_queue_drop(streams_of(scheduler)->pools, &output->queue);
    busy_count_off(scheduler, before - output->queue.queued_bytes);
    if (output->queue.in_flight_bytes > 0) {
        flush_cancel(scheduler, stream);
        return;
    }
    call_complete_all(scheduler, &output->drained, 0);
    send_free_if_idle(scheduler, stream);
}

static int shut(struct stream *stream, int how)
{
    stream->sending = SENDING_SHUT;
    return system_shutdown(stream->slot.fd, how);
}

int send_shutdown_now(struct stream *stream)
{
    return shut(stream, SHUT_WR);
}

int send_shutdown(struct scheduler *scheduler, struct stream *stream, bool both)
{
    if (stream->sending == SENDING_FAILED)
        return -ENOTCONN;
    if (send_queued_bytes(stream) == 0)
        return shut(stream, both ? SHUT_RDWR : SHUT_WR);
    both |= stream->sending == SENDING_SHUTTING_BOTH;
    stream->sending = both ? SENDING_SHUTTING_BOTH : SENDING_SHUTTING;
    busy_dismiss(scheduler, stream->output, WEIR_CLOSED);
    flush_start(scheduler, stream);
    return 0;
}

/* Answers those whose bytes they were. Whether there were any. */
static bool tell_senders(struct scheduler *scheduler, struct stream *stream, int result)
{
    struct output *output = stream->output;
    if (!output)
        return false;
    bool told = !list_is_empty(&output->offered) || !list_is_empty(&output->crossed);
    call_complete_all(scheduler, &output->offered, result);
    call_complete_all(scheduler, &output->crossed, result);
    return told;
}

/* A handler that waits for `unbusy` is told all the same: its next send says what has happened. */
void send_failed(struct scheduler *scheduler, struct stream *stream, int error)
{
    bool refused = stream->output && stream->output->refused;
    int result = shown(stream, error);
    note_failure(stream, error);
    slot_hold(&stream->slot);
    bool told = tell_senders(scheduler, stream, result);
    uint8_t latches = LATCH_RECEIVE | LATCH_OWNER | (told ? 0 : LATCH_SEND);
    if (stream->slot.state == SOCKET_OPEN)
        close_connection_by_send(scheduler, stream, latches);
    send_dismiss(scheduler, stream, result);
    send_drop(scheduler, stream);
    if (refused && stream_is_live(stream))
        owner_tell_unbusy(scheduler, &stream->slot);
    slot_unhold(scheduler, &stream->slot);
}

/* Whoever is told by the receive, which close_break ends, is told why; the others when they ask. */
void send_broken(struct scheduler *scheduler, struct stream *stream, int error)
{
    bool to_be_told = stream->slot.state == SOCKET_OPEN && stream->receiving == RECEIVING_OPEN &&
                      delivery_is_wanted(stream);
    close_break(stream);
    if (!to_be_told) {
        send_failed(scheduler, stream, error);
        return;
    }
    bool refused = stream->output->refused;
    stream->error = error;
    stream->sending = SENDING_FAILED;
    send_dismiss(scheduler, stream, WEIR_CLOSED);
    send_drop(scheduler, stream);
    if (refused)
        owner_tell_unbusy(scheduler, &stream->slot);
}

void send_emptied(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->sending == SENDING_SHUTTING)
        (void)shut(stream, SHUT_WR);
    else if (stream->sending == SENDING_SHUTTING_BOTH)
        (void)shut(stream, SHUT_RDWR);
    send_answer(scheduler, stream);
    call_complete_all(scheduler, &stream->output->drained, 0);
    send_free_if_idle(scheduler, stream);
}
