/* SPDX-License-Identifier: MIT */
/*
 * How much of one socket waits in a mailbox. From {high_msgq_watermark,_} on the socket hands out
 * nothing, so that its peer has to wait, until threads have taken all but {low_msgq_watermark,_}.
 * Invariant: `full` is the scheduler's and holds still while it delivers; a thread that finds
 * `waits` and takes enough has the scheduler go on.
 */
#ifndef RUNTIME_OWNER_MSGQ_H
#define RUNTIME_OWNER_MSGQ_H

#include <stdatomic.h>
#include <stdbool.h>

#include "options/options.h"
#include "runtime/scheduler/inbox.h"
#include <weir/socket.h>

struct msgq {
    struct inbox_node node;
    weir_socket socket;
    atomic_size_t bytes;
    atomic_size_t low;
    atomic_bool waits; /* whoever clears it posts the node, or is the scheduler */
    bool full;
    atomic_uint refs; /* of the socket, its messages, and the node */
};

/* NULL: no memory. */
struct msgq *msgq_create(weir_socket socket);
void msgq_release(struct msgq *msgq);

/* What a packet counts as, with the message that it is in. */
size_t msgq_weight(const weir_packet *packet);

/* Scheduler: a message of that weight is about to be put into a mailbox. */
void msgq_enter(struct msgq *msgq, size_t weight, const struct option_values *values);
/* Any thread: it was taken out. */
void msgq_leave(struct msgq *msgq, size_t weight);

/* Scheduler: the marks have changed. */
void msgq_set_marks(struct msgq *msgq, const struct option_values *values);

static inline bool msgq_is_full(const struct msgq *msgq)
{
    return msgq->full;
}

#endif
