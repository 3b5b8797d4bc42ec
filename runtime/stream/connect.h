/* SPDX-License-Identifier: MIT */
/*
 * Connecting: the addresses of a name in turn, until one answers or the time is up. The attempt is
 * the call's, and is freed with it. Each of its sockets is in `sockets` exactly while its connect
 * is in flight; the first that is connected takes the call, and the others are closed, whose
 * completions find no attempt any more.
 */
#ifndef RUNTIME_STREAM_CONNECT_H
#define RUNTIME_STREAM_CONNECT_H

#include "options/options.h"
#include "runtime/ring/ring.h"
#include "runtime/stream/open.h"
#include <sys/socket.h>
#include <weir/local.h>

enum { CONNECT_ADDRESSES_MAX = 16 };

/* An attempt to connect. */
struct connecting {
    struct option_setup setup;
    weir_option *options; /* of its own; the setup points into it */
    weir_address addresses[CONNECT_ADDRESSES_MAX];
    weir_local_address local; /* the address of that family */
    size_t address_count;
    size_t next; /* to be tried */
    /* Attempts that are on their way: one, unless {happy_eyeballs,_} wants others meanwhile. */
    struct stream *sockets[CONNECT_ADDRESSES_MAX];
    size_t socket_count;
    struct timer next_one; /* happy_eyeballs: when to begin another */
    struct scheduler *scheduler;
    struct call *call;
    int error;           /* of the last attempt */
    uint64_t runtime_id; /* whose options its setup points into */
};

/* Checks and copies what a connect needs; `defaults` must outlive it. 0, WEIR_BADARG, -ENOMEM. */
int connecting_create(struct connecting **connecting, const weir_option *defaults,
                      const weir_option *options);
void connecting_free(struct connecting *connecting);

/* An open_call without a socket, whose `connecting` is its maker's. */
extern const struct call_operation operation_connect;

void connect_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion);

/* Whether nothing more is wanted of a connect that is in flight. */
bool connect_is_cancelled(const struct slot *slot);

#endif
