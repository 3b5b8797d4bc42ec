/* SPDX-License-Identifier: MIT */
/* Messages for threads. A lock is fine here: a mailbox is where packets leave their core. */
#ifndef RUNTIME_OWNER_MAILBOX_H
#define RUNTIME_OWNER_MAILBOX_H

#include "base/list.h"
#include <weir/mailbox.h>

struct msgq;

struct mailbox_node {
    struct list link;
    struct list closed; /* WEIR_MESSAGE_CLOSED: in closed_messages.c */
    weir_mailbox *mailbox;
    struct msgq *msgq;
    weir_message message;
};

/* Every socket that it owns keeps a mailbox. */
void mailbox_keep(weir_mailbox *mailbox);
void mailbox_release(weir_mailbox *mailbox);
bool mailbox_is_dead(weir_mailbox *mailbox);

/* Takes the message and the packet in it. -ENOMEM: neither was taken. A dead mailbox drops it. In
 * `msgq` (may be NULL) it counts already, and does no more once it was taken out. */
int mailbox_put(weir_mailbox *mailbox, const weir_message *message, struct msgq *msgq);

/* Moves a socket's waiting messages, in order, to the end of `list`, as mailbox_nodes. */
void mailbox_extract(weir_mailbox *mailbox, weir_socket socket, struct list *list);
void mailbox_put_all(weir_mailbox *mailbox, struct list *list);

/* Somebody closes a socket, which may be dead: a `closed` that waits for its owner must not be seen
 * any more. Costs the same however many mailboxes there are. */
void mailbox_forget_closed(weir_socket socket);

/* Around a fork. The parent's are empty in the child, and answer WEIR_CLOSED. */
void mailboxes_lock_list(void);
void mailboxes_unlock_list(void);
void mailboxes_forget(void);

void mailbox_free_node(struct mailbox_node *node);
void mailbox_free_nodes(struct list *list);

#endif
