/* SPDX-License-Identifier: MIT */
/* gen_tcp:send. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "runtime/buffer.h"
#include "runtime/call.h"
#include "runtime/scheduler.h"
#include "runtime/send.h"
#include "runtime/socket.h"

/* The socket, if it is one of the scheduler that this runs on. */
static struct socket *own_socket(struct scheduler *here, weir_socket handle)
{
    return here && here->index == socket_scheduler(handle) ? socket_find(here, handle) : NULL;
}

static int send_from_here(struct scheduler *here, struct socket *socket,
                          const struct send_source *source)
{
    socket_hold(socket);
    int result = send_now(here, socket, source);
    socket_unhold(here, socket);
    return result;
}

int weir_send(weir_socket handle, const void *bytes, size_t size)
{
    struct scheduler *here = scheduler_current();
    struct socket *socket = own_socket(here, handle);
    if (socket)
        return send_from_here(here, socket, &(struct send_source){bytes, size, NULL});
    if (here && here->index == socket_scheduler(handle))
        return WEIR_CLOSED;
    struct call call = {.as.send = {.bytes = bytes, .size = size}};
    return call_make(&operation_send, handle, &call);
}

int weir_send_packet(weir_socket handle, const weir_packet *packet)
{
    struct scheduler *here = scheduler_current();
    struct socket *socket = own_socket(here, handle);
    if (socket)
        return send_from_here(here, socket,
                              &(struct send_source){packet->bytes - packet->header_size,
                                                    packet->size + packet->header_size,
                                                    packet->buffer});
    if (here && here->index == socket_scheduler(handle))
        return WEIR_CLOSED;
    struct call call = {.as.send.packet = packet};
    return call_make(&operation_send, handle, &call);
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
    struct call *call = call_allocate();
    if (!call)
        return -ENOMEM;
    call->as.send.copy = buffer_allocate(size);
    if (!call->as.send.copy) {
        memory_free(call);
        return -ENOMEM;
    }
    if (bytes && size > 0)
        memcpy(call->as.send.copy->bytes, bytes, size);
    call->as.send.bytes = bytes ? call->as.send.copy->bytes : NULL;
    call->as.send.size = size;
    call->callback = (void (*)(void))sent;
    call->data = data;
    call->finish = finish_send;
    return call_make_async(&operation_send, socket, call);
}
