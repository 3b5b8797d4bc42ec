/* SPDX-License-Identifier: MIT */
/* From the send queue to the kernel: one operation in flight per socket, always. */
#ifndef RUNTIME_STREAM_FLUSH_H
#define RUNTIME_STREAM_FLUSH_H

#include <stdbool.h>

#include "runtime/ring/ring.h"

struct scheduler;
struct slot;
struct stream;
struct task;

/* Something was queued: it leaves with all that is queued behind it until the present completion
 * is dealt with or, with {delay_send,true}, until the turn ends. */
void flush_schedule(struct scheduler *scheduler, struct stream *stream);
void flush_run(struct scheduler *scheduler, struct task *task);

/* Hands what is queued to the kernel, unless an operation is in flight or there was no room. */
void flush_start(struct scheduler *scheduler, struct stream *stream);
/* Whether nothing more is wanted of the operation in flight. */
bool flush_is_cancelled(const struct slot *slot);

/* There may be room again. */
void flush_writable(struct scheduler *scheduler, struct slot *slot,
                    const struct ring_completion *completion);
/* Sends what the kernel had no memory for. */
void flush_rested(struct scheduler *scheduler, struct task *task);

void flush_completed(struct scheduler *scheduler, struct slot *slot,
                     const struct ring_completion *completion);
/* A part of a file has been read, or could not be. */
void flush_read(struct scheduler *scheduler, struct slot *slot,
                const struct ring_completion *completion);

#endif
