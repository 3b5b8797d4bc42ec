/* SPDX-License-Identifier: MIT */
/* gen_tcp:recv. */
#include "runtime/receive_call.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/receive_call.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"

enum { LENGTH_MAX = 64 << 20 };

static int refusal(struct stream *stream)
{
    bool told = (stream->latches & LATCH_RECEIVE) != 0;
    if (!told)
        return -ENOTCONN;
    stream->latches = 0;
    return delivery_end_result(stream);
}

static int check_receivable(struct stream *stream, size_t length)
{
    if (stream->slot.state == SOCKET_GONE)
        return refusal(stream);
    if (stream->active != WEIR_ACTIVE_FALSE)
        return error_say(-EINVAL, "recv: the socket is active");
    if (length > 0 && stream_values(stream)->packet != WEIR_RAW)
        return error_say(-EINVAL, "recv: a length is for raw packets only");
    if (length > LENGTH_MAX)
        return error_say(-ENOMEM, "recv: %zu is more than %d bytes", length, LENGTH_MAX);
    if (stream->waiter)
        return error_say(-EALREADY, "recv: somebody waits already");
    return stream->receiving == RECEIVING_REPORTED ? WEIR_CLOSED : 0;
}

static int run_recv(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct stream *stream = stream_of(slot);
    int result = check_receivable(stream, receive_call_of(call)->length);
    if (result < 0)
        return result;
    input_settle(stream);
    stream->waiter = call;
    input_forget_needed(stream);
    call_set_timeout(scheduler, call);
    receive_go_on(scheduler, stream);
    return CALL_WAITS;
}

static void leave_recv(struct scheduler *scheduler, struct call *call)
{
    struct stream *stream = stream_find(scheduler, call->socket);
    if (!stream || stream->waiter != call)
        return;
    stream->waiter = NULL;
    input_forget_needed(stream);
    receive_update(scheduler, stream);
}

static const struct call_operation operation_recv = {
    .name = "weir_recv",
    .run = run_recv,
    .kinds = 1 << KIND_STREAM,
    .other_result = -ENOTCONN,
    .leave = leave_recv,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

int receive_make(const struct call_operation *operation, weir_socket socket, size_t length,
                 int64_t timeout_ms, weir_packet *packet)
{
    struct receive_call receive = {.call.timeout_ms = timeout_ms, .length = length};
    call_begin();
    int result = call_make(operation, socket, &receive.call);
    if (result == 0)
        *packet = receive.packet;
    return result;
}

int weir_recv(weir_socket socket, size_t length, int64_t timeout_ms, weir_packet *packet)
{
    bool is_thread = !scheduler_current();
    call_begin();
    if (is_thread && shelf_take(socket, length, packet))
        return 0;
    struct receive_call receive = {.call.timeout_ms = timeout_ms, .length = length};
    receive.shelf = is_thread ? shelf_lend(socket) : NULL;
    int result = call_make(&operation_recv, socket, &receive.call);
    shelf_return(receive.shelf);
    if (result == 0)
        *packet = receive.packet;
    return result;
}

static void finish_recv(struct call *call)
{
    struct receive_call *receive = receive_call_of(call);
    weir_packet *packet = &receive->packet;
    weir_received *received = (weir_received *)call->callback;
    packet->lent = true;
    if (received)
        received(call->socket, call->result, call->result == 0 ? packet : NULL, call->data);
    packet->lent = false;
    weir_packet_release(packet);
    memory_free(receive);
}

int receive_make_async(const struct call_operation *operation, weir_socket socket, size_t length,
                       int64_t timeout_ms, const struct receive_answer *answer)
{
    struct receive_call *receive = call_allocate(sizeof(*receive));
    if (!receive)
        return -ENOMEM;
    receive->length = length;
    receive->call.timeout_ms = timeout_ms;
    receive->call.callback = (void (*)(void))answer->received;
    receive->call.data = answer->data;
    receive->call.finish = finish_recv;
    return call_make_async(operation, socket, &receive->call);
}

int weir_recv_async(weir_socket socket, size_t length, int64_t timeout_ms, weir_received *received,
                    void *data)
{
    return receive_make_async(&operation_recv, socket, length, timeout_ms,
                              &(struct receive_answer){received, data});
}
