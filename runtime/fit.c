/* SPDX-License-Identifier: MIT */
#include "runtime/fit.h"

#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "runtime/ring/ring.h"

enum {
    SUBMISSIONS_LEAST = 64,
    COMPLETIONS_LEAST = 512,
    PATIENCE_MS = 1000,        /* a restart at once has its memory back within 50 ms (6.18) */
    PATIENCE_SMALLER_MS = 200, /* what comes back late then is what the larger ones had */
};

static size_t round_up(size_t bytes)
{
    enum { PAGE_BYTES = 4096 };
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static size_t power_of_two(size_t count)
{
    size_t power = 1;
    while (power < count)
        power *= 2;
    return power;
}

size_t fit_locked_bytes(const struct ring_config *ring)
{
    enum { HEAD = 320, COMPLETION = 16, SUBMISSION = 64, INDEX = 4, BUFFER = 16 };
    size_t submissions = power_of_two(ring->submission_entries);
    size_t completions = power_of_two(ring->completion_entries);
    return round_up(HEAD + completions * COMPLETION + submissions * INDEX) +
           round_up(submissions * SUBMISSION) + round_up(ring->buffer_count * BUFFER);
}

/* False: it is as small as is worth trying. */
static bool halve(struct ring_config *ring)
{
    if (ring->completion_entries > COMPLETIONS_LEAST)
        ring->completion_entries /= 2;
    else if (ring->submission_entries > SUBMISSIONS_LEAST)
        ring->submission_entries /= 2;
    else
        return false;
    return true;
}

void fit_apply(const struct fit *fit, struct ring_config *ring)
{
    for (uint32_t i = 0; i < fit->halvings; i++)
        (void)halve(ring);
}

static bool is_too_much(const struct ring_config *ring, uint32_t count)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           limit.rlim_cur < count * fit_locked_bytes(ring);
}

static bool has_patience(struct fit *fit)
{
    const struct timespec a_while = {.tv_nsec = 5000000};
    uint64_t patience_ms = fit->halvings > 0 ? PATIENCE_SMALLER_MS : PATIENCE_MS;
    uint64_t now_ns = clock_now_ns();
    if (fit->since_ns == 0)
        fit->since_ns = now_ns;
    if (now_ns - fit->since_ns > patience_ms * 1000000u)
        return false;
    nanosleep(&a_while, NULL);
    return true;
}

bool fit_again(struct fit *fit, const struct ring_config *ring, uint32_t count)
{
    struct ring_config smaller = *ring;
    if (!is_too_much(ring, count) && has_patience(fit))
        return true;
    fit->halvings++;
    fit->since_ns = 0;
    return halve(&smaller);
}
