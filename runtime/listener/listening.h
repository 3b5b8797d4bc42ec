/* SPDX-License-Identifier: MIT */
/* What a listener has beside its slot while it is open. */
#ifndef RUNTIME_LISTENER_LISTENING_H
#define RUNTIME_LISTENER_LISTENING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "runtime/scheduler/quota.h"
#include "runtime/scheduler/task.h"
#include "runtime/scheduler/timer.h"
#include <weir/socket.h>

struct listener;
struct scheduler;

enum accepting {
    ACCEPTING_NOT,
    ACCEPTING,
    ACCEPTING_CANCELLED,
    ACCEPTING_FULL,    /* has one in hand, and waits for a place: {max_connections,_} */
    ACCEPTING_PAUSED,  /* no descriptor was to be had, or it fails over and over */
    ACCEPTING_ENDS,    /* cancelled by a drain: what it has accepted comes, then the rest */
    ACCEPTING_REST,    /* what is in the backlog, one after the other; then the listener closes */
    ACCEPTING_TAKEN,   /* the same of a local one, by a task */
    ACCEPTING_HEADERS, /* no more; somebody waits for one whose header may come */
};

struct listening {
    enum accepting accepting;
    bool serving;           /* every connection is for the owner, without being asked for */
    bool has_rivals;        /* others of the service accept from the same socket */
    bool inherited;         /* other processes may have the socket */
    bool leaves;            /* another process goes on with it */
    bool failed;            /* the last accept has */
    bool told_unusable;     /* a service's owner has been told so */
    struct list acceptors;  /* calls that wait, in order */
    struct list kept;       /* accepted, or come back, when nobody waited any more; in order */
    int in_hand;            /* ACCEPTING_FULL: accepted, and without a place; or -1 */
    uint32_t rest_count;    /* ACCEPTING_REST: connections to be accepted before it closes */
    struct timer retry;     /* ACCEPTING_PAUSED: this or the task ends it */
    struct task try_again;  /* TASK_WITH_DESCRIPTORS */
    struct task take_rest;  /* TASK_SOON */
    struct task give_up;    /* TASK_SUBMITTED: of what another process has */
    struct task let_in;     /* TASK_SOON: what a listener that ends has in hand */
    struct task look_again; /* TASK_SOON: at what ACCEPTING_HEADERS waits for */
    bool has_paused;        /* to the end of the pause, and not accepted since */
    struct scheduler *scheduler;
    struct listener *listener;
    weir_option *late;     /* options that accepted sockets lack */
    uint32_t late_count;   /* connections to come that lack those set since it listens */
    weir_socket *siblings; /* on the other schedulers; the first of a service has them */
    uint32_t sibling_count;
    struct quota_queuer *queuer; /* {max_connections,_}; NULL: there is no limit */
    uint32_t proxy_timeout_ms;   /* until when a header has to be there; 0: there is none */
    struct list incoming;        /* connections whose header has not come */
};

static inline struct quota *listening_quota(const struct listening *listening)
{
    return listening->queuer ? listening->queuer->quota : NULL;
}

/* Whether it accepts the last that it will. */
static inline bool listening_ends(const struct listening *listening)
{
    return listening->accepting == ACCEPTING_ENDS || listening->accepting == ACCEPTING_REST ||
           listening->accepting == ACCEPTING_TAKEN;
}

#endif
