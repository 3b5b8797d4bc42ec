/* SPDX-License-Identifier: MIT */
/*
 * Listeners: taking connections, for whoever waits in accept or for the owner of a service. The
 * scheduler of the listener alone touches what is here. At most one accept is armed at a time,
 * which holds the slot until its last completion; a descriptor that has been accepted is at once
 * somebody's: a connection's, an acceptor's, one in hand, one without its header, or one that is
 * kept, and so none is lost when a call times out, a mailbox dies or the listener closes. A
 * listener that drains closes by itself, behind the last connection that has come.
 */
#ifndef RUNTIME_LISTENER_ACCEPT_H
#define RUNTIME_LISTENER_ACCEPT_H

#include <stdbool.h>

#include "runtime/ring/ring.h"
#include "runtime/scheduler/call.h"
#include <weir/socket.h>

struct listener;
struct listening;
struct quota;
struct scheduler;
struct slot;

extern const struct call_operation operation_accept;

/* NULL: no memory. */
struct listening *listening_create(struct scheduler *scheduler, struct listener *listener);

/* It accepts as many as there are places. 0, or -ENOMEM. */
int accept_limit(struct scheduler *scheduler, struct listener *listener, struct quota *quota);

/* From now on every connection is the owner's. */
void accept_serve(struct scheduler *scheduler, struct listener *listener, weir_owner owner);

void accept_completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion);

/* Whether nothing more is wanted of an accept that is in flight. */
bool accept_is_cancelled(const struct slot *slot);

/* The kind's `cancel_calls`. */
int accept_cancel_calls(struct scheduler *scheduler, struct slot *slot, const void *data);

/* A mailbox has been destroyed: calls that would give it a connection get WEIR_BADARG. */
void accept_dismiss_dead(struct scheduler *scheduler, struct slot *slot);

/* The listener's part of closing: those who wait get WEIR_CLOSED. */
void accept_close(struct scheduler *scheduler, struct listener *listener);

/* Closes the listener once the connections that have come are handed over: those of a service, and
 * those that somebody waits for. */
void accept_drain(struct scheduler *scheduler, struct listener *listener);

/* As accept_drain, of one that another process goes on with. */
void accept_leave(struct scheduler *scheduler, struct listener *listener);

/* Gives back what a completion holds whose listener is gone. */
void accept_discard(struct scheduler *scheduler, const struct ring_completion *completion);

#endif
