/* SPDX-License-Identifier: MIT */
/* gen_tcp:send, in all its forms. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/send.h"
#include "runtime/given.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/busy.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"
#include "runtime/udp_send.h"

static int send_on_own(struct scheduler *here, weir_socket handle, const struct send_source *source)
{
    int result;
    struct slot *slot = call_find_socket(here, &operation_send, handle, &result);
    error_clear_text();
    if (slot) {
        struct waiter *waiter = scheduler_set_waiter(here, NULL);
        slot_hold(slot);
        result = send_now(here, stream_of(slot), source);
        slot_unhold(here, slot);
        (void)scheduler_set_waiter(here, waiter);
    }
    return error_from("weir_send", result);
}

/* A process waits for a busy socket, and for one that it makes so; a handler is told of it. */
static bool may_wait(struct scheduler *here, weir_socket handle, size_t size)
{
    struct slot *slot = here->waiter ? slot_find(here, handle) : NULL;
    return slot && slot->kind == KIND_STREAM && slot->state == SOCKET_OPEN &&
           busy_would_wait(here, stream_of(slot), size);
}

/* On the socket's scheduler a plain function, elsewhere a call. */
static int send_source(weir_socket handle, const struct send_source *source)
{
    struct scheduler *here = scheduler_current();
    call_begin();
    if (here && here->index == slot_scheduler(handle) && !may_wait(here, handle, source->size))
        return send_on_own(here, handle, source);
    struct send_call send = {.source = *source};
    return call_make(&operation_send, handle, &send.call);
}

int weir_send(weir_socket socket, const void *bytes, size_t size)
{
    const struct iovec piece = {(void *)bytes, size};
    int result = given_check(bytes, size);
    if (result < 0)
        return result;
    return send_source(socket, &(struct send_source){.pieces = &piece, .count = 1, .size = size});
}

/* 0 with the source's size known. */
static int measure(const struct iovec *pieces, size_t count, struct send_source *source)
{
    *source = (struct send_source){.pieces = pieces, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (__builtin_add_overflow(source->size, pieces[i].iov_len, &source->size) ||
            source->size > SSIZE_MAX)
            return error_say(-EINVAL, "send: the pieces together are larger than memory");
        int result = given_check(pieces[i].iov_base, pieces[i].iov_len);
        if (result < 0)
            return result;
    }
    return 0;
}

int weir_sendv(weir_socket socket, const struct iovec *pieces, size_t count)
{
    struct send_source source;
    int result = measure(pieces, count, &source);
    return result < 0 ? result : send_source(socket, &source);
}

/* With all that its own header says of it. */
static struct iovec whole_packet(const weir_packet *packet)
{
    struct iovec piece = {(void *)(packet->bytes - packet->header_size),
                          packet->header_size + packet->size + packet->padding_size};
    return piece;
}

int weir_send_packet(weir_socket socket, const weir_packet *packet)
{
    const struct iovec piece = whole_packet(packet);
    int result = packet->datagram ? udp_send_back(socket, packet->datagram, piece) : -EPROTOTYPE;
    if (result != -EPROTOTYPE)
        return result;
    return send_source(
        socket, &(struct send_source){
                    .pieces = &piece, .count = 1, .size = piece.iov_len, .buffer = packet->buffer});
}

/* What is sent from where it lies: a buffer that the send's caller holds until it is queued. */
struct held {
    struct weir_buffer *buffer;
    struct iovec piece;
    struct send_source source;
};

static int hold_owned(struct held *held, const weir_owned_bytes *owned)
{
    int result = given_adopt(owned, &held->buffer);
    if (result < 0)
        return result;
    held->piece = (struct iovec){(void *)owned->bytes, owned->size};
    held->source = (struct send_source){.count = 1, .size = owned->size, .buffer = held->buffer};
    return 0;
}

static void close_file(void *fd)
{
    system_close((int)(intptr_t)fd);
}

static int say_no_file(const weir_file_part *part, int error)
{
    return error_say(error, "send: descriptor %d: %s", part->fd, weir_error_text(error));
}

static int check_file(const weir_file_part *part)
{
    if (part->size > UINT64_MAX - part->offset)
        return error_say(-EINVAL, "send: %zu bytes from %" PRIu64 " on are too many", part->size,
                         part->offset);
    int result = system_check_file(part->fd, part->offset + part->size);
    if (result == -EINVAL)
        return error_say(result,
                         "send: descriptor %d has no %zu bytes from %" PRIu64 " on to be read",
                         part->fd, part->size, part->offset);
    return result < 0 ? say_no_file(part, result) : 0;
}

static int hold_file(struct held *held, const weir_file_part *part)
{
    int result = check_file(part);
    if (result < 0)
        return result;
    int fd = system_duplicate(part->fd);
    if (fd < 0)
        return say_no_file(part, fd);
    held->buffer = buffer_adopt(NULL, 0, close_file, (void *)(intptr_t)fd);
    if (!held->buffer) {
        system_close(fd);
        return error_say(-ENOMEM, "send: no memory to send a file");
    }
    held->piece = (struct iovec){0};
    held->source = (struct send_source){
        .size = part->size, .buffer = held->buffer, .fd = fd, .offset = part->offset};
    return 0;
}

static int hold_copy(struct held *held, const struct send_source *source)
{
    held->buffer = buffer_allocate(source->size);
    if (!held->buffer)
        return error_say(-ENOMEM, "send: no memory for a copy");
    size_t size = 0;
    for (size_t i = 0; i < source->count; i++) {
        if (source->pieces[i].iov_len > 0)
            memcpy(held->buffer->bytes + size, source->pieces[i].iov_base,
                   source->pieces[i].iov_len);
        size += source->pieces[i].iov_len;
    }
    held->piece = (struct iovec){held->buffer->bytes, size};
    held->source = (struct send_source){.count = 1, .size = size, .buffer = held->buffer};
    return 0;
}

static int hold_packet(struct held *held, const weir_packet *packet)
{
    held->piece = whole_packet(packet);
    held->source = (struct send_source){.pieces = &held->piece, .count = 1};
    held->source.size = held->piece.iov_len;
    if (!packet->buffer ||
        !buffer_may_be_held(packet->buffer, held->piece.iov_base, held->piece.iov_len))
        return hold_copy(held, &held->source);
    buffer_keep(packet->buffer);
    held->buffer = packet->buffer;
    held->source.buffer = packet->buffer;
    return 0;
}

static int send_held(weir_socket socket, struct held *held)
{
    if (held->source.count > 0)
        held->source.pieces = &held->piece;
    int result = send_source(socket, &held->source);
    buffer_release(held->buffer);
    return result;
}

int weir_send_owned(weir_socket socket, const void *bytes, size_t size,
                    void (*released)(void *data), void *data)
{
    const weir_owned_bytes owned = {bytes, size, released, data};
    struct held held;
    int result = hold_owned(&held, &owned);
    return result < 0 ? result : send_held(socket, &held);
}

int weir_send_file(weir_socket socket, int fd, uint64_t offset, size_t size)
{
    const weir_file_part part = {fd, offset, size};
    struct held held;
    int result = hold_file(&held, &part);
    return result < 0 ? result : send_held(socket, &held);
}

static void finish_send(struct call *call)
{
    weir_sent *sent = (weir_sent *)call->callback;
    if (sent)
        sent(call->socket, call->result, call->data);
    buffer_release(send_call_of(call)->held);
    memory_free(call);
}

/* Takes over what is held. */
static int send_held_async(weir_socket socket, const struct held *held, weir_sent *sent, void *data)
{
    struct send_call *send = call_allocate(sizeof(*send));
    if (!send) {
        buffer_release(held->buffer);
        return -ENOMEM;
    }
    send->held = held->buffer;
    send->piece = held->piece;
    send->source = held->source;
    if (held->source.count > 0)
        send->source.pieces = &send->piece;
    send->call.callback = (void (*)(void))sent;
    send->call.data = data;
    send->call.finish = finish_send;
    return call_make_async(&operation_send, socket, &send->call);
}

int weir_send_async(weir_socket socket, const void *bytes, size_t size, weir_sent *sent, void *data)
{
    const struct iovec piece = {(void *)bytes, size};
    return weir_sendv_async(socket, &piece, 1, sent, data);
}

int weir_sendv_async(weir_socket socket, const struct iovec *pieces, size_t count, weir_sent *sent,
                     void *data)
{
    struct send_source source;
    struct held held;
    int result = measure(pieces, count, &source);
    if (result == 0)
        result = hold_copy(&held, &source);
    return result < 0 ? result : send_held_async(socket, &held, sent, data);
}

int weir_send_packet_async(weir_socket socket, const weir_packet *packet, weir_sent *sent,
                           void *data)
{
    struct held held;
    int result = hold_packet(&held, packet);
    return result < 0 ? result : send_held_async(socket, &held, sent, data);
}

int weir_send_owned_async(weir_socket socket, const weir_owned_bytes *owned, weir_sent *sent,
                          void *data)
{
    struct held held;
    int result = hold_owned(&held, owned);
    return result < 0 ? result : send_held_async(socket, &held, sent, data);
}

int weir_send_file_async(weir_socket socket, const weir_file_part *part, weir_sent *sent,
                         void *data)
{
    struct held held;
    int result = hold_file(&held, part);
    return result < 0 ? result : send_held_async(socket, &held, sent, data);
}
