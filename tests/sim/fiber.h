/* SPDX-License-Identifier: MIT */
/* Stacks that take turns on one thread, when they say so. */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

#include <stdbool.h>
#include <stdint.h>

enum { FIBER_MOST = 6 };

typedef void fiber_function(void *data);

/* Gives a function a stack of its own; it begins when it is first resumed. */
void fiber_start(uint32_t fiber, fiber_function *run, void *data);

/* From the main stack: until the fiber yields or returns. False: it has returned. */
bool fiber_resume(uint32_t fiber);

/* From a fiber: back to the main stack. */
void fiber_yield(void);

#endif
