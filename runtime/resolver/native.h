/* SPDX-License-Identifier: MIT */
/*
 * The C library's own look-ups, which wait: on threads of a runtime's own, started when they are
 * needed. A thread that still waits when the runtime stops goes on for nobody and ends by itself.
 */
#ifndef RUNTIME_RESOLVER_NATIVE_H
#define RUNTIME_RESOLVER_NATIVE_H

#include "base/error.h"
#include "base/list.h"
#include "lookup/lookup.h"
#include "runtime/scheduler/inbox.h"

struct natives;
struct scheduler;

/* A question of a scheduler's. From the answer on it is the scheduler's again. */
struct native {
    struct inbox_node node; /* `node.run` runs on the scheduler when the answer is there */
    struct list link;
    struct natives *natives;
    struct scheduler *scheduler; /* which must not end before that */
    void *asker;                 /* NULL: nobody waits for it */
    enum lookup_kind kind;
    weir_address address;
    enum weir_family family;
    int result; /* 0 or an error, with this text */
    weir_hostent *hostent;
    char text[ERROR_TEXT_SIZE];
    char name[];
};

int natives_open(struct natives **natives);

/* Nobody asks any more, and whoever asked has been told or has forgotten. */
void natives_close(struct natives *natives);

/* Asks what a look-up is of; `answered` frees it. NULL: no memory, or no thread. */
struct native *native_ask(struct natives *natives, struct scheduler *scheduler,
                          const struct lookup *lookup, void *asker,
                          void (*answered)(struct scheduler *scheduler, struct inbox_node *node));

/* Its answer is not wanted any more. If it is on its way, `answered` finds no asker. */
void native_forget(struct native *native);

void native_free(struct native *native);

#endif
