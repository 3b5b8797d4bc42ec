/* SPDX-License-Identifier: MIT */
/* A connection: the kind of socket that it is. */
#ifndef RUNTIME_STREAM_STREAM_H
#define RUNTIME_STREAM_STREAM_H

#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/task.h"

extern const struct kind kind_stream;

enum stream_operation {
    STREAM_CONNECT = OPERATION_OF_KIND(KIND_STREAM, 0),
    STREAM_RECEIVE,
    STREAM_RECEIVE_INTO,
    STREAM_SEND,
    STREAM_READ,     /* a part of a file into memory */
    STREAM_WRITABLE, /* there may be room for sending */
};

/* It is a connection from now on. */
void stream_connected(struct scheduler *scheduler, struct socket *socket);

/* Tells the handlers of those that settled before the last turn that they are gone. */
void stream_tell_gone(struct scheduler *scheduler, struct task *task);

#endif
