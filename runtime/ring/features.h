/* SPDX-License-Identifier: MIT */
/* Kernel features that weir uses where they are and lives without where they are not. */
#ifndef RUNTIME_RING_FEATURES_H
#define RUNTIME_RING_FEATURES_H

#include <stddef.h>
#include <stdint.h>

/* X(ENUMERATOR, name, kernel that brought it, what weir does without it) */
#define FEATURES(X)                                                                              \
    X(SINGLE_ISSUER, "single_issuer", "6.0", "the kernel locks the ring for every submission")   \
    X(DEFER_TASKRUN, "defer_taskrun", "6.1", "completions interrupt the scheduler's work")       \
    X(COOP_TASKRUN, "coop_taskrun", "5.19", "completions interrupt the scheduler's core")        \
    X(REGISTERED_RING, "registered_ring", "5.18", "each system call looks the ring up")          \
    X(MULTISHOT_ACCEPT, "multishot_accept", "5.19", "one accept operation per connection")       \
    X(MULTISHOT_RECEIVE, "multishot_receive", "6.0", "one receive operation per receive")        \
    X(BUFFER_RING, "buffer_ring", "5.19", "a buffer is bound to each waiting receive")           \
    X(MIN_WAIT, "min_wait", "6.12", "gather_us has no effect")                                   \
    X(NO_IOWAIT, "no_iowait", "6.15", "an idle scheduler shows as waiting for input and output") \
    X(SEND_ZC, "send_zc", "6.2", "large sends are copied by the kernel")

enum feature {
#define X(name, text, kernel, without) FEATURE_##name,
    FEATURES(X)
#undef X
        FEATURE_COUNT
};

#define FEATURE_BIT(name) (1u << FEATURE_##name)
enum { FEATURE_ALL = (1u << FEATURE_COUNT) - 1 };

struct feature_row {
    const char *name;
    const char *kernel;
    const char *without;
};

extern const struct feature_row feature_rows[FEATURE_COUNT];

/*
 * Reads "send_zc,no_iowait" or the preset "kernel=6.1", which is everything newer than that
 * kernel. NULL or "" is nothing. 0 with the mask of features to leave alone, or -EINVAL.
 */
int features_parse(const char *text, uint32_t *off);

#endif
