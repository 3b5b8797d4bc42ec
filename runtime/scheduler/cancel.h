/* SPDX-License-Identifier: MIT */
/* Ends an operation in flight, and sees to it that it does end. */
#ifndef RUNTIME_SCHEDULER_CANCEL_H
#define RUNTIME_SCHEDULER_CANCEL_H

#include "runtime/ring/operation.h"
#include "runtime/ring/ring.h"

struct scheduler;
struct slot;

void cancel_start(struct scheduler *scheduler, struct slot *slot, uint32_t operation);

/* The completion of a cancel that has not found its operation. */
void cancel_completed(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion);

#endif
