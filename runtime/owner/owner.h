/* SPDX-License-Identifier: MIT */
/* Telling owners: a handler by its callbacks, a mailbox by messages. */
#ifndef RUNTIME_OWNER_OWNER_H
#define RUNTIME_OWNER_OWNER_H

#include "base/list.h"
#include <weir/mailbox.h>

struct scheduler;
struct slot;

/* 0, or -ENOMEM when a mailbox has no room. The packet is lent. */
int owner_tell_packet(struct scheduler *scheduler, struct slot *slot, const weir_packet *packet);
void owner_tell(struct scheduler *scheduler, struct slot *slot, enum weir_message_kind kind,
                int error);
void owner_tell_unbusy(struct scheduler *scheduler, struct slot *slot);

static inline bool owner_is_nobody(weir_owner owner)
{
    return !owner.handler && !owner.mailbox;
}

/* A mailbox has no data of the application's: there a socket keeps its msgq. */
static inline bool owner_is(weir_owner a, weir_owner b)
{
    return a.handler == b.handler && a.mailbox == b.mailbox && (a.mailbox || a.data == b.data);
}

/* Whether so much waits in its mailbox that nothing more may be put there. */
bool owner_is_full(const struct slot *slot);
/* The marks may have changed. */
void owner_marks_changed(const struct slot *slot);

/* An owner that is nobody stands for the process that the caller is, if it is one. */
weir_owner owner_or_caller(weir_owner owner);

/* For as long as a call waits that names it: a mailbox may be destroyed meanwhile. */
void owner_keep(weir_owner owner);
void owner_release(weir_owner owner);

/* Whether messages still reach it: WEIR_BADARG when its mailbox is gone, or 0. */
int owner_check(weir_owner owner);

/* A mailbox is kept by each socket that it owns. */
void owner_set(struct slot *slot, weir_owner owner);

/* The waiting messages of the present owner go to the next; those that a handler is to be called
 * with are appended to `messages`. 0; WEIR_CLOSED: the present owner is a mailbox that is gone, and
 * the socket is about to be closed. */
int owner_change(struct scheduler *scheduler, struct slot *slot, weir_owner next,
                 struct list *messages);
void owner_call_handler(weir_owner owner, const weir_message *message);

/* A process on this scheduler is gone, and its mailbox with it: closes its sockets, here at once
 * and elsewhere soon. The mailbox is taken. */
void owner_process_died(struct scheduler *scheduler, weir_mailbox *mailbox);

#endif
