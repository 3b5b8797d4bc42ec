/* SPDX-License-Identifier: MIT */
/* Whether a listener's accept is armed. */
#ifndef RUNTIME_LISTENER_ARMING_H
#define RUNTIME_LISTENER_ARMING_H

#include <stdbool.h>

struct listener;
struct listening;
struct scheduler;

void arming_init(struct listening *listening);

/* Arms it when a connection is wanted, cancels it when none is. */
void arming_update(struct scheduler *scheduler, struct listener *listener);

/* It is armed again after a while, or when a descriptor is closed. */
void arming_pause(struct scheduler *scheduler, struct listener *listener, bool until_descriptors);

/* A call that waits, or a header that may come, is no more. */
void arming_look_again(struct listening *listening);

/* A pause is not to end by itself. */
void arming_forget_pause(struct listening *listening);

#endif
