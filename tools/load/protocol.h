/* SPDX-License-Identifier: MIT */
/* How requests look and replies are checked: one row each. */
#ifndef LOAD_PROTOCOL_H
#define LOAD_PROTOCOL_H

#include "load/connection.h"
#include "load/plan.h"

struct protocol {
    enum target_scheme scheme;
    const char *name;                      /* TARGET_TCP: as --packet has it; else NULL */
    const char *options;                   /* of its sockets */
    size_t reply_bytes;                    /* memory for the replies of a connection */
    int (*begin)(const struct plan *plan); /* 0, or an exit status */
    void (*end)(void);
    /* 0, or the error of weir_send. */
    int (*send)(struct connection *connection, const struct request *request);
    /* Calls connection_replied for each reply that is whole, connection_fail for one that is none;
     * the connection may be down after either. */
    void (*take)(struct connection *connection, const weir_packet *packet);
    /* The server has closed: what a reply that ends by that is. NULL: nothing. */
    void (*take_end)(struct connection *connection);
    /* Datagrams: replies in any order, and one that is lost takes no other with it. */
    bool is_unordered;
};

/* NULL: there is none. */
const struct protocol *protocol_find(const struct plan *plan);

int echo_begin(const struct plan *plan);
void echo_end(void);
int echo_send(struct connection *connection, const struct request *request);
int echo_send_line(struct connection *connection, const struct request *request);
int echo_send_datagram(struct connection *connection, const struct request *request);
void echo_take_bytes(struct connection *connection, const weir_packet *packet);
void echo_take_packet(struct connection *connection, const weir_packet *packet);
void echo_take_line(struct connection *connection, const weir_packet *packet);
void echo_take_datagram(struct connection *connection, const weir_packet *packet);

enum { HTTP_HEAD_BYTES_MAX = 16384 };
int http_load_begin(const struct plan *plan);
void http_load_end(void);
int http_load_send(struct connection *connection, const struct request *request);
void http_load_take(struct connection *connection, const weir_packet *packet);
void http_load_take_end(struct connection *connection);

#endif
