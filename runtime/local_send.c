/* SPDX-License-Identifier: MIT */
/* Bytes and descriptors, by a local socket of either kind. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/departure.h"
#include "runtime/datagram/send.h"
#include "runtime/given.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/rights.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"

struct parts {
    struct iovec piece;
    const weir_local_address *to;
    struct weir_buffer *rights; /* or NULL */
};

/* What its kind of socket makes of it is known where it runs: it goes on as that. */
struct local_send_call {
    union {
        struct call call;
        struct send_call stream;
        struct letter_call letter;
    } as;
    struct parts parts;
    weir_local_address to;    /* CALL_ASYNC: what the parts point to */
    struct weir_buffer *held; /* CALL_ASYNC: what the bytes lie in */
};

static struct local_send_call *local_send_call_of(struct call *call)
{
    return list_entry(call, struct local_send_call, as.call);
}

static struct send_source source_of(const struct parts *parts)
{
    return (struct send_source){
        .pieces = &parts->piece, .count = 1, .size = parts->piece.iov_len, .rights = parts->rights};
}

static struct letter letter_of(const struct parts *parts)
{
    return (struct letter){.local = parts->to, .bytes = parts->piece, .rights = parts->rights};
}

static int check(const struct slot *slot, const struct parts *parts)
{
    if (slot->family != WEIR_LOCAL)
        return error_say(-EAFNOSUPPORT, "send: the socket is not a local one");
    if (slot->kind == KIND_STREAM && parts->to)
        return error_say(-EISCONN, "send: a connection sends to its peer alone");
    return 0;
}

static int run_send(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct local_send_call *send = local_send_call_of(call);
    int result = check(slot, &send->parts);
    if (result < 0)
        return result;
    if (slot->kind == KIND_STREAM) {
        send->as.stream.source = source_of(&send->parts);
        send->as.stream.crossed = false;
        call->operation = &operation_send;
    } else {
        send->as.letter.letter = letter_of(&send->parts);
        send->as.letter.parcel = NULL;
        send->as.letter.is_waited_for = false;
        call->operation = &operation_send_letter;
    }
    return call->operation->run(scheduler, slot, call);
}

static const struct call_operation operation_send_local = {
    .name = "weir_local_send",
    .run = run_send,
    .kinds = 1 << KIND_STREAM | 1 << KIND_DATAGRAM,
    .other_result = -ENOTCONN,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

static int send_now_on(struct scheduler *here, struct slot *slot, const struct parts *parts)
{
    const struct send_source source = source_of(parts);
    const struct letter letter = letter_of(parts);
    int result = check(slot, parts);
    if (result < 0)
        return result;
    return slot->kind == KIND_STREAM ? send_now(here, stream_of(slot), &source)
                                     : letter_send_now(here, datagram_of(slot), &letter);
}

static int send_on_own(struct scheduler *here, weir_socket handle, const struct parts *parts)
{
    int result;
    struct slot *slot = call_find_socket(here, &operation_send_local, handle, &result);
    error_clear_text();
    if (slot) {
        struct waiter *waiter = scheduler_set_waiter(here, NULL);
        slot_hold(slot);
        result = send_now_on(here, slot, parts);
        slot_unhold(here, slot);
        (void)scheduler_set_waiter(here, waiter);
    }
    return error_from("weir_local_send", result);
}

static bool would_wait(struct scheduler *here, const struct slot *slot, size_t size)
{
    return slot->kind == KIND_STREAM ? busy_would_wait(here, stream_of(slot), size)
                                     : departure_is_busy(datagram_of(slot));
}

/* A process waits for a busy socket, and for one that it makes so; a handler is told of it. */
static bool may_wait(struct scheduler *here, weir_socket handle, size_t size)
{
    int result;
    const struct slot *slot =
        here->waiter ? call_find_socket(here, &operation_send_local, handle, &result) : NULL;
    return slot && slot->state == SOCKET_OPEN && would_wait(here, slot, size);
}

/* On the socket's scheduler a plain function, elsewhere a call. */
static int send_parts(weir_socket handle, const struct parts *parts)
{
    struct scheduler *here = scheduler_current();
    if (here && here->index == slot_scheduler(handle) &&
        !may_wait(here, handle, parts->piece.iov_len))
        return send_on_own(here, handle, parts);
    struct local_send_call send = {.parts = *parts};
    return call_make(&operation_send_local, handle, &send.as.call);
}

/* What the message has, with descriptors of its own; the rest is the caller's. */
static int take_parts(const weir_local_message *message, struct parts *parts)
{
    int result = given_check(message->bytes, message->size);
    if (result < 0)
        return result;
    *parts = (struct parts){{(void *)message->bytes, message->size}, message->to, NULL};
    return rights_make(message->descriptors, message->descriptor_count, &parts->rights);
}

static void drop_rights(const struct parts *parts)
{
    if (parts->rights)
        buffer_release(parts->rights);
}

int weir_local_send(weir_socket socket, const weir_local_message *message)
{
    struct parts parts;
    call_begin();
    int result = take_parts(message, &parts);
    if (result < 0)
        return result;
    result = send_parts(socket, &parts);
    drop_rights(&parts);
    return result;
}

static void finish_send(struct call *call)
{
    struct local_send_call *send = local_send_call_of(call);
    weir_sent *sent = (weir_sent *)call->callback;
    if (sent)
        sent(call->socket, call->result, call->data);
    drop_rights(&send->parts);
    buffer_release(send->held);
    memory_free(send);
}

static struct local_send_call *copy_parts(const struct parts *parts)
{
    struct local_send_call *send = call_allocate(sizeof(*send));
    struct weir_buffer *held = send ? buffer_allocate(parts->piece.iov_len) : NULL;
    if (!held) {
        memory_free(send);
        return NULL;
    }
    if (parts->piece.iov_len > 0)
        memcpy(held->bytes, parts->piece.iov_base, parts->piece.iov_len);
    send->held = held;
    send->parts = *parts;
    send->parts.piece.iov_base = held->bytes;
    if (parts->to) {
        send->to = *parts->to;
        send->parts.to = &send->to;
    }
    return send;
}

int weir_local_send_async(weir_socket socket, const weir_local_message *message, weir_sent *sent,
                          void *data)
{
    struct parts parts;
    int result = take_parts(message, &parts);
    if (result < 0)
        return result;
    struct local_send_call *send = copy_parts(&parts);
    if (!send) {
        drop_rights(&parts);
        return error_say(-ENOMEM, "send: no memory for a message");
    }
    send->as.call.callback = (void (*)(void))sent;
    send->as.call.data = data;
    send->as.call.finish = finish_send;
    return call_make_async(&operation_send_local, socket, &send->as.call);
}
