/* SPDX-License-Identifier: MIT */
/*
 * One question to a set of name servers: whom to ask next, and for how long. Pure: it says what is
 * to be done and is told how that went.
 *
 * In round i of `retry` each server is asked in turn, for timeout * 2^i / retry ms. What a server
 * says or does not say decides whether it is asked again in the next round.
 */
#ifndef LOOKUP_QUERY_H
#define LOOKUP_QUERY_H

#include "address/inet_config.h"

/* How asking a server went, other than by an answer that ends the question. */
enum query_outcome {
    OUTCOME_TIMEOUT,       /* no answer in time: again in the next round */
    OUTCOME_NO_SUCH_NAME,  /* ends the set of servers */
    OUTCOME_SERVER_FAILED, /* again in the next round, but not too soon */
    OUTCOME_MALFORMED,     /* it calls the question that; not again */
    OUTCOME_UNABLE,        /* it does not do that; not again */
    OUTCOME_NONSENSE,      /* its answer cannot be read; not again */
    OUTCOME_UNREACHABLE,   /* not again */
    OUTCOME_TRUNCATED,     /* again at once, by TCP */
    OUTCOME_NO_MEMORY,     /* ends the look-up */
};

enum query_step { QUERY_ASK, QUERY_WAIT, QUERY_OVER };

struct query_ask {
    weir_address server;
    bool tcp;
    bool edns;
    uint64_t timeout_ms;
};

struct query_server {
    weir_address address;
    uint64_t not_before_ns;
};

struct query {
    const struct inet_config *config;
    struct query_server servers[SERVERS_MAX]; /* of this round */
    size_t count;
    size_t kept; /* of those before `next`, which are asked again in the next round */
    size_t next;
    int64_t round;
    bool tcp;   /* the server of `next` is asked by TCP */
    bool plain; /* without EDNS */
    bool over;
    enum query_outcome reason; /* of the end */
};

void query_begin(struct query *query, const struct inet_config *config,
                 const struct server_list *servers);

/* What to do now: `ask`, or to come again at `*until_ns`, or nothing: it is over. */
enum query_step query_next(struct query *query, uint64_t now_ns, struct query_ask *ask,
                           uint64_t *until_ns);

/* What came of the last `ask`. */
void query_went(struct query *query, enum query_outcome outcome, uint64_t now_ns);

#endif
