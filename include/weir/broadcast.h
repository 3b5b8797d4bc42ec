/* SPDX-License-Identifier: MIT */
/*
 * One message for many connections, on all schedulers: one call of each scheduler, and one copy of
 * the message in memory. It is not in the document, where a process sends to one after the other.
 */
#ifndef WEIR_BROADCAST_H
#define WEIR_BROADCAST_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/socket.h>

WEIR_BEGIN

/* How many connections a broadcast went to, and how many it left out. */
typedef struct weir_broadcast_counts {
    uint64_t sent;
    uint64_t busy;        /* left out: a send would have had to wait */
    uint64_t failed;      /* left out: a send that failed, of whatever reason */
    uint64_t reserved[5]; /* for figures to come; 0 */
} weir_broadcast_counts;

/* Whom a broadcast is for, and who is told of it. Each may be NULL. They are called from the turns
 * of schedulers, several at the same time. */
typedef struct weir_broadcast_plan {
    /* Whether an open connection is to have the message. NULL: every one is. `socket_data` is what
     * its handler's callbacks are given (NULL if its owner is no handler). It may do everything. */
    bool (*wants)(weir_socket socket, void *socket_data, void *data);
    /* Told of each that is left out: -EAGAIN of a busy one, of which no `unbusy` follows, else what
     * weir_send gives. It may do everything: send or close. */
    void (*left_out)(weir_socket socket, int error, void *socket_data, void *data);
    /* The last call, once, when every scheduler has gone through its connections, on the one that
     * was last. */
    void (*done)(const weir_broadcast_counts *counts, void *data);
    void *data;
    void (*reserved[5])(void); /* for callbacks to come; NULL */
} weir_broadcast_plan;

/*
 * Sends a message, framed as each of them has it, to the connections of a runtime that want it.
 * `plan` may be NULL: to all, and nobody is told.
 *
 * Each scheduler goes through its connections soon, at most 256 messages a turn, and what it has to
 * do beside comes in between. Connections that come meanwhile may be left out, each gets it once.
 * A connection gets messages that are broadcast by one thread, or on one scheduler, in that order;
 * what is sent to it by itself after this call may come before.
 *
 * The message is weir's from the call on, whatever its result: `released` is called once, as by
 * weir_send_owned. From 4 KiB on it is sent from where it lies, smaller ones are copied as those of
 * weir_send. Who does not read holds no more than {high_watermark,_} has it and one message, since
 * a busy connection is left out; each counts as its own in queued_bytes. weir_totals counts those
 * left out because they were busy (left_out).
 *
 * 0, -EINVAL (NULL bytes, or more than memory has), -ENOMEM or WEIR_CLOSED, with nothing sent and
 * nobody told. Any thread, any scheduler: it waits for nobody.
 */
WEIR_API int weir_broadcast(weir_runtime *runtime, const weir_owned_bytes *message,
                            const weir_broadcast_plan *plan) WEIR_CHECK_RESULT;

WEIR_END

#endif
