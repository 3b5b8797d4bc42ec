/* SPDX-License-Identifier: MIT */
/*
 * One connection of the load, with the requests that are on their way on it in a ring, the oldest
 * first: replies come in that order. What ends it (the server, a time-out, a wrong reply) fails all
 * of them; then it connects anew.
 *
 * Datagrams are answered in any order or never. One that is answered out of turn stays in the ring
 * until all before it have left; a time-out takes the oldest alone, and what comes for it later is
 * nothing.
 */
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include "base/list.h"
#include "load/outcome.h"

#include <stdbool.h>
#include <stdint.h>
#include <weir/weir.h>

struct stamped;
struct traffic;

struct request {
    uint64_t planned_ns;
    uint64_t sent_ns;
    uint64_t number; /* of its connection */
    uint32_t size;
    bool is_measured;
    bool is_done; /* a datagram that is answered, behind one that is not */
};

enum connection_state {
    CONNECTION_DOWN, /* connects at the next tick, or with churn for the next request */
    CONNECTION_CONNECTING,
    CONNECTION_OPEN,
};

/* How far a reply has come. */
struct reply {
    uint64_t received; /* of an echo; of an HTTP body */
    uint64_t left;     /* HTTP: of the body or the chunk */
    uint32_t head_size;
    uint16_t status;
    uint8_t stage;
    bool is_last; /* the server closes behind it */
    char *head;   /* HTTP: what of the head, or of a line, has come */
};

struct connection {
    struct list link; /* of those with room, or of those that think */
    struct traffic *traffic;
    weir_socket socket;
    enum connection_state state;
    uint32_t index;
    uint64_t ready_ns; /* since when it has room */
    uint64_t number;   /* of the next request */
    uint64_t now_ns;   /* when the packet came that is looked at */
    uint32_t first, count;
    uint32_t late_count; /* datagrams that timed out, whose replies may still come */
    struct request *requests;
    struct stamped *stamped; /* a stream with --own-queue, else NULL */
    struct reply reply;
};

/* Starts to connect. Only while it is down. */
void connection_open(struct connection *connection);

/* Ends it: each request on its way fails so. Nothing when it is down. */
void connection_fail(struct connection *connection, enum outcome outcome);

/* The server has closed it: that ends a reply, or fails it. */
void connection_ended(struct connection *connection);

/* The time of its oldest request is up. */
void connection_expire(struct connection *connection, uint64_t now_ns);

/* Puts a request on its way. It has room for it. */
void connection_request(struct connection *connection, const struct request *request);

/* The request that has waited longest; NULL: there is none. */
const struct request *connection_oldest(const struct connection *connection);

/* For protocols: the request whose reply this is, in a packet. NULL: none was sent before it came.
 */
const struct request *connection_awaited(const struct connection *connection);

/* For protocols: the oldest request has got its whole reply. */
void connection_replied(struct connection *connection, enum outcome outcome);

/* The same of datagrams: the i-th that has been sent, NULL behind the last; it has got its reply,
 * which the kernel had at `received_ns` (since 1970; 0: not known); what came is no reply of any.
 */
const struct request *connection_on_its_way(const struct connection *connection, uint32_t i);
void connection_replied_to(struct connection *connection, uint32_t i, uint64_t received_ns);
void connection_answered_nothing(struct connection *connection);

#endif
