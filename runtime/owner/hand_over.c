/* SPDX-License-Identifier: MIT */
/*
 * A handler may do anything at each message that it is handed: close the socket, or hand it on. So
 * what is left for a socket is in one list, which whoever hands it on meanwhile takes over: into
 * the next mailbox at once, so that nothing newer overtakes it there, or to the next handler when
 * the present one's call has returned. Nothing is handed over within a handing over.
 */
#include "runtime/owner/hand_over.h"

#include <stddef.h>

#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

/* Lives for the call that hands over. */
struct handing {
    struct slot *slot;
    struct list messages; /* what is left */
    struct handing *outer;
};

static struct handing *under_way(const struct scheduler *scheduler, const struct slot *slot)
{
    struct handing *handing = scheduler->handing;
    while (handing && handing->slot != slot)
        handing = handing->outer;
    return handing;
}

void owner_tell_behind(struct scheduler *scheduler, struct slot *slot, enum weir_message_kind kind)
{
    struct handing *handing = under_way(scheduler, slot);
    bool waits = handing && !list_is_empty(&handing->messages);
    const weir_message message = {.kind = kind, .socket = slot_handle(scheduler, slot)};
    struct mailbox_node *node = waits ? mailbox_node_create(&message, NULL) : NULL;
    if (node)
        list_append(&handing->messages, &node->link);
    else
        owner_tell(scheduler, slot, kind, 0);
}

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
    mailbox_free_nodes(messages);
}

int owner_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next)
{
    struct handing *outer = under_way(scheduler, slot);
    if (outer)
        return owner_change(scheduler, slot, next, &outer->messages);
    struct handing handing = {.slot = slot, .outer = scheduler->handing};
    list_init(&handing.messages);
    int result = owner_change(scheduler, slot, next, &handing.messages);
    bool any = !list_is_empty(&handing.messages);
    scheduler->handing = &handing;
    if (any)
        call_with_each(slot, &handing.messages);
    scheduler->handing = handing.outer;
    return result < 0 ? result : any;
}
