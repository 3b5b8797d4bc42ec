/* SPDX-License-Identifier: MIT */
#include "runtime/udp_send.h"

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

static int send_on_own(struct scheduler *here, weir_socket handle, const struct letter *letter)
{
    int result;
    struct slot *slot = call_find_socket(here, &operation_send_letter, handle, &result);
    error_clear_text();
    struct waiter *waiter = scheduler_set_waiter(here, NULL);
    if (slot)
        result = letter_send_now(here, datagram_of(slot), letter);
    (void)scheduler_set_waiter(here, waiter);
    return error_from("weir_udp_send", result);
}

/* A process waits for a busy socket. */
static bool has_to_wait(struct scheduler *here, weir_socket handle)
{
    struct slot *slot = here->waiter ? slot_find(here, handle) : NULL;
    return slot && slot->kind == KIND_DATAGRAM && departure_is_busy(datagram_of(slot));
}

/* On the socket's scheduler a plain function, elsewhere a call. */
static int udp_send(weir_socket handle, const struct letter *letter)
{
    struct scheduler *here = scheduler_current();
    call_begin();
    if (here && here->index == slot_scheduler(handle) && !has_to_wait(here, handle))
        return send_on_own(here, handle, letter);
    struct letter_call send = {.letter = *letter};
    return call_make(&operation_send_letter, handle, &send.call);
}

int udp_send_back(weir_socket socket, const weir_datagram *datagram, struct iovec bytes)
{
    bool local = datagram->local && datagram->local->size > 0;
    struct letter letter = {.to = local ? NULL : &datagram->source, .bytes = bytes};
    letter.local = local ? datagram->local : NULL;
    return udp_send(socket, &letter);
}

int weir_udp_send(weir_socket socket, const weir_address *to, const void *bytes, size_t size)
{
    int result = given_check(bytes, size);
    return result < 0
               ? result
               : udp_send(socket, &(struct letter){.to = to, .bytes = {(void *)bytes, size}});
}

static void finish_send(struct call *call)
{
    weir_sent *sent = (weir_sent *)call->callback;
    if (sent)
        sent(call->socket, call->result, call->data);
    buffer_release(letter_call_of(call)->held);
    memory_free(call);
}

static struct letter_call *copy_letter(const weir_address *to, const void *bytes, size_t size)
{
    struct letter_call *send = call_allocate(sizeof(*send));
    struct weir_buffer *held = send ? buffer_allocate(size) : NULL;
    if (!held) {
        memory_free(send);
        return NULL;
    }
    if (size > 0)
        memcpy(held->bytes, bytes, size);
    send->held = held;
    send->letter.bytes = (struct iovec){held->bytes, size};
    if (to) {
        send->to = *to;
        send->letter.to = &send->to;
    }
    return send;
}

int weir_udp_send_async(weir_socket socket, const weir_address *to, const void *bytes, size_t size,
                        weir_sent *sent, void *data)
{
    int result = given_check(bytes, size);
    if (result < 0)
        return result;
    struct letter_call *send = copy_letter(to, bytes, size);
    if (!send)
        return error_say(-ENOMEM, "send: no memory for a datagram");
    send->call.callback = (void (*)(void))sent;
    send->call.data = data;
    send->call.finish = finish_send;
    return call_make_async(&operation_send_letter, socket, &send->call);
}
