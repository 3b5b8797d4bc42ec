/* SPDX-License-Identifier: MIT */
#include "runtime/owner/hand_over.h"

#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/slot.h"

/* A handler may close the socket or hand it on at any of them. What it asks for comes behind. */
static void call_with_each(struct slot *slot, struct list *messages)
{
    struct list *node;
    while (slot_is_live(slot) && slot_handler(slot) && (node = list_take(messages))) {
        struct mailbox_node *entry = list_entry(node, struct mailbox_node, link);
        entry->message.packet.lent = true;
        owner_call_handler(slot_owner(slot), &entry->message);
        entry->message.packet.lent = false;
        mailbox_free_node(entry);
    }
    if (slot_is_live(slot) && slot->is_mailed)
        mailbox_put_all(slot->owner.mailbox, messages);
    mailbox_free_nodes(messages);
}

int owner_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next)
{
    struct list messages;
    list_init(&messages);
    int result = owner_change(scheduler, slot, next, &messages);
    bool any = !list_is_empty(&messages);
    if (any)
        call_with_each(slot, &messages);
    return result < 0 ? result : any;
}
