/* SPDX-License-Identifier: MIT */
#include "runtime/process/monitor.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/owner/mailbox.h"

void monitors_init(struct monitors *monitors)
{
    *monitors = (struct monitors){.count = 0};
    list_init(&monitors->nodes);
}

static void drop(struct monitors *monitors, struct mailbox_node *node)
{
    list_remove(&node->link);
    monitors->count--;
    mailbox_release(node->mailbox);
    mailbox_free_node(node);
}

/* Those who watch come and go while a process lives on. Looked at when there are twice as many as
 * were left the last time, so that it costs each of them the same. */
static void drop_dead(struct monitors *monitors)
{
    enum { FEW = 8 };
    if (monitors->count < FEW || monitors->count < 2 * monitors->looked_through)
        return;
    for (struct list *link = monitors->nodes.next; link != &monitors->nodes;) {
        struct mailbox_node *node = list_entry(link, struct mailbox_node, link);
        link = link->next;
        if (mailbox_is_dead(node->mailbox))
            drop(monitors, node);
    }
    monitors->looked_through = monitors->count;
}

int monitors_add(struct monitors *monitors, const weir_message *message, weir_mailbox *mailbox)
{
    struct mailbox_node *node = memory_allocate_zeroed(1, sizeof(*node));
    if (!node)
        return error_say(-ENOMEM, "no memory for a monitor");
    drop_dead(monitors);
    node->message = *message;
    node->mailbox = mailbox;
    mailbox_keep(mailbox);
    list_append(&monitors->nodes, &node->link);
    monitors->count++;
    return 0;
}

void monitors_remove(struct monitors *monitors, const weir_mailbox *mailbox, const void *data)
{
    for (struct list *link = monitors->nodes.next; link != &monitors->nodes;) {
        struct mailbox_node *node = list_entry(link, struct mailbox_node, link);
        link = link->next;
        if (node->mailbox == mailbox && node->message.data == data)
            drop(monitors, node);
    }
}

void monitors_tell(struct monitors *monitors, int reason)
{
    struct list *link;
    while ((link = list_take(&monitors->nodes))) {
        struct mailbox_node *node = list_entry(link, struct mailbox_node, link);
        weir_mailbox *mailbox = node->mailbox;
        struct list one;
        list_init(&one);
        node->message.error = reason;
        list_append(&one, link);
        mailbox_put_all(mailbox, &one);
        mailbox_release(mailbox);
    }
    monitors->count = 0;
}
