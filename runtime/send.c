/* SPDX-License-Identifier: MIT */
#include "runtime/send.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/system.h"
#include "framing/framing.h"
#include "runtime/buffer.h"
#include "runtime/busy.h"
#include "runtime/call.h"
#include "runtime/close.h"
#include "runtime/owner.h"
#include "runtime/scheduler.h"
#include "runtime/send_queue.h"
#include "runtime/socket.h"

/* From here on a packet is sent from where it lies; below, a copy is cheaper than a reference. */
enum { REFER_FROM_BYTES = 4096 };

bool send_is_queued(const struct socket *socket)
{
    return socket->output && !send_queue_is_idle(socket->output);
}

size_t send_queued_bytes(const struct socket *socket)
{
    return socket_is_stream(socket) && socket->output ? socket->output->queued_bytes : 0;
}

static void schedule_flush(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (queue->in_flight_bytes > 0 || !list_is_empty(&queue->flush_link))
        return;
    list_append(socket_values(socket)->delay_send ? &scheduler->delayed : &scheduler->corked,
                &queue->flush_link);
}

static int enqueue_copy(struct scheduler *scheduler, struct send_queue *queue,
                        const struct send_source *source, const uint8_t *header, size_t header_size)
{
    size_t size = header_size + source->size;
    if (size == 0)
        return 0;
    uint8_t *place = send_queue_room(scheduler->pools, queue, size);
    if (!place)
        return -ENOMEM;
    for (size_t i = 0; i < header_size; i++)
        place[i] = header[i];
    memcpy(place + header_size, source->bytes, source->size);
    send_queue_grow(queue, size);
    return 0;
}

static int enqueue_reference(struct scheduler *scheduler, struct send_queue *queue,
                             const struct send_source *source, const uint8_t *header,
                             size_t header_size)
{
    const struct send_source only_header = {"", 0, NULL};
    struct segment *segment =
        segment_refer(scheduler->pools, source->buffer, source->bytes, source->size);
    if (!segment)
        return -ENOMEM;
    int result = enqueue_copy(scheduler, queue, &only_header, header, header_size);
    if (result < 0)
        segment_free(scheduler->pools, segment);
    else
        send_queue_link(queue, segment);
    return result;
}

static int enqueue(struct scheduler *scheduler, struct socket *socket,
                   const struct send_source *source, const uint8_t *header, size_t header_size)
{
    bool refer = source->buffer && source->size >= REFER_FROM_BYTES;
    return refer ? enqueue_reference(scheduler, socket->output, source, header, header_size)
                 : enqueue_copy(scheduler, socket->output, source, header, header_size);
}

static int shown_error(const struct socket *socket)
{
    bool reset = socket->error == -ECONNRESET && socket_values(socket)->show_econnreset;
    return reset ? -ECONNRESET : WEIR_CLOSED;
}

static int refusal(struct socket *socket)
{
    bool told = (socket->latches & LATCH_SEND) != 0;
    socket->latches = 0;
    return told ? shown_error(socket) : -ENOTCONN;
}

/* Whether the socket can take anything at all. */
static int check_sendable(struct scheduler *scheduler, struct socket *socket,
                          const struct send_source *source)
{
    if (!source->bytes && source->size > 0)
        return error_say(-EINVAL, "send: no bytes were given");
    if (socket->state == SOCKET_LISTENING)
        return -ENOTCONN;
    if (socket->state == SOCKET_GONE)
        return refusal(socket);
    if (socket->sending == SENDING_OPEN)
        return 0;
    if (socket->sending == SENDING_FAILED && socket->receiving == RECEIVING_OPEN)
        return shown_error(socket);
    /* The document's functions lose the whole socket over a send after shutdown(write). */
    send_dismiss(scheduler, socket, WEIR_CLOSED);
    send_drop(scheduler, socket);
    close_lose(scheduler, socket, 0);
    return WEIR_CLOSED;
}

/* Queues all of it. 0, or an error with nothing queued. */
static int take(struct scheduler *scheduler, struct socket *socket,
                const struct send_source *source)
{
    uint8_t header[FRAMING_HEADER_MAX];
    enum weir_packet_type type = (enum weir_packet_type)socket_values(socket)->packet;
    int header_size = framing_encode_header(type, source->size, header);
    if (header_size < 0)
        return error_say(header_size, "send: %zu bytes do not fit a packet of type %s",
                         source->size, weir_packet_type_name(type));
    if (!socket->output && !(socket->output = send_queue_open(scheduler->pools, socket)))
        return -ENOMEM;
    int result = enqueue(scheduler, socket, source, header, (size_t)header_size);
    if (result < 0)
        return result;
    traffic_count(&socket->sent, source->size + (size_t)header_size);
    scheduler->totals.packets_sent++;
    scheduler->totals.queued_bytes += source->size + (size_t)header_size;
    schedule_flush(scheduler, socket);
    return 0;
}

int send_now(struct scheduler *scheduler, struct socket *socket, const struct send_source *source)
{
    int result = check_sendable(scheduler, socket, source);
    if (result < 0)
        return result;
    if (busy_is(scheduler, socket)) {
        busy_refuse(scheduler, socket);
        return -EAGAIN;
    }
    size_t before = send_queued_bytes(socket);
    result = take(scheduler, socket, source);
    if (result == 0 && before > 0)
        busy_check_mark(scheduler, socket);
    return result;
}

static struct send_source source_of(const struct call *call)
{
    const weir_packet *packet = call->as.send.packet;
    struct send_source source = {call->as.send.bytes, call->as.send.size, call->as.send.copy};
    if (packet) {
        source.bytes = packet->bytes - packet->header_size;
        source.size = packet->size + packet->header_size;
        source.buffer = packet->buffer;
    }
    return source;
}

/* Nothing was queued: the kernel is offered the bytes before the call returns, so that it can say
 * what is wrong. Something was: the marks decide. */
static int run_send(struct scheduler *scheduler, struct socket *socket, struct call *call)
{
    struct send_source source = source_of(call);
    int result = check_sendable(scheduler, socket, &source);
    if (result < 0)
        return result;
    if (busy_is(scheduler, socket))
        return busy_suspend(scheduler, socket, call);
    size_t before = send_queued_bytes(socket);
    result = take(scheduler, socket, &source);
    if (result < 0)
        return result;
    if (before > 0)
        return busy_check_mark(scheduler, socket) ? busy_cross(scheduler, socket, call) : 0;
    list_append(&scheduler->trying, &call->link);
    return CALL_WAITS;
}

static void leave_send(struct scheduler *scheduler, struct call *call)
{
    list_remove(&call->link);
    busy_expire(scheduler, call);
}

const struct call_operation operation_send = {
    .name = "weir_send",
    .run = run_send,
    .leave = leave_send,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

static int tried_result(struct socket *socket)
{
    if (socket->state == SOCKET_GONE && (socket->latches & LATCH_SEND))
        return refusal(socket);
    return socket->sending == SENDING_FAILED ? shown_error(socket) : 0;
}

void send_settle_tried(struct scheduler *scheduler)
{
    struct list *node;
    while ((node = list_take(&scheduler->tried))) {
        struct call *call = list_entry(node, struct call, link);
        struct socket *socket = socket_find(scheduler, call->socket);
        call_complete(scheduler, call, socket ? tried_result(socket) : WEIR_CLOSED);
    }
}

/* One operation in flight per socket, always: with two, the kernel may reorder them once one has
 * to wait. */
void send_start(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!queue || queue->in_flight_bytes > 0 || queue->queued_bytes == 0 || socket->fd < 0)
        return;
    list_remove(&queue->flush_link);
    if (vectors_are_full(&scheduler->vectors))
        scheduler_submit(scheduler);
    struct msghdr *message = vectors_take(&scheduler->vectors);
    message->msg_iovlen = send_queue_gather(queue, message->msg_iov, VECTORS_PER_MESSAGE);
    uint64_t operation = socket_operation(socket, OPERATION_SEND);
    socket_hold(socket);
    scheduler->totals.send_operations++;
    if (message->msg_iovlen == 1) {
        ring_send(scheduler->ring, operation, socket->fd, message->msg_iov[0].iov_base,
                  message->msg_iov[0].iov_len);
        vectors_put_back(&scheduler->vectors);
        return;
    }
    ring_send_message(scheduler->ring, operation, socket->fd, message, false);
}

static void flush_list(struct scheduler *scheduler, struct list *list)
{
    struct list *node;
    while ((node = list_take(list)))
        send_start(scheduler, list_entry(node, struct send_queue, flush_link)->socket);
}

void send_flush_corked(struct scheduler *scheduler)
{
    flush_list(scheduler, &scheduler->corked);
}

void send_flush_delayed(struct scheduler *scheduler)
{
    flush_list(scheduler, &scheduler->delayed);
}

void send_dismiss(struct scheduler *scheduler, struct socket *socket, int result)
{
    struct send_queue *queue = socket->output;
    if (!queue)
        return;
    call_complete_all(scheduler, &queue->crossed, result);
    call_complete_all(scheduler, &queue->suspended, result);
}

static void free_if_idle(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!send_queue_is_idle(queue) || queue->refused)
        return;
    call_complete_all(scheduler, &queue->drained, 0);
    socket->output = NULL;
    send_queue_close(scheduler->pools, queue);
}

void send_drop(struct scheduler *scheduler, struct socket *socket)
{
    struct send_queue *queue = socket->output;
    if (!queue)
        return;
    scheduler->totals.queued_bytes -= queue->queued_bytes;
    send_queue_drop(scheduler->pools, queue);
    scheduler->totals.queued_bytes += queue->queued_bytes;
    queue->refused = false;
    if (queue->in_flight_bytes > 0)
        ring_cancel(scheduler->ring, socket_operation(socket, OPERATION_SEND));
    else
        free_if_idle(scheduler, socket);
}

static int shut_down_now(struct socket *socket)
{
    int result = system_shutdown(socket->fd, SHUT_WR);
    socket->sending = SENDING_SHUT;
    return result;
}

int send_shutdown(struct scheduler *scheduler, struct socket *socket, int how)
{
    if (how == SHUT_RDWR) {
        int result = system_shutdown(socket->fd, SHUT_RD);
        if (result < 0)
            return result;
    }
    if (!send_is_queued(socket))
        return shut_down_now(socket);
    socket->sending = SENDING_SHUTTING;
    send_start(scheduler, socket);
    return 0;
}

/* A socket that is being received for is told of its end by the receive, after all that came
 * before it; for any other the failed send is the only one who can tell. */
static void send_failed(struct scheduler *scheduler, struct socket *socket, int error)
{
    if (socket->error == 0)
        socket->error = error;
    send_dismiss(scheduler, socket, WEIR_CLOSED);
    send_drop(scheduler, socket);
    if (socket->state != SOCKET_OPEN)
        return;
    close_lose_by_send(scheduler, socket);
}

static void went_out(struct scheduler *scheduler, struct socket *socket, size_t size)
{
    struct send_queue *queue = socket->output;
    scheduler->totals.bytes_sent += size;
    scheduler->totals.queued_bytes -= size;
    if (size < queue->in_flight_bytes)
        scheduler->totals.short_sends++;
    send_queue_sent(scheduler->pools, queue, size);
    busy_drained(scheduler, socket);
    queue = socket->output; /* who was let go on may have changed everything */
    if (!queue)
        return;
    if (queue->queued_bytes > 0) {
        send_start(scheduler, socket);
        return;
    }
    if (socket->sending == SENDING_SHUTTING)
        shut_down_now(socket);
    free_if_idle(scheduler, socket);
}

void send_completed(struct scheduler *scheduler, struct socket *socket,
                    const struct ring_completion *completion)
{
    int result = completion->result;
    CHECK(socket->output && socket->output->in_flight_bytes > 0);
    if (result >= 0) {
        went_out(scheduler, socket, (size_t)result);
        return;
    }
    send_queue_sent(scheduler->pools, socket->output, 0);
    if (result == -EINTR || result == -EAGAIN || result == -ENOBUFS || result == -ENOMEM)
        send_start(scheduler, socket);
    else
        send_failed(scheduler, socket, result);
}
