/* SPDX-License-Identifier: MIT */
/* What /proc says of a process: of the server, when it runs on this machine. */
#ifndef LOAD_PROCESS_H
#define LOAD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_sample {
    uint64_t user_ns, system_ns; /* CPU time, in steps of the kernel's ticks (10 ms) */
    uint64_t calls;              /* read and write calls, as /proc/PID/io counts them */
    uint64_t switches;           /* times that it waited, and so was woken */
    uint64_t memory_bytes;       /* resident */
};

/* False: there is no such process, or it is not ours to look at. */
bool process_sample(uint32_t pid, struct process_sample *sample);

#endif
