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

/* Calls whose bytes the kernel has been offered: they have succeeded unless they failed. */
void send_answer(struct scheduler *scheduler, struct stream *stream);
void send_answer_offered(struct scheduler *scheduler, struct task *task);

/* What is queued or in flight. */
size_t send_queued_bytes(const struct stream *stream);
/* Zero-copy sends that the kernel has not given a notice of. */
uint32_t send_notices(const struct stream *stream);

/* Completes those who wait until they may send; nobody is told `unbusy` any more. */
void send_dismiss(struct scheduler *scheduler, struct stream *stream, int result);
/* The same, and those who wait for what the kernel says. */
void send_dismiss_all(struct scheduler *scheduler, struct stream *stream, int result);
/* Drops what is queued; cancels what is in flight. */
void send_drop(struct scheduler *scheduler, struct stream *stream);
/* Gives up the queue of a socket that has ended. */
void send_free(struct scheduler *scheduler, struct stream *stream);
/* Gives up a queue that nobody needs. */
void send_free_if_idle(struct scheduler *scheduler, struct stream *stream);

/* shutdown(write), whatever is queued. 0, or the system's error. */
int send_shutdown_now(struct stream *stream);
/* shutdown(write), or of both sides: now, or when the queue is empty. 0, or the system's error. */
int send_shutdown(struct scheduler *scheduler, struct stream *stream, bool both);

/* The kernel would not send. */
void send_failed(struct scheduler *scheduler, struct stream *stream, int error);
/* What was promised cannot be sent, for a reason that is ours: the connection is broken off. */
void send_broken(struct scheduler *scheduler, struct stream *stream, int error);
/* The kernel has sent all that was queued. */
void send_emptied(struct scheduler *scheduler, struct stream *stream);

#endif
