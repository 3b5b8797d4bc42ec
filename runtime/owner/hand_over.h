/* SPDX-License-Identifier: MIT */
/* controlling_process: what waits for the present owner of a socket goes to the next. */
#ifndef RUNTIME_OWNER_HAND_OVER_H
#define RUNTIME_OWNER_HAND_OVER_H

#include <weir/mailbox.h>
#include <weir/socket.h>

struct scheduler;
struct slot;

/* 1: something did; 0; or an error of owner_change, and nothing has changed. A handler is called
 * with what goes to it, and may do anything at any of these calls. Within one of them: 0, and a
 * handler is called with the rest when that one is over. */
int owner_hand_over(struct scheduler *scheduler, struct slot *slot, weir_owner next);

/* As owner_tell, but behind what is left of a handing over that is under way; without memory for
 * that at once. */
void owner_tell_behind(struct scheduler *scheduler, struct slot *slot, enum weir_message_kind kind);

#endif
