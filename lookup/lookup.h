/* SPDX-License-Identifier: MIT */
/*
 * One look-up: the methods in their order, and for DNS the names to be asked for in theirs. Pure:
 * it says what is to be done, and is told how that went.
 */
#ifndef LOOKUP_LOOKUP_H
#define LOOKUP_LOOKUP_H

#include "lookup/cache.h"
#include "lookup/query.h"

/* What look-ups stand on. It may change between two steps. */
struct lookup_ground {
    const struct inet_config *config;
    const struct host_table *hosts_file; /* NULL: none */
    const struct text_list *search;
    const struct server_list *nameservers;
    struct cache *cache;
};

enum lookup_step {
    LOOKUP_ASK,    /* `ask` of `lookup->question`, of lookup->type */
    LOOKUP_WAIT,   /* come again at `until_ns` */
    LOOKUP_SYSTEM, /* ask the C library */
    LOOKUP_DONE,   /* `result` and `hostent` are there */
};

enum lookup_kind { LOOKUP_NAME, LOOKUP_ADDRESS };

struct lookup {
    enum lookup_kind kind;
    char *name;           /* LOOKUP_NAME: as it was asked for */
    weir_address address; /* LOOKUP_ADDRESS */
    enum weir_family family;
    struct lookup_list methods;
    size_t method; /* its index; beyond their end: it is settled */
    bool started;
    bool in_dns; /* questions of this method are under way */

    /* DNS: what is asked for, in this order. */
    struct text_list questions;
    size_t question;
    ns_type type;
    size_t with_alternatives; /* questions from the first that the alternative servers get too */
    bool alternative;
    struct query query;

    int result; /* 0 or an error */
    weir_hostent *hostent;
};

/* What a name or an address comes to. 0; -EINVAL; -ENOMEM. To be closed if 0. */
int lookup_open_name(struct lookup *lookup, const struct inet_config *config, const char *name,
                     enum weir_family family);
int lookup_open_address(struct lookup *lookup, const struct inet_config *config,
                        const weir_address *address);
void lookup_close(struct lookup *lookup);

/* From the beginning, by another configuration. */
void lookup_begin_again(struct lookup *lookup, const struct inet_config *config);

/* What to do now. */
enum lookup_step lookup_next(struct lookup *lookup, const struct lookup_ground *ground,
                             uint64_t now_ns, struct query_ask *ask, uint64_t *until_ns);

/* What came of LOOKUP_ASK: a message, or none for some reason. */
void lookup_answered(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns,
                     const void *bytes, size_t size, bool by_tcp);
void lookup_failed(struct lookup *lookup, const struct lookup_ground *ground, uint64_t now_ns,
                   enum query_outcome outcome);

/* What came of LOOKUP_SYSTEM: `hostent` is taken if `result` is 0. */
void lookup_system_answered(struct lookup *lookup, int result, weir_hostent *hostent);

const char *lookup_question(const struct lookup *lookup);

#endif
