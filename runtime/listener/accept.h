/* SPDX-License-Identifier: MIT */
/*
 * Listeners: taking connections, for whoever waits in accept or for the owner of a service. The
 * scheduler of the listener alone touches what is here. At most one accept is armed at a time,
 * which holds the slot until its last completion; a descriptor that has been accepted is at once
 * somebody's: a connection's, an acceptor's, or one of the spares, and so none is lost when a call
 * times out, a mailbox dies or the listener closes. A listener that drains closes by itself, behind
 * the last connection that has come.
 */
#ifndef RUNTIME_LISTENER_ACCEPT_H
#define RUNTIME_LISTENER_ACCEPT_H

#include <stdbool.h>

#include "base/list.h"
#include "runtime/ring/ring.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/timer.h"
#include <weir/socket.h>

struct scheduler;
struct listener;
struct slot;

enum accepting {
    ACCEPTING_NOT,
    ACCEPTING,
    ACCEPTING_CANCELLED,
    ACCEPTING_PAUSED, /* no descriptor was to be had, or it fails over and over */
    ACCEPTING_ENDS,   /* cancelled by a drain: what it has accepted comes, then the rest */
    ACCEPTING_REST,   /* what is in the backlog, one after the other; then the listener closes */
    ACCEPTING_TAKEN,  /* the same of a local one, by a task */
};

struct listening {
    enum accepting accepting;
    bool serving;          /* every connection is for the owner, without being asked for */
    bool has_rivals;       /* others of the service accept from the same socket */
    bool inherited;        /* other processes may have the socket */
    bool leaves;           /* another process goes on with it */
    bool failed;           /* the last accept has */
    bool told_unusable;    /* a service's owner has been told so */
    struct list acceptors; /* calls that wait, in order */
    int *spare_fds;        /* accepted, or come back, when nobody waited any more; in order */
    uint32_t spare_count;
    uint32_t rest_count;   /* ACCEPTING_REST: connections to be accepted before it closes */
    struct timer retry;    /* ACCEPTING_PAUSED: this or the task ends it */
    struct task try_again; /* TASK_WITH_DESCRIPTORS */
    struct task take_rest; /* TASK_SOON */
    struct task give_up;   /* TASK_SUBMITTED: of what another process has */
    bool has_paused;       /* to the end of the pause, and not accepted since */
    struct scheduler *scheduler;
    struct listener *listener;
    weir_option *late;     /* options that accepted sockets lack */
    uint32_t late_count;   /* connections to come that lack those set since it listens */
    weir_socket *siblings; /* on the other schedulers; the first of a service has them */
    uint32_t sibling_count;
};

extern const struct call_operation operation_accept;

/* NULL: no memory. */
struct listening *listening_create(struct scheduler *scheduler, struct listener *listener);

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
