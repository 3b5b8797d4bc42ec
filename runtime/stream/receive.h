/* SPDX-License-Identifier: MIT */
/* Getting bytes from the kernel: when a receive is armed, and what its completion brings. */
#ifndef RUNTIME_STREAM_RECEIVE_H
#define RUNTIME_STREAM_RECEIVE_H

#include <stdbool.h>

#include "runtime/ring/ring.h"

struct scheduler;
struct socket;

void receive_completed(struct scheduler *scheduler, struct socket *socket,
                       const struct ring_completion *completion);
void receive_into_completed(struct scheduler *scheduler, struct socket *socket,
                            const struct ring_completion *completion);

/* Makes what the kernel does agree with what the socket wants, after either has changed. */
void receive_update(struct scheduler *scheduler, struct socket *socket);

/* Ends receiving for good. */
void receive_stop(struct scheduler *scheduler, struct socket *socket);

/* Whether the kernel writes into the input block: its bytes may not go. */
bool receive_fills_input(const struct socket *socket);

/* Whether nothing more is wanted of a receive that is in flight. */
bool receive_is_cancelled(const struct socket *socket);
bool receive_into_is_cancelled(const struct socket *socket);

/* Buffers have come back: arms again those that found none, in the order that they did. */
void receive_resume_starved(struct scheduler *scheduler);
/* Whether another turn would arm more of them. */
bool receive_can_resume(const struct scheduler *scheduler);

/* Gives back what a completion holds whose socket is gone. */
void receive_discard(struct scheduler *scheduler, const struct ring_completion *completion);

#endif
