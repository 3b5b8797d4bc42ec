/* SPDX-License-Identifier: MIT */
/*
 * Kinds of sockets. A scheduler knows sockets by this table alone: what a connection or a listener
 * is, is a row that its folder has, and runtime/kinds.c lists the rows. A number is the kind's
 * place in that list and part of each of its operations' user_data.
 */
#ifndef RUNTIME_SCHEDULER_KIND_H
#define RUNTIME_SCHEDULER_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "options/options.h"
#include "runtime/ring/operation.h"
#include "runtime/ring/ring.h"
#include <weir/socket.h>

struct call;
struct scheduler;
struct slot;

enum kind_number {
    KIND_NONE, /* a free slot; and the scheduler's own operations */
    KIND_STREAM,
    KIND_LISTENER,
    KIND_WATCH,
    KIND_RESOLVER,
    KIND_DATAGRAM,
    KIND_PROCESS,
    KIND_INCOMING,
    KIND_COUNT
};

_Static_assert((int)KIND_COUNT <= (int)OPERATION_KINDS_MAX, "a kind is three bits of user_data");

/* Why a socket is to end. */
enum ending {
    END_CLOSED,     /* its owner closes it */
    END_OWNER_DIED, /* its owner is gone */
    END_DRAIN,      /* the runtime takes no more connections: what has some stays */
    END_STOP,       /* the runtime stops */
    END_ABORT,      /* the same, and has waited long enough for what is queued */
};

/* An option is set, and with it {active,N} is at an end. */
enum { OPTION_SPENT = 1 };

/* What lies beside a slot: the call that waits for the operation, then who waits for the call. */
enum fetch { FETCH_CALL, FETCH_WAITER };

struct kind_operation {
    void (*completed)(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion);
    /* Whether nothing more is wanted of one that is in flight: a cancel that missed is repeated. */
    bool (*is_unwanted)(const struct slot *slot);
    /* Gives back what a completion brought whose socket is gone. NULL: nothing. */
    void (*discard)(struct scheduler *scheduler, const struct ring_completion *completion);
    /* Has it fetched into the near caches, a little before it is needed. NULL: not worth it. */
    void (*fetch)(const struct slot *slot, enum fetch fetch);
};

struct kind {
    const char *name;
    bool is_inner;    /* no socket of anybody's: a drain does not wait for it */
    bool has_packets; /* for their owner: weir_each_socket visits it, `gone` is told of it */
    struct kind_operation operations[OPERATIONS_PER_KIND_MAX];
    /* What its sockets on one scheduler have in common; NULL, both: nothing. 0, or -ENOMEM. */
    int (*open)(struct scheduler *scheduler, void **state);
    void (*shut)(void *state);
    void (*end)(struct scheduler *scheduler, struct slot *slot, enum ending ending);
    /* Whether a drain does not wait for it. NULL: it does. */
    bool (*outlasts_drain)(const struct slot *slot);
    /* Its owner's close: ends it. CALL_WAITS: the call is on its `link` until it is to be answered;
     * NULL: nobody's call can close it. */
    int (*close)(struct scheduler *scheduler, struct slot *slot, struct call *call);
    /* weir_cancel: ends the _async calls on it with this data. How many; NULL as for `close`. */
    int (*cancel_calls)(struct scheduler *scheduler, struct slot *slot, const void *data);
    /* A mailbox is dead that is not its owner's: calls that wait may name it. NULL: none can. */
    void (*lose_mailbox)(struct scheduler *scheduler, struct slot *slot);
    /* Asked of dying sockets: whether nothing stands in the way of giving up the descriptor. It
     * cancels what does. NULL: whether nothing is pending. */
    bool (*settled)(struct scheduler *scheduler, struct slot *slot);
    /* False: not yet; it is asked for again when an operation is over. NULL: it is closed. */
    bool (*give_up_descriptor)(struct scheduler *scheduler, struct slot *slot);
    /* Gives back what it has beside the slot, which is about to be free. NULL: it has nothing. */
    void (*release)(struct scheduler *scheduler, struct slot *slot);
    /* 0, OPTION_SPENT, or an error with nothing set. The socket is live. */
    int (*set_option)(struct scheduler *scheduler, struct slot *slot, const weir_option *option);
    /* After OPTION_SPENT: its owner is told that it is passive. NULL: there is no such option. */
    void (*tell_passive)(struct scheduler *scheduler, struct slot *slot);
    /* getopts: what it has beside its option values, and whose options they are. NULL: nothing. */
    enum option_scope (*get_options)(const struct slot *slot, struct option_source *source);
    /* How many others there are of the service whose first this is, and which. NULL: none. */
    uint32_t (*siblings)(const struct slot *slot, const weir_socket **siblings);
    /* getstat. NULL: it has sent and received nothing. */
    void (*get_statistics)(const struct slot *slot, weir_statistics *statistics);
    /* What waits for its present owner goes to the next. Less than 0: an error, and it stays. NULL:
     * it has none to be changed. */
    int (*hand_over)(struct scheduler *scheduler, struct slot *slot, weir_owner next);
    /* Its owner or its options are others: it goes on. NULL: that is nothing to it. */
    void (*changed)(struct scheduler *scheduler, struct slot *slot);
};

#endif
