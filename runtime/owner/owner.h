/* SPDX-License-Identifier: MIT */
/* Telling owners: a handler by its callbacks, a mailbox by messages. */
#ifndef RUNTIME_OWNER_OWNER_H
#define RUNTIME_OWNER_OWNER_H

#include "base/list.h"
#include <weir/mailbox.h>

struct scheduler;
struct socket;

/* 0, or -ENOMEM when a mailbox has no room. The packet is lent. */
int owner_tell_packet(struct scheduler *scheduler, struct socket *socket,
                      const weir_packet *packet);
void owner_tell(struct scheduler *scheduler, struct socket *socket, enum weir_message_kind kind,
                int error);
void owner_tell_gone(struct scheduler *scheduler, struct socket *socket);
void owner_tell_unbusy(struct scheduler *scheduler, struct socket *socket);

static inline bool owner_is_nobody(weir_owner owner)
{
    return !owner.handler && !owner.mailbox;
}

static inline bool owner_is(weir_owner a, weir_owner b)
{
    return a.handler == b.handler && a.data == b.data && a.mailbox == b.mailbox;
}

static inline bool owner_waits_for_gone(weir_owner owner)
{
    return owner.handler && owner.handler->gone;
}

/* For as long as a call waits that names it: a mailbox may be destroyed meanwhile. */
void owner_keep(weir_owner owner);
void owner_release(weir_owner owner);

/* A mailbox is kept by each socket that it owns. */
void owner_set(struct socket *socket, weir_owner owner);

/* Hands the waiting messages of the present owner on to the next. */
void owner_change(struct scheduler *scheduler, struct socket *socket, weir_owner next);

/* A mailbox is gone: closes its sockets, on every scheduler of the process. Waits for that. */
void owner_died(weir_mailbox *mailbox);

#endif
