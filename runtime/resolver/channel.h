/* SPDX-License-Identifier: MIT */
/*
 * Questions to one name server by one protocol, through a c-ares channel of one scheduler, which
 * alone touches it. c-ares matches answers to questions; when to ask again, and whom, is not left
 * to it.
 *
 * Two of its traps (1.18.1) shape this file. A channel must not be destroyed inside of its
 * callback: so nothing is done there but telling the asker, who must not ask or close then. And ids
 * are looked for until a free one is found: so a channel takes QUESTIONS_MAX at a time, and then
 * there is another.
 */
#ifndef RUNTIME_RESOLVER_CHANNEL_H
#define RUNTIME_RESOLVER_CHANNEL_H

#include "base/list.h"
#include "lookup/lookup.h"

struct scheduler;
struct channel;

/* What a channel is for. */
struct channel_key {
    weir_address server;
    bool tcp;
    bool edns;
};

struct channels {
    struct scheduler *scheduler;
    const struct inet_config *config;
    struct list list;
};

/* A question on its way. Its asker may forget it; then it is its channel's until it is over. */
struct asking {
    struct list link; /* on the asker's list of those that are not over */
    struct channel *channel;
    /* NULL: forgotten. `bytes` is NULL when there is no answer, for the reason `outcome`. */
    void (*told)(struct asking *asking, const void *bytes, size_t size, enum query_outcome outcome);
    void *asker;
    size_t question; /* for the asker to know it by, as these */
    uint64_t serial;
    bool tcp;
};

/* Asks, with a copy of `asking` on the asker's list; `told` is called once, maybe before this
 * returns. -ENOMEM: it is not called. */
int channels_ask(struct channels *channels, const struct channel_key *key, const char *name,
                 ns_type type, const struct asking *asking, struct list *asker);

/* The asker is not told any more. */
void asking_forget(struct asking *asking);

/* Ends everything; who asked is told that it was in vain. */
void channels_close(struct channels *channels);

#endif
