/* SPDX-License-Identifier: MIT */
/*
 * A call that somebody makes on a socket of another scheduler, and what the model has to know of it
 * at the moment that it is run: a note, which goes into that scheduler's inbox right before it.
 */
#ifndef SIM_ERRAND_H
#define SIM_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/scheduler/inbox.h"
#include "sim/model.h"
#include "sim/post.h"
#include "sim/udp_act.h"

struct pending;
struct errand;
struct udp_view;

/* `conn` is NULL when the handle is dead by now. */
typedef void errand_note(struct errand *errand, struct conn *conn);
typedef void errand_udp_note(struct errand *errand, struct udp_view *view);

struct errand {
    struct inbox_node node;
    errand_note *note;
    errand_udp_note *udp_note; /* instead */
    uint32_t link;
    uint32_t link_serial;
    weir_socket handle;
    struct pending *pending;
    const weir_option *options;
    struct udp_sending sending; /* a datagram */
    const uint8_t *bytes;
    struct named_owner from;
    struct named_owner to;
    int expected; /* the call's result */
    bool is_here; /* a process's, on the socket's own scheduler: nothing is posted */
};

void errand_reset(void);

/* The next call has this note. */
void errand_begin(struct errand *errand, struct conn *conn, errand_note *note);

void errand_begin_udp(struct errand *errand, struct udp_view *view, errand_udp_note *note);

/* One for a call that is not waited for: it comes back by itself. NULL: too many are under way. */
struct errand *errand_take(void);
void errand_give_back(const struct errand *errand);

/* The call has returned. False: it has not been posted, and there will be no note. */
bool errand_end(void);

/* Whether somebody has found a scheduler, and has yet to post something to it. */
bool errand_is_posting(void);

#endif
