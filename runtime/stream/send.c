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

static bool has_queue(const struct stream *socket)
{
    return (stream_is_live(socket) || socket->slot.state == SOCKET_CLOSED) && socket->output;
}

size_t send_queued_bytes(const struct stream *socket)
{
    return has_queue(socket) ? socket->output->queue.queued_bytes : 0;
}

uint32_t send_notices(const struct stream *socket)
{
    return has_queue(socket) ? socket->output->queue.notices : 0;
}

/* Only a reset is ever shown. */
static int shown(const struct stream *socket, int error)
{
    bool reset = error == -ECONNRESET && stream_values(socket)->show_econnreset;
    return reset ? -ECONNRESET : WEIR_CLOSED;
}

/* What ended the socket, unless its owner has been told of an end already. */
static void note_failure(struct stream *socket, int error)
{
    if (socket->error == 0 && !socket->closed_told)
        socket->error = error;
}

static int refusal(struct stream *socket)
{
    bool told = (socket->latches & LATCH_SEND) != 0;
    socket->latches &= (uint8_t)~LATCH_SEND;
    return told ? shown(socket, socket->error) : -ENOTCONN;
}

/* The document's functions lose the whole socket over a send after shutdown(write), and show it as
 * a reset. */
static int lose_after_shutdown(struct scheduler *scheduler, struct stream *socket)
{
    note_failure(socket, -ECONNRESET);
    int result = shown(socket, -ECONNRESET);
    slot_hold(&socket->slot);
    close_connection(scheduler, socket, LATCH_RECEIVE | LATCH_OWNER);
    send_drop(scheduler, socket);
    delivery_continue(scheduler, socket);
    slot_unhold(scheduler, &socket->slot);
    return result;
}

/* Whether the socket can take anything at all. */
static int check_sendable(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->slot.state == SOCKET_GONE)
        return refusal(socket);
    if (socket->sending == SENDING_OPEN)
        return 0;
    if (socket->sending == SENDING_FAILED && socket->receiving == RECEIVING_OPEN)
        return shown(socket, socket->error);
    return lose_after_shutdown(scheduler, socket);
}

static bool open_output(struct scheduler *scheduler, struct stream *socket)
{
    socket->output = output_open(streams_of(scheduler), socket);
    if (!socket->output)
        return false;
    task_init(&socket->output->flush, flush_run);
    task_init(&socket->output->offer, send_answer_offered);
    return true;
}

static int enqueue(struct scheduler *scheduler, struct stream *socket,
                   const struct send_source *source, const uint8_t *header, size_t header_size)
{
    if (!socket->output && !open_output(scheduler, socket))
        return -ENOMEM;
    int result = send_source_enqueue(source, streams_of(scheduler)->pools, &socket->output->queue,
                                     header, header_size);
    if (result < 0) {
        send_free_if_idle(scheduler, socket);
        return result;
    }
    scheduler->totals.queued_bytes += source->size + header_size;
    flush_schedule(scheduler, socket);
    return 0;
}

/* Queues all of it. 0, or an error with nothing queued. */
static int accept_source(struct scheduler *scheduler, struct stream *socket,
                         const struct send_source *source)
{
    uint8_t header[FRAMING_HEADER_MAX];
    enum weir_packet_type type = (enum weir_packet_type)stream_values(socket)->packet;
    int header_size = framing_encode_header(type, source->size, header);
    size_t size = source->size + (size_t)header_size;
    if (header_size < 0)
        return error_say(header_size, "send: %zu bytes do not fit a packet of type %s",
                         source->size, weir_packet_type_name(type));
    int result = size > 0 ? enqueue(scheduler, socket, source, header, (size_t)header_size) : 0;
    if (result < 0)
        return result;
    traffic_count(&socket->sent, &socket->sent_max, size);
    scheduler->totals.packets_sent++;
    return 0;
}

int send_now(struct scheduler *scheduler, struct stream *socket, const struct send_source *source)
{
    int result = check_sendable(scheduler, socket);
    if (result < 0)
        return result;
    if (busy_is(scheduler, socket)) {
        busy_refuse(scheduler, socket);
        return -EAGAIN;
    }
    size_t before = send_queued_bytes(socket);
    result = accept_source(scheduler, socket, source);
    if (result == 0 && before > 0)
        busy_check_mark(scheduler, socket);
    return result;
}

static int wait_for_offer(struct scheduler *scheduler, struct stream *socket, struct call *call)
{
    list_append(&socket->output->offered, &call->link);
    task_add(&scheduler->tasks, TASK_SUBMITTED, &socket->output->offer);
    return CALL_WAITS;
}

/* Behind one that waits: the callbacks of _async calls come in the order of the calls. */
static bool is_behind_another(const struct stream *socket, const struct call *call)
{
    return call->kind == CALL_ASYNC && !list_is_empty(&socket->output->offered);
}

/* Nothing was queued: the kernel is offered the bytes before the call returns, so that it can say
 * what is wrong, unless they are to be delayed. Something was: the marks decide. */
static int run_send(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct stream *socket = stream_of(slot);
    int result = check_sendable(scheduler, socket);
    if (result < 0)
        return result;
    if (busy_is(scheduler, socket))
        return busy_suspend(scheduler, socket, call);
    size_t before = send_queued_bytes(socket);
    result = accept_source(scheduler, socket, &send_call_of(call)->source);
    if (result < 0)
        return result;
    if (before > 0 && busy_check_mark(scheduler, socket))
        return busy_cross(scheduler, socket, call);
    if (socket->output && is_behind_another(socket, call))
        return wait_for_offer(scheduler, socket, call);
    bool waits = before == 0 && send_queued_bytes(socket) > 0 && !stream_values(socket)->delay_send;
    return waits ? wait_for_offer(scheduler, socket, call) : 0;
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

void send_answer(struct scheduler *scheduler, struct stream *socket)
{
    task_remove(&socket->output->offer);
    call_complete_all(scheduler, &socket->output->offered, 0);
}

void send_answer_offered(struct scheduler *scheduler, struct task *task)
{
    struct stream *socket = list_entry(task, struct output, offer)->socket;
    send_answer(scheduler, socket);
    send_free_if_idle(scheduler, socket);
}

/* Who crossed the mark hears why; who waits behind hears what any send is told from now on. */
void send_dismiss(struct scheduler *scheduler, struct stream *socket, int result)
{
    struct output *output = socket->output;
    if (!output)
        return;
    output->refused = false;
    call_complete_all(scheduler, &output->crossed, result);
    if (socket->slot.state == SOCKET_GONE)
        result = -ENOTCONN;
    busy_dismiss(scheduler, output, result);
}

void send_dismiss_all(struct scheduler *scheduler, struct stream *socket, int result)
{
    if (socket->output)
        call_complete_all(scheduler, &socket->output->offered, result);
    send_dismiss(scheduler, socket, result);
}

void send_free_if_idle(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->output && output_is_idle(socket->output))
        send_free(scheduler, socket);
}

void send_free(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->output)
        output_close(streams_of(scheduler), socket->output);
    socket->output = NULL;
}

void send_drop(struct scheduler *scheduler, struct stream *socket)
{
    struct output *output = socket->output;
    if (!output)
        return;
    size_t before = output->queue.queued_bytes;
    send_queue_drop(streams_of(scheduler)->pools, &output->queue);
    busy_count_off(scheduler, before - output->queue.queued_bytes);
    if (output->queue.in_flight_bytes > 0) {
        flush_cancel(scheduler, socket);
        return;
    }
    call_complete_all(scheduler, &output->drained, 0);
    send_free_if_idle(scheduler, socket);
}

static int shut(struct stream *socket, int how)
{
    socket->sending = SENDING_SHUT;
    return system_shutdown(socket->slot.fd, how);
}

int send_shutdown_now(struct stream *socket)
{
    return shut(socket, SHUT_WR);
}

int send_shutdown(struct scheduler *scheduler, struct stream *socket, bool both)
{
    if (socket->sending == SENDING_FAILED)
        return -ENOTCONN;
    if (send_queued_bytes(socket) == 0)
        return shut(socket, both ? SHUT_RDWR : SHUT_WR);
    both |= socket->sending == SENDING_SHUTTING_BOTH;
    socket->sending = both ? SENDING_SHUTTING_BOTH : SENDING_SHUTTING;
    busy_dismiss(scheduler, socket->output, WEIR_CLOSED);
    flush_start(scheduler, socket);
    return 0;
}

/* Answers those whose bytes they were. Whether there were any. */
static bool tell_senders(struct scheduler *scheduler, struct stream *socket, int result)
{
    struct output *output = socket->output;
    if (!output)
        return false;
    bool told = !list_is_empty(&output->offered) || !list_is_empty(&output->crossed);
    call_complete_all(scheduler, &output->offered, result);
    call_complete_all(scheduler, &output->crossed, result);
    return told;
}

/* A handler that waits for `unbusy` is told all the same: its next send says what has happened. */
void send_failed(struct scheduler *scheduler, struct stream *socket, int error)
{
    bool refused = socket->output && socket->output->refused;
    int result = shown(socket, error);
    note_failure(socket, error);
    slot_hold(&socket->slot);
    bool told = tell_senders(scheduler, socket, result);
    uint8_t latches = LATCH_RECEIVE | LATCH_OWNER | (told ? 0 : LATCH_SEND);
    if (socket->slot.state == SOCKET_OPEN)
        close_connection_by_send(scheduler, socket, latches);
    send_dismiss(scheduler, socket, result);
    send_drop(scheduler, socket);
    if (refused && stream_is_live(socket))
        owner_tell_unbusy(scheduler, &socket->slot);
    slot_unhold(scheduler, &socket->slot);
}

/* Whoever is told by the receive, which close_break ends, is told why; the others when they ask. */
void send_broken(struct scheduler *scheduler, struct stream *socket, int error)
{
    bool to_be_told = socket->slot.state == SOCKET_OPEN && socket->receiving == RECEIVING_OPEN &&
                      delivery_is_wanted(socket);
    close_break(socket);
    if (!to_be_told) {
        send_failed(scheduler, socket, error);
        return;
    }
    bool refused = socket->output->refused;
    socket->error = error;
    socket->sending = SENDING_FAILED;
    send_dismiss(scheduler, socket, WEIR_CLOSED);
    send_drop(scheduler, socket);
    if (refused)
        owner_tell_unbusy(scheduler, &socket->slot);
}

void send_emptied(struct scheduler *scheduler, struct stream *socket)
{
    if (socket->sending == SENDING_SHUTTING)
        (void)shut(socket, SHUT_WR);
    else if (socket->sending == SENDING_SHUTTING_BOTH)
        (void)shut(socket, SHUT_RDWR);
    send_answer(scheduler, socket);
    call_complete_all(scheduler, &socket->output->drained, 0);
    send_free_if_idle(scheduler, socket);
}
