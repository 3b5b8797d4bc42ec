/* SPDX-License-Identifier: MIT */
/* controlling_process: what waits for the present owner of a socket goes to the next. */
#ifndef RUNTIME_OWNER_HAND_OVER_H
#define RUNTIME_OWNER_HAND_OVER_H

#include <stdbool.h>
#include <weir/socket.h>

struct scheduler;
struct slot;

/* Whether anything did. A handler is called with it, and may do anything at any of these calls. */
bool owner_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next);

#endif
