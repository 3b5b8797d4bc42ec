/* SPDX-License-Identifier: MIT */
/*
 * Who owns a program's sockets: `a`, who plays its steps and opens them, and `b`, whom they may be
 * given to. They are two mailboxes, and a thread that plays; or two processes, as in Erlang.
 */
#ifndef DIFFERENTIAL_SOCKETS_OWNERS_H
#define DIFFERENTIAL_SOCKETS_OWNERS_H

#include <stdbool.h>
#include <stdio.h>
#include <weir/weir.h>

enum owner { OWNER_A, OWNER_B, OWNER_COUNT };

struct owners;

typedef void owners_work(void *data);

struct owners_kind {
    /* Does it beside the caller: a program from main, or a step from who plays. */
    void (*begin)(weir_runtime *runtime, owners_work *work, void *data);
    /* By who is to be `a`. */
    struct owners *(*open)(weir_runtime *runtime);
    void (*close)(struct owners *owners);
    /* Whom a socket that is opened is to belong to. What was opened beside `a` is given to it. */
    weir_owner (*opener)(const struct owners *owners);
    int (*adopt)(const struct owners *owners, weir_socket socket);
    bool (*is_gone)(const struct owners *owners, enum owner who);
    int (*give)(struct owners *owners, weir_socket socket, enum owner from, enum owner to);
    void (*kill_b)(struct owners *owners);
    /* The messages that have come. */
    void (*write_messages)(struct owners *owners, enum owner who, FILE *to, bool with_mode);
    /* Does what stops a thread, and comes back when it is done. */
    void (*await)(owners_work *work, void *data);
};

extern const struct owners_kind owners_mailboxes;
extern const struct owners_kind owners_processes;

#endif
