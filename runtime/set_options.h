/* SPDX-License-Identifier: MIT */
/* setopts on a socket of this scheduler. */
#ifndef RUNTIME_SET_OPTIONS_H
#define RUNTIME_SET_OPTIONS_H

#include "options/options.h"

struct scheduler;
struct slot;

/* The list has been checked. 0, -EINVAL, or -ENOMEM. */
int set_options(struct scheduler *scheduler, struct slot *slot, const weir_option *options);

#endif
