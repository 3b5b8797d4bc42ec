/* SPDX-License-Identifier: MIT */
/* The last of a connection: its handler is told that it is gone, and its slot is free. */
#ifndef RUNTIME_STREAM_GONE_H
#define RUNTIME_STREAM_GONE_H

struct scheduler;
struct slot;
struct task;

/* The kind's `release`. */
void gone_release(struct scheduler *scheduler, struct slot *slot);

/* Tells the handlers of those that settled before the last turn. */
void gone_tell(struct scheduler *scheduler, struct task *task);

#endif
