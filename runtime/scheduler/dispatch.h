/* SPDX-License-Identifier: MIT */
/* From a completion to the socket that it is for. */
#ifndef RUNTIME_SCHEDULER_DISPATCH_H
#define RUNTIME_SCHEDULER_DISPATCH_H

#include <stdint.h>

#include "runtime/ring/ring.h"

struct scheduler;

void dispatch(struct scheduler *scheduler, const struct ring_completion *completion);

/* Has what the completions behind the one at `i`, of `count`, are going to need fetched into the
 * near caches: with very many sockets it is in none. */
void dispatch_fetch_ahead(const struct scheduler *scheduler, uint32_t i, uint32_t count);

#endif
