/* SPDX-License-Identifier: MIT */
/* Callbacks take their time, in which the world goes on. */
#ifndef SIM_SLOW_H
#define SIM_SLOW_H

#include <stdint.h>

void slow_reset(void);

/* In a callback: perhaps time passes. */
void slow_maybe(void);

/* How much of the time since then has passed in callbacks: so much may everything be late. */
uint64_t slow_since_ns(uint64_t since_ns);

#endif
