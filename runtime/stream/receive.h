/* SPDX-License-Identifier: MIT */
/* Getting bytes from the kernel: when a receive is armed, and what its completion brings. */
#ifndef RUNTIME_STREAM_RECEIVE_H
#define RUNTIME_STREAM_RECEIVE_H

#include <stdbool.h>

#include "runtime/ring/ring.h"
#include "runtime/scheduler/kind.h"

struct scheduler;
struct slot;
struct stream;
struct task;

void receive_fetch(const struct slot *slot, enum fetch fetch);
void receive_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion);
void receive_into_completed(struct scheduler *scheduler, struct slot *slot,
                            const struct ring_completion *completion);
void receive_readable(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion);

/* Makes what the kernel does agree with what the socket wants, after either has changed. */
void receive_update(struct scheduler *scheduler, struct stream *stream);

/* It is open and its options are set. */
void receive_start(struct scheduler *scheduler, struct stream *stream);
/* After anything has changed: hands out what was kept, and the end if that is what comes next. */
void receive_go_on(struct scheduler *scheduler, struct stream *stream);
/* Those that were postponed hand out more of what they have. */
void receive_postponed(struct scheduler *scheduler, struct task *task);

/* Ends receiving for good. */
void receive_stop(struct scheduler *scheduler, struct stream *stream);

/* Whether nothing more is wanted of a receive that is in flight. */
bool receive_is_cancelled(const struct slot *slot);
bool receive_into_is_cancelled(const struct slot *slot);
bool receive_readable_is_cancelled(const struct slot *slot);

/* Arms what has come to want a receive in this turn, and those that found no buffer, in that order
 * if there are too few for all. */
void receive_feed(struct scheduler *scheduler, struct task *task);

/* Arms those for which the kernel had no memory. */
void receive_rested(struct scheduler *scheduler, struct task *task);

/* Gives back what a completion holds whose socket is gone. */
void receive_discard(struct scheduler *scheduler, const struct ring_completion *completion);

#endif
