/* SPDX-License-Identifier: MIT */
/*
 * The control of a judgement by the clock: a thread on each core that does nothing but sleep for a
 * millisecond at a time, by a plan that waits for nobody. How late they woke is how long this
 * machine kept threads of this process from their cores meanwhile, whatever else they do.
 */
#ifndef LOAD_WITNESS_H
#define LOAD_WITNESS_H

#include "load/histogram.h"

struct witness;

/* NULL with errno: there was no memory or thread. */
struct witness *witness_start(void);

/* Ends the threads and frees it. How late each of their steps was is added to `late`, unless that
 * is NULL. */
void witness_end(struct witness *witness, struct histogram *late);

#endif
