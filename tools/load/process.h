/* SPDX-License-Identifier: MIT */
/* What /proc says of a process: of the server, when it runs on this machine. */
#ifndef LOAD_PROCESS_H
#define LOAD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_sample {
    uint64_t cpu_ns;             /* by the process's own clock, exact */
    uint64_t user_ns, system_ns; /* the same in steps of the kernel's ticks (10 ms) */
    uint64_t calls;              /* read and write calls, as /proc/PID/io counts them */
    uint64_t switches;           /* times that it waited, and so was woken */
    uint64_t memory_bytes;       /* resident */
};

/* False: there is no such process, or it is not ours to look at. */
bool process_sample(uint32_t pid, struct process_sample *sample);

/* CPU time from one sample to another in microseconds: how much is exact, which of the two it was
 * goes by the ticks. */
struct process_use {
    double user_us, system_us;
};

struct process_use process_used(const struct process_sample *begin,
                                const struct process_sample *end);

#endif
