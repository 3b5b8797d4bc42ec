/* SPDX-License-Identifier: MIT */
/* What this process and others use of the machine. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* For the numbers of cores and processes: nothing was named. */
enum { PROCESS_NONE = 1 << 30 };

void process_pin(long core);

/* Raises the limit of open descriptors as far as it goes, and returns it. */
unsigned process_raise_descriptor_limit(void);

/* User and system time of all its threads; softirq work done in their context is in it. */
uint64_t process_cpu_ns(pid_t process);

/* Time that all cores together were not idle, in steps of a clock tick (10 ms). */
uint64_t process_machine_busy_ns(void);

#endif
