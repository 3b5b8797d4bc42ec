/* SPDX-License-Identifier: MIT */
/* Facts about the machine that the process runs on. */
#ifndef TOOLS_MACHINE_H
#define TOOLS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct version {
    unsigned major;
    unsigned minor;
};

/* "6.1" or "6.1.0-13-amd64"; what is missing is 0. */
struct version version_of(const char *text);
bool version_is_at_least(struct version version, struct version other);

/* The kernel's release, "6.1.0-13-amd64". Valid until the next call. */
const char *machine_kernel(void);

/* The number in a file of /proc/sys, or -1 when there is no such file. */
int64_t machine_setting(const char *path);

/* Whether system calls of this process pass through a seccomp filter. */
bool machine_has_seccomp_filter(void);

/* Whether the process may lock as much memory as it likes (CAP_IPC_LOCK). */
bool machine_may_lock_memory(void);

#endif
