/* SPDX-License-Identifier: MIT */
#include "runtime/stream/hand_over.h"

#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/stream.h"

/* A handler may close the socket or hand it on at any of them. What it asks for comes behind. */
static void call_with_each(struct scheduler *scheduler, struct stream *socket,
                           struct list *messages)
{
    bool delivering = socket->delivering;
    struct list *node;
    socket->delivering = true;
    while (stream_is_live(socket) && socket->slot.owner.handler && (node = list_take(messages))) {
        struct mailbox_node *entry = list_entry(node, struct mailbox_node, link);
        entry->message.packet.lent = true;
        owner_call_handler(socket->slot.owner, &entry->message);
        entry->message.packet.lent = false;
        mailbox_free_node(entry);
    }
    socket->delivering = delivering;
    if (stream_is_live(socket) && socket->slot.owner.mailbox)
        mailbox_put_all(socket->slot.owner.mailbox, messages);
    mailbox_free_nodes(messages);
    delivery_continue(scheduler, socket);
}

void hand_over(struct scheduler *scheduler, struct stream *socket, weir_owner next)
{
    struct list messages;
    list_init(&messages);
    owner_change(scheduler, &socket->slot, next, &messages);
    if (!list_is_empty(&messages))
        call_with_each(scheduler, socket, &messages);
}
