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

/* {active,_} of a new socket or of setopts. 0, OPTION_SPENT, or -EINVAL. */
int datagram_set_active(struct datagram *socket, int32_t wanted);

/* The kind's `tell_passive`. */
void datagram_tell_passive(struct scheduler *scheduler, struct slot *slot);

#endif
