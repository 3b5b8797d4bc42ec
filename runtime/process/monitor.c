/* SPDX-License-Identifier: MIT */
#include "runtime/process/monitor.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/inbox.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

/* The mailbox frees it by its node. */
struct monitor {
    struct mailbox_node node;
    struct inbox_node inbox;
};

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
    struct monitor *monitor = memory_allocate_zeroed(1, sizeof(*monitor));
    if (!monitor)
        return error_say(-ENOMEM, "no memory for a monitor");
    drop_dead(monitors);
    monitor->node.message = *message;
    monitor->node.mailbox = mailbox;
    mailbox_keep(mailbox);
    list_append(&monitors->nodes, &monitor->node.link);
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

static void tell(struct monitor *monitor)
{
    weir_mailbox *mailbox = monitor->node.mailbox;
    struct list one;
    list_init(&one);
    list_append(&one, &monitor->node.link);
    mailbox_put_all(mailbox, &one);
    mailbox_release(mailbox);
}

static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    (void)scheduler;
    tell(list_entry(node, struct monitor, inbox));
}

/* To a process of another scheduler by the way that its posts take, so that it overtakes none. */
static void tell_in_order(struct monitor *monitor)
{
    int home = mailbox_home(monitor->node.mailbox);
    bool is_far = home >= 0 && (uint32_t)home != scheduler_current()->index;
    struct scheduler *there = is_far ? registry_enter((uint32_t)home) : NULL;
    if (!there) {
        tell(monitor);
        return;
    }
    monitor->inbox.run = arrive;
    inbox_post(&there->inbox, &monitor->inbox);
    registry_leave((uint32_t)home);
}

void monitors_tell(struct monitors *monitors, int reason)
{
    struct list *link;
    while ((link = list_take(&monitors->nodes))) {
        struct monitor *monitor = list_entry(link, struct monitor, node.link);
        monitor->node.message.error = reason;
        tell_in_order(monitor);
    }
    monitors->count = 0;
}
