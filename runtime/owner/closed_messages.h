/* SPDX-License-Identifier: MIT */
/*
 * The `closed` that wait in mailboxes, by their socket: who closes a socket finds the one that must
 * not be seen any more without looking into every mailbox. Each has a mailbox's lock before the
 * table's own.
 */
#ifndef RUNTIME_OWNER_CLOSED_MESSAGES_H
#define RUNTIME_OWNER_CLOSED_MESSAGES_H

#include <weir/mailbox.h>

struct mailbox_node;

/* With the lock of the node's mailbox. */
void closed_messages_add(struct mailbox_node *node);
void closed_messages_remove(struct mailbox_node *node);

/* A mailbox in which one of this socket waits, kept by `keep`; NULL: there is none. */
weir_mailbox *closed_messages_find(weir_socket socket, void (*keep)(weir_mailbox *mailbox));

/* With the mailbox's lock: one of this socket that waits there, out of the table; or NULL. */
struct mailbox_node *closed_messages_take(const weir_mailbox *mailbox, weir_socket socket);

/* In the child of a fork: all of them wait in the parent. */
void closed_messages_forget(void);

#endif
