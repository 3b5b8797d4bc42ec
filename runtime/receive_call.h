/* SPDX-License-Identifier: MIT */
/* Asking for a packet, of whatever kind of socket. */
#ifndef RUNTIME_RECEIVE_CALL_H
#define RUNTIME_RECEIVE_CALL_H

#include <stddef.h>
#include <stdint.h>
#include <weir/socket.h>

struct call_operation;

struct receive_answer {
    weir_received *received; /* may be NULL */
    void *data;
};

/* The operation is to put the packet into the call, kept. */
int receive_make(const struct call_operation *operation, weir_socket socket, size_t length,
                 int64_t timeout_ms, weir_packet *packet);
int receive_make_async(const struct call_operation *operation, weir_socket socket, size_t length,
                       int64_t timeout_ms, const struct receive_answer *answer);

#endif
