/* SPDX-License-Identifier: MIT */
/* From a completion to the socket that it is for. */
#ifndef RUNTIME_SCHEDULER_DISPATCH_H
#define RUNTIME_SCHEDULER_DISPATCH_H

#include "runtime/ring/ring.h"

struct scheduler;

void dispatch(struct scheduler *scheduler, const struct ring_completion *completion);

#endif
