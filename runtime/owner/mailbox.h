/* SPDX-License-Identifier: MIT */
/* Messages for threads. A lock is fine here: a mailbox is where packets leave their core. */
#ifndef RUNTIME_OWNER_MAILBOX_H
#define RUNTIME_OWNER_MAILBOX_H

#include "base/list.h"
#include "runtime/scheduler/inbox.h"
#include <weir/mailbox.h>

struct call;
struct msgq;
struct scheduler;

struct mailbox_node {
    struct list link;
    struct list closed; /* WEIR_MESSAGE_CLOSED: in closed_messages.c */
    weir_mailbox *mailbox;
    struct msgq *msgq;
    weir_message message;
};

/*
 * How a process waits for a mailbox, any of them. Whoever puts a message there takes the wait off
 * the mailbox's list and calls it to its scheduler, which looks whether the message is still there.
 * Invariant: MAIL_CALLED is ended by the process's scheduler alone, and no sooner than the
 * node has arrived; till then the wait stays in memory, whatever has become of its call.
 */
enum mail_state { MAIL_IDLE, MAIL_LISTENS, MAIL_CALLED };

struct mail_wait {
    struct list link; /* MAIL_LISTENS: on the mailbox's list, under its lock */
    enum mail_state state;
    struct scheduler *scheduler;
    struct call *call; /* that waits, or NULL */
    struct inbox_node node;
    void (*arrived)(struct mail_wait *wait); /* it was called, and that is over */
};

void mail_wait_init(struct mail_wait *wait, struct scheduler *scheduler,
                    void (*arrived)(struct mail_wait *wait));

/* A process's own mailbox: which sockets it owns is noted. `home` is the registry index of its
 * scheduler. */
int mailbox_create_for_process(weir_mailbox **mailbox, uint32_t home);

/* -1: it is no process's own. */
int mailbox_home(const weir_mailbox *mailbox);

/* It is gone: its messages are dropped, and so is what is put there from now on. */
void mailbox_end(weir_mailbox *mailbox);

/* The message that comes first. False: there is none, and the wait listens, unless it is called
 * already. */
bool mailbox_take_or_listen(weir_mailbox *mailbox, struct mail_wait *wait, weir_message *message);
void mailbox_listen_no_more(weir_mailbox *mailbox, struct mail_wait *wait);
/* Sleeps for one. */
int mailbox_receive_in_thread(weir_mailbox *mailbox, int64_t timeout_ms, weir_message *message);

/* A dead mailbox's round of the schedulers, to close what it owns there: of a process's. */
struct mailbox_round {
    struct inbox_node node;
    weir_mailbox *mailbox;
    uint32_t next; /* the registry index of the scheduler to go to */
    bool goes_on;
};
struct mailbox_round *mailbox_round_of(weir_mailbox *mailbox);
/* The scheduler to go to next; -1: the round is over. */
int mailbox_round_step(weir_mailbox *mailbox);

/* What a process owns is known by its mailbox. When that is dead already: the round that the caller
 * is to begin, with the mailbox kept; else NULL. */
struct mailbox_round *mailbox_note_owned(weir_mailbox *mailbox, weir_socket socket);
void mailbox_forget_owned(weir_mailbox *mailbox, weir_socket socket);
/* One of that scheduler's, which is noted no more; id 0: there is none. `unknown`: there was no
 * memory to note some. */
weir_socket mailbox_take_owned(weir_mailbox *mailbox, uint32_t scheduler, bool *unknown);

/* Takes the messages that `is_it` says are meant out of it, and drops them. */
void mailbox_drop(weir_mailbox *mailbox,
                  bool (*is_it)(const weir_message *message, const weir_message *like),
                  const weir_message *like);

/* Every socket that it owns keeps a mailbox. */
void mailbox_keep(weir_mailbox *mailbox);
void mailbox_release(weir_mailbox *mailbox);
bool mailbox_is_dead(weir_mailbox *mailbox);

/* 0; or `error`, having said why nobody can be told by it: it is gone, or the parent process's. */
int mailbox_check(weir_mailbox *mailbox, int error);

/* Takes the message and the packet in it. -ENOMEM: neither was taken. A dead mailbox drops it. In
 * `msgq` (may be NULL) it counts already, and does no more once it was taken out. */
int mailbox_put(weir_mailbox *mailbox, const weir_message *message, struct msgq *msgq);

/* Moves a socket's waiting messages, in order, to the end of `list`, as mailbox_nodes. False: the
 * mailbox is gone, and what it was told since it went is lost. */
bool mailbox_extract(weir_mailbox *mailbox, weir_socket socket, struct list *list);
void mailbox_put_all(weir_mailbox *mailbox, struct list *list);

/* Somebody closes a socket, which may be dead: a `closed` that waits for its owner must not be seen
 * any more. Costs the same however many mailboxes there are. */
void mailbox_forget_closed(weir_socket socket);

/* Around a fork. The parent's are empty in the child, and answer WEIR_CLOSED. */
void mailboxes_lock_list(void);
void mailboxes_unlock_list(void);
void mailboxes_forget(void);

/* What mailbox_put puts; NULL: no memory. */
struct mailbox_node *mailbox_node_create(const weir_message *message, struct msgq *msgq);
void mailbox_free_node(struct mailbox_node *node);
void mailbox_free_nodes(struct list *list);

#endif
