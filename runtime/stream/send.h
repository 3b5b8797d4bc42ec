/* SPDX-License-Identifier: MIT */
/* Sending: what may be sent, who has to wait, and what becomes of it when it cannot be. */
#ifndef RUNTIME_STREAM_SEND_H
#define RUNTIME_STREAM_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/scheduler/call.h"
#include "runtime/send_queue/send_source.h"

struct scheduler;
struct stream;
struct weir_buffer;
struct task;

struct send_call {
    struct call call;
    struct send_source source;
    struct iovec piece;       /* CALL_ASYNC: what the source points to */
    struct weir_buffer *held; /* CALL_ASYNC: what the bytes lie in */
    bool crossed;             /* its bytes are queued, and brought it to the high mark */
};

static inline struct send_call *send_call_of(struct call *call)
{
    return list_entry(call, struct send_call, call);
}

/* Every way of sending, as a send_call that may wait while the socket is busy. */
extern const struct call_operation operation_send;

/* The handler's form: never waits. 0, -EAGAIN while busy, or an error. */
int send_now(struct scheduler *scheduler, struct stream *stream, const struct send_source *source);

/* shutdown(write), or of both sides: now, or when the queue is empty. 0, or the system's error. */
int send_shutdown(struct scheduler *scheduler, struct stream *stream, bool both);

#endif
