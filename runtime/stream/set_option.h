/* SPDX-License-Identifier: MIT */
/* setopts on a connection, one option at a time. */
#ifndef RUNTIME_STREAM_SET_OPTION_H
#define RUNTIME_STREAM_SET_OPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "options/options.h"

struct scheduler;
struct slot;

/* {active,_}: N is added to a count that there is, and replaces any other mode. 0, or -EINVAL. */
int active_next(int32_t present, int32_t wanted, int32_t *next);
/* Whether nothing of it is left: the mode is false then. */
bool active_is_spent(int32_t active);

/* The kind's `set_option`. */
int stream_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option);
/* Its `changed`. */
void stream_changed(struct scheduler *scheduler, struct slot *slot);

#endif
