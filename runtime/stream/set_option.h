/* SPDX-License-Identifier: MIT */
/* setopts on a connection, one option at a time. */
#ifndef RUNTIME_STREAM_SET_OPTION_H
#define RUNTIME_STREAM_SET_OPTION_H

#include "options/options.h"

struct scheduler;
struct slot;

/* The kind's `set_option`. */
int stream_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option);
/* Its `tell_passive`. */
void stream_tell_passive(struct scheduler *scheduler, struct slot *slot);
/* Its `changed`. */
void stream_changed(struct scheduler *scheduler, struct slot *slot);

#endif
