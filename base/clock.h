/* SPDX-License-Identifier: MIT */
/* The one place that time comes from. A simulated kernel links another implementation. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC. */
uint64_t clock_now_ns(void);

#endif
