/* SPDX-License-Identifier: MIT */
/* setopts on a UDP socket, one option at a time. */
#ifndef RUNTIME_DATAGRAM_SET_OPTION_H
#define RUNTIME_DATAGRAM_SET_OPTION_H

#include "options/options.h"

struct datagram;
struct scheduler;
struct slot;

/* The kind's `set_option`. */
int datagram_set_option(struct scheduler *scheduler, struct slot *slot, const weir_option *option);

/* {active,_} of a new socket or of setopts: a count that is spent is told of. 0, or -EINVAL. */
int datagram_set_active(struct scheduler *scheduler, struct datagram *socket, int32_t wanted);

#endif
