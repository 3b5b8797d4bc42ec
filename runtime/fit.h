/* SPDX-License-Identifier: MIT */
/*
 * Rings that fit the memory that a user may lock. Kernels from 6.14 on charge them to it, all of a
 * user's processes together, and give it back a while after a ring is closed.
 */
#ifndef RUNTIME_FIT_H
#define RUNTIME_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_config;

/* All zero: as it was asked for. */
struct fit {
    uint32_t halvings;
    uint64_t since_ns; /* that this size is tried; 0: it has not been refused */
};

/* What one ring with its buffer ring takes. */
size_t fit_locked_bytes(const struct ring_config *ring);

/* Makes a ring as small as it has to be by now. */
void fit_apply(const struct fit *fit, struct ring_config *ring);

/* So many of these were refused. Whether to try again, after a short while: the same when it may
 * be that memory comes back, else smaller ones. */
bool fit_again(struct fit *fit, const struct ring_config *ring, uint32_t count);

#endif
