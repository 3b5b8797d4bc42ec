/* SPDX-License-Identifier: MIT */
/* Waiting for room to send. */
#ifndef RUNTIME_STREAM_WRITABLE_H
#define RUNTIME_STREAM_WRITABLE_H

#include <stdbool.h>

#include "runtime/ring/ring.h"

struct scheduler;
struct slot;
struct stream;

/* From now on the socket's queue is let go on whenever there may be room. */
void writable_watch(struct scheduler *scheduler, struct stream *stream);
/* Whether that may be so now. */
bool writable_told(struct stream *stream, const struct ring_completion *completion);

/* The descriptor is to be closed. */
void writable_stop(struct scheduler *scheduler, struct stream *stream);
/* Whether nothing more is wanted of the operation in flight. */
bool writable_is_cancelled(const struct slot *slot);

#endif
