/* SPDX-License-Identifier: MIT */
/* Looking names up without holding up a scheduler: one thread, started by the first who asks. */
#ifndef RUNTIME_RESOLVER_RESOLVER_H
#define RUNTIME_RESOLVER_RESOLVER_H

#include "base/list.h"
#include "runtime/scheduler/inbox.h"
#include <weir/address.h>

struct resolver;
struct scheduler;

enum { RESOLUTION_HOST_SIZE = 256 };

struct resolution {
    struct inbox_node node; /* `node.run` runs on the scheduler when the answer is there */
    struct list link;
    struct scheduler *scheduler; /* which must not end before that */
    char host[RESOLUTION_HOST_SIZE];
    enum weir_family family;
    weir_address *addresses;
    size_t capacity;
    int result; /* how many addresses, or an error */
};

int resolver_open(struct resolver **resolver);

/* Waits for the look-up that is under way; those behind it, and any later, get WEIR_CLOSED. */
void resolver_stop(struct resolver *resolver);
/* Stops and frees: nobody can ask any more. */
void resolver_close(struct resolver *resolver);

/* 0, or an error: then there will be no answer. */
int resolver_ask(struct resolver *resolver, struct resolution *resolution);

#endif
