/* SPDX-License-Identifier: MIT */
/* controlling_process: a connection gets another owner, and that one the messages that wait. */
#ifndef RUNTIME_STREAM_HAND_OVER_H
#define RUNTIME_STREAM_HAND_OVER_H

#include <weir/socket.h>

struct scheduler;
struct slot;

/* The kind's `hand_over`. */
int stream_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next);

#endif
