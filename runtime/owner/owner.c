/* SPDX-License-Identifier: MIT */
#include "runtime/owner/owner.h"

#include "base/canary.h"
#include "base/check.h"
#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/socket.h"
#include "runtime/stream/delivery.h"

void owner_keep(weir_owner owner)
{
    if (owner.mailbox)
        mailbox_keep(owner.mailbox);
}

void owner_release(weir_owner owner)
{
    if (owner.mailbox)
        mailbox_release(owner.mailbox);
}

void owner_set(struct socket *socket, weir_owner owner)
{
    if (owner.mailbox)
        mailbox_keep(owner.mailbox);
    if (socket->owner.mailbox)
        mailbox_release(socket->owner.mailbox);
    socket->owner = owner;
}

static int post_packet(weir_mailbox *mailbox, weir_socket handle, const weir_packet *packet)
{
    weir_message message = {.kind = WEIR_MESSAGE_DATA, .socket = handle};
    int result = weir_packet_keep(packet, &message.packet);
    if (result < 0)
        return result;
    result = mailbox_put(mailbox, &message);
    if (result < 0)
        weir_packet_release(&message.packet);
    return result;
}

int owner_tell_packet(struct scheduler *scheduler, struct socket *socket, const weir_packet *packet)
{
    weir_socket handle = socket_handle(scheduler, socket);
    const weir_handler *handler = socket->owner.handler;
    if (handler) {
        if (handler->packet)
            handler->packet(handle, packet, socket->owner.data);
        return 0;
    }
    return socket->owner.mailbox ? post_packet(socket->owner.mailbox, handle, packet) : 0;
}

static void call_handler(weir_owner owner, const weir_message *message)
{
    const weir_handler *handler = owner.handler;
    switch (message->kind) {
    case WEIR_MESSAGE_DATA:
        if (handler->packet)
            handler->packet(message->socket, &message->packet, owner.data);
        break;
    case WEIR_MESSAGE_ACCEPTED:
        if (handler->accepted)
            handler->accepted(message->socket, owner.data);
        break;
    case WEIR_MESSAGE_PASSIVE:
        if (handler->passive)
            handler->passive(message->socket, owner.data);
        break;
    case WEIR_MESSAGE_ERROR:
        if (handler->error)
            handler->error(message->socket, message->error, owner.data);
        break;
    case WEIR_MESSAGE_CLOSED:
        if (handler->closed)
            handler->closed(message->socket, owner.data);
        break;
    case WEIR_MESSAGE_USER: /* which mailboxes alone get */
        break;
    }
}

/* A mailbox without memory for the smallest message loses it: the socket's state still says the
 * same to whoever asks. */
void owner_tell(struct scheduler *scheduler, struct socket *socket, enum weir_message_kind kind,
                int error)
{
    weir_message message = {
        .kind = kind,
        .socket = socket_handle(scheduler, socket),
        .error = error,
    };
    if (socket->owner.handler)
        call_handler(socket->owner, &message);
    else if (socket->owner.mailbox)
        (void)mailbox_put(socket->owner.mailbox, &message);
}

void owner_tell_unbusy(struct scheduler *scheduler, struct socket *socket)
{
    const weir_handler *handler = socket->owner.handler;
    if (handler && handler->unbusy)
        handler->unbusy(socket_handle(scheduler, socket), socket->owner.data);
}

void owner_tell_gone(struct scheduler *scheduler, struct socket *socket)
{
    socket->owner.handler->gone(socket_handle(scheduler, socket), socket->owner.data);
}

static void free_messages(struct list *messages)
{
    struct list *node;
    while ((node = list_take(messages)))
        mailbox_free_node(list_entry(node, struct mailbox_node, link));
}

/* A handler may close the socket or hand it on at any of them. What it asks for comes behind. */
static void call_with_each(struct scheduler *scheduler, struct socket *socket,
                           struct list *messages)
{
    bool delivering = socket->delivering;
    struct list *node;
    socket->delivering = true;
    while (socket_is_stream(socket) && socket->owner.handler && (node = list_take(messages))) {
        struct mailbox_node *entry = list_entry(node, struct mailbox_node, link);
        call_handler(socket->owner, &entry->message);
        mailbox_free_node(entry);
    }
    socket->delivering = delivering;
    if (socket_is_stream(socket) && socket->owner.mailbox)
        mailbox_put_all(socket->owner.mailbox, messages);
    free_messages(messages);
    delivery_continue(scheduler, socket);
}

void owner_change(struct scheduler *scheduler, struct socket *socket, weir_owner next)
{
    struct list messages;
    list_init(&messages);
    if (socket->owner.mailbox && !CANARY(LEFT_BEHIND))
        mailbox_extract(socket->owner.mailbox, socket_handle(scheduler, socket), &messages);
    owner_set(socket, next);
    if (next.mailbox)
        mailbox_put_all(next.mailbox, &messages);
    else if (!list_is_empty(&messages))
        call_with_each(scheduler, socket, &messages);
}

struct death {
    struct call call;
    weir_mailbox *mailbox;
};

static int close_owned(struct scheduler *scheduler, struct socket *unused, struct call *call)
{
    (void)unused;
    weir_mailbox *mailbox = list_entry(call, struct death, call)->mailbox;
    for (uint32_t slot = 0; slot < socket_table_size(&scheduler->sockets); slot++) {
        struct socket *socket = socket_table_at(&scheduler->sockets, slot);
        if (socket->owner.mailbox == mailbox)
            socket_end(scheduler, socket, END_OWNER_DIED);
    }
    return 0;
}

static const struct call_operation operation_owner_died = {
    .name = "weir_mailbox_destroy",
    .run = close_owned,
};

void owner_died(weir_mailbox *mailbox)
{
    for (uint32_t index = 0; index < REGISTRY_CAPACITY; index++) {
        struct death death = {.mailbox = mailbox};
        (void)call_make_on(&operation_owner_died, index, &death.call);
    }
}
