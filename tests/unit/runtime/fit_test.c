/* SPDX-License-Identifier: MIT */
/* How rings shrink to the memory that may be locked, and how long that is waited for. */
#include "runtime/fit.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "runtime/ring/ring.h"

static const struct {
    uint32_t submissions;
    uint32_t completions;
    uint32_t buffers;
    size_t bytes;
} sizes[] = {
    {512, 8192, 1024, 135168 + 32768 + 16384}, {500, 8000, 1024, 135168 + 32768 + 16384},
    {513, 8193, 1025, 270336 + 65536 + 20480}, {1, 2, 1, 3 * 4096},
    {64, 220, 256, 8192 + 4096 + 4096},
};

Test(fit, what_a_ring_takes)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct ring_config ring = {.submission_entries = sizes[i].submissions,
                                         .completion_entries = sizes[i].completions,
                                         .buffer_count = sizes[i].buffers};
        cr_expect_eq(fit_locked_bytes(&ring), sizes[i].bytes, "row %zu: %zu", i,
                     fit_locked_bytes(&ring));
    }
}

static const struct {
    uint32_t halvings;
    uint32_t submissions;
    uint32_t completions;
} halves[] = {
    {0, 256, 2048}, {1, 256, 1024}, {2, 256, 512}, {3, 128, 512}, {4, 64, 512}, {9, 64, 512},
};

Test(fit, completions_shrink_first)
{
    for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
        struct ring_config ring = {.submission_entries = 256, .completion_entries = 2048};
        fit_apply(&(struct fit){.halvings = halves[i].halvings}, &ring);
        cr_expect_eq(ring.submission_entries, halves[i].submissions, "row %zu", i);
        cr_expect_eq(ring.completion_entries, halves[i].completions, "row %zu", i);
    }
}

static const struct ring_config ring = {
    .submission_entries = 512, .completion_entries = 8192, .buffer_count = 1024};
static const struct ring_config smallest = {
    .submission_entries = 64, .completion_entries = 512, .buffer_count = 1024};

static void limit(rlim_t bytes)
{
    struct rlimit now;
    cr_assert_eq(getrlimit(RLIMIT_MEMLOCK, &now), 0);
    now.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &now), 0);
}

/* What never fits is not waited for. */
Test(fit, what_is_more_than_the_limit_is_made_smaller_at_once)
{
    struct fit fit = {0};
    limit(2 * fit_locked_bytes(&ring) - 1);
    cr_expect(fit_again(&fit, &ring, 2) && fit.halvings == 1 && fit.since_ns == 0);
    cr_expect(fit_again(&fit, &ring, 1) && fit.halvings == 1 && fit.since_ns > 0);
    limit(4096);
    cr_expect(!fit_again(&fit, &smallest, 1), "it is as small as it gets");
}

static const struct {
    uint32_t halvings;
    uint64_t waited_ms;
    bool waits;
} patiences[] = {
    {0, 500, true},
    {0, 1500, false},
    {1, 300, false},
    {2, 300, false},
};

Test(fit, what_may_come_back_is_waited_for)
{
    limit(fit_locked_bytes(&ring));
    for (size_t i = 0; i < sizeof(patiences) / sizeof(patiences[0]); i++) {
        uint64_t since_ns = clock_now_ns() - patiences[i].waited_ms * 1000000u;
        struct fit fit = {patiences[i].halvings, since_ns};
        cr_expect(fit_again(&fit, &ring, 1), "row %zu", i);
        cr_expect_eq(fit.halvings, patiences[i].halvings + !patiences[i].waits, "row %zu", i);
        cr_expect_eq(fit.since_ns, patiences[i].waits ? since_ns : 0, "row %zu", i);
    }
    struct fit fresh = {.halvings = 1};
    cr_expect(fit_again(&fresh, &ring, 1) && fresh.halvings == 1);
}
