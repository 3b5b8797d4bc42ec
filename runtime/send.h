/* SPDX-License-Identifier: MIT */
/* Sending: what is queued, when it goes to the kernel, and who has to wait. */
#ifndef RUNTIME_SEND_H
#define RUNTIME_SEND_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/ring.h"
#include <weir/socket.h>

struct scheduler;
struct socket;
struct call;
struct call_operation;

/* weir_send and weir_send_packet, as calls that may wait while the socket is busy. */
extern const struct call_operation operation_send;

/* What is sent: bytes, and the buffer that they lie in if they may be sent from there. */
struct send_source {
    const void *bytes;
    size_t size;
    struct weir_buffer *buffer; /* or NULL */
};

/* The handler's form: never waits. 0, -EAGAIN while busy, or an error. */
int send_now(struct scheduler *scheduler, struct socket *socket, const struct send_source *source);

void send_completed(struct scheduler *scheduler, struct socket *socket,
                    const struct ring_completion *completion);

/* Sockets that were written to since the last completion and do not delay their sends. */
void send_flush_corked(struct scheduler *scheduler);
/* Those that do, at the end of the turn. */
void send_flush_delayed(struct scheduler *scheduler);
/* Calls whose bytes the kernel has been offered: they have succeeded unless they failed. */
void send_settle_tried(struct scheduler *scheduler);

/* Hands what is queued to the kernel, unless an operation is in flight. */
void send_start(struct scheduler *scheduler, struct socket *socket);

/* Whether anything is queued or in flight. */
bool send_is_queued(const struct socket *socket);
size_t send_queued_bytes(const struct socket *socket);

/* Completes those who wait to send. */
void send_dismiss(struct scheduler *scheduler, struct socket *socket, int result);
/* Drops what is queued; cancels what is in flight. */
void send_drop(struct scheduler *scheduler, struct socket *socket);

/* shutdown(write): now, or when the queue is empty. 0, or the system's error. */
int send_shutdown(struct scheduler *scheduler, struct socket *socket, int how);

#endif
