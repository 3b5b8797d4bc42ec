/* SPDX-License-Identifier: MIT */
/* setopts on a listener: what its connections start with. */
#ifndef RUNTIME_LISTENER_SET_OPTION_H
#define RUNTIME_LISTENER_SET_OPTION_H

#include "options/options.h"

struct scheduler;
struct slot;

/* The kind's `set_option`. */
int listener_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option);

#endif
