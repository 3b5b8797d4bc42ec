/* SPDX-License-Identifier: MIT */
/* {active,_}: what a mode becomes when it is set, and when a message is handed out in it. */
#ifndef RUNTIME_SOCKET_ACTIVE_H
#define RUNTIME_SOCKET_ACTIVE_H

#include <stdbool.h>
#include <stdint.h>

/* N is added to a count that there is, and replaces any other mode. 0, or -EINVAL. */
int active_next(int32_t present, int32_t wanted, int32_t *next);

/* Whether nothing of it is left: the mode is false then. */
bool active_is_spent(int32_t active);

/* A message is about to be seen. Whether it is the last of a count, of which the owner is told. */
bool active_count_down(int32_t *active);

#endif
