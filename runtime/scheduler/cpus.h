/* SPDX-License-Identifier: MIT */
/* Which cores schedulers may be pinned to. */
#ifndef RUNTIME_SCHEDULER_CPUS_H
#define RUNTIME_SCHEDULER_CPUS_H

#include <stddef.h>

/* The cores that this process may run on, at most `capacity`. How many; 0: it cannot be known. */
int cpus_allowed(int *cpus, size_t capacity);

/* Reads "0,2-3". How many, or -EINVAL: no such form, or a core that this process may not use. */
int cpus_parse(const char *text, int *cpus, size_t capacity);

/* The calling thread stays on this core, if the process may use it. */
void cpus_pin(int cpu);

#endif
