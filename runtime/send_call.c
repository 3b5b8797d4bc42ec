/* SPDX-License-Identifier: MIT */
/* gen_tcp:send, in all its forms. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/buffer.h"
#include "runtime/call.h"
#include "runtime/scheduler.h"
#include "runtime/send.h"
#include "runtime/socket.h"

static int send_on_own(struct scheduler *here, weir_socket handle, const struct send_source *source)
{
    struct socket *socket = socket_find(here, handle);
    if (!socket)
        return WEIR_CLOSED;
    socket_hold(socket);
    int result = send_now(here, socket, source);
    socket_unhold(here, socket);
    return result;
}

/* On the socket's scheduler a plain function, elsewhere a call. */
static int send_source(weir_socket handle, const struct send_source *source)
{
    struct scheduler *here = scheduler_current();
    if (here && here->index == socket_scheduler(handle))
        return send_on_own(here, handle, source);
    struct call call = {.as.send.source = *source};
    return call_make(&operation_send, handle, &call);
}

static int no_bytes(void)
{
    return error_say(-EINVAL, "send: no bytes were given");
}

int weir_send(weir_socket socket, const void *bytes, size_t size)
{
    const struct iovec piece = {(void *)bytes, size};
    if (!bytes && size > 0)
        return no_bytes();
    return send_source(socket, &(struct send_source){.pieces = &piece, .count = 1, .size = size});
}

int weir_sendv(weir_socket socket, const struct iovec *pieces, size_t count)
{
    struct send_source source = {.pieces = pieces, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (!pieces[i].iov_base && pieces[i].iov_len > 0)
            return no_bytes();
        source.size += pieces[i].iov_len;
    }
    return send_source(socket, &source);
}

int weir_send_packet(weir_socket socket, const weir_packet *packet)
{
    const struct iovec piece = {(void *)(packet->bytes - packet->header_size),
                                packet->header_size + packet->size};
    return send_source(
        socket, &(struct send_source){
                    .pieces = &piece, .count = 1, .size = piece.iov_len, .buffer = packet->buffer});
}

int weir_send_owned(weir_socket socket, const void *bytes, size_t size,
                    void (*released)(void *data), void *data)
{
    const struct iovec piece = {(void *)bytes, size};
    struct weir_buffer *buffer = buffer_adopt(bytes, size, released, data);
    if (!buffer) {
        released(data);
        return error_say(-ENOMEM, "send: no memory to take over memory");
    }
    int result = send_source(
        socket,
        &(struct send_source){.pieces = &piece, .count = 1, .size = size, .buffer = buffer});
    buffer_release(buffer);
    return result;
}

static void close_file(void *fd)
{
    system_close((int)(intptr_t)fd);
}

int weir_send_file(weir_socket socket, int fd, uint64_t offset, size_t size)
{
    int own_fd = system_duplicate(fd);
    if (own_fd < 0)
        return error_say(own_fd, "send: descriptor %d: %s", fd, weir_format_error(own_fd));
    struct weir_buffer *file = buffer_adopt(NULL, 0, close_file, (void *)(intptr_t)own_fd);
    if (!file) {
        system_close(own_fd);
        return error_say(-ENOMEM, "send: no memory to send a file");
    }
    int result = send_source(
        socket,
        &(struct send_source){.size = size, .buffer = file, .fd = own_fd, .offset = offset});
    buffer_release(file);
    return result;
}

static void finish_send(struct call *call)
{
    weir_sent *sent = (weir_sent *)call->callback;
    if (sent)
        sent(call->socket, call->result, call->data);
    if (call->as.send.copy)
        buffer_release(call->as.send.copy);
    memory_free(call);
}

int weir_send_async(weir_socket socket, const void *bytes, size_t size, weir_sent *sent, void *data)
{
    if (!bytes && size > 0)
        return no_bytes();
    struct call *call = call_allocate();
    struct weir_buffer *copy = call ? buffer_allocate(size) : NULL;
    if (!copy) {
        memory_free(call);
        return error_say(-ENOMEM, "send: no memory for a copy");
    }
    if (size > 0)
        memcpy(copy->bytes, bytes, size);
    call->as.send.copy = copy;
    call->as.send.piece = (struct iovec){copy->bytes, size};
    call->as.send.source = (struct send_source){
        .pieces = &call->as.send.piece, .count = 1, .size = size, .buffer = copy};
    call->callback = (void (*)(void))sent;
    call->data = data;
    call->finish = finish_send;
    return call_make_async(&operation_send, socket, call);
}
