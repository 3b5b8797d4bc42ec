/* SPDX-License-Identifier: MIT */
/* The ring itself: what it gives up when set-up is refused, and what it counts. */
#include "runtime/ring/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>

#include "base/error.h"
#include "runtime/ring/features.h"

/* What the set-up says while it is asked for any of these flags. */
static unsigned refused_flags;
static int refusal;
static unsigned refused_count;

struct io_uring;
int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                                      struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                                      struct io_uring_params *params);

int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                                      struct io_uring_params *params)
{
    if (params->flags & refused_flags) {
        refused_count++;
        return refusal;
    }
    return __real_io_uring_queue_init_params(entries, ring, params);
}

static int open_ring(struct ring **ring, struct ring_profile *profile, uint32_t entries)
{
    const struct ring_config config = {
        .submission_entries = entries,
        .completion_entries = 2 * entries,
        .buffer_count = 4,
        .buffer_size = 4096,
    };
    return ring_open(ring, &config, profile);
}

static uint32_t features_while_refusing(unsigned flags)
{
    struct ring *ring;
    struct ring_profile profile;
    refused_flags = flags;
    refusal = -EINVAL;
    int result = open_ring(&ring, &profile, 8);
    cr_assert(result == 0, "%s: %s", weir_error_name(result), weir_last_error_text());
    ring_close(ring);
    return profile.features;
}

Test(ring, gives_up_what_the_set_up_refuses_and_no_more)
{
    uint32_t all = features_while_refusing(0);
    cr_assert(all & FEATURE_BIT(DEFER_TASKRUN));
    cr_assert(refused_count == 0);
    cr_expect(features_while_refusing(IORING_SETUP_DEFER_TASKRUN) ==
              (all & ~FEATURE_BIT(DEFER_TASKRUN)));
    cr_expect(refused_count == 1);
    cr_expect(features_while_refusing(IORING_SETUP_SINGLE_ISSUER) ==
              (all & ~(FEATURE_BIT(DEFER_TASKRUN) | FEATURE_BIT(SINGLE_ISSUER))));
    cr_expect(refused_count == 3);
    cr_expect(features_while_refusing(IORING_SETUP_COOP_TASKRUN) ==
              (all & ~(FEATURE_BIT(DEFER_TASKRUN) | FEATURE_BIT(SINGLE_ISSUER) |
                       FEATURE_BIT(COOP_TASKRUN))));
    cr_expect(refused_count == 6);
}

static void expect_refusal(int error, const char *word)
{
    struct ring *ring;
    struct ring_profile profile;
    refused_flags = IORING_SETUP_CLAMP;
    refusal = error;
    int result = open_ring(&ring, &profile, 8);
    cr_expect(result == error, "%s", weir_error_name(result));
    cr_expect(strstr(weir_last_error_text(), word) != NULL, "%s", weir_last_error_text());
}

Test(ring, says_whatever_else_the_set_up_says)
{
    expect_refusal(-EIO, "io_uring does not start");
    expect_refusal(-EFAULT, "io_uring does not start");
    expect_refusal(-EINVAL, "too old");
}

Test(ring, is_empty_when_it_is_new)
{
    struct ring *ring;
    struct ring_profile profile;
    struct ring_completion completion;
    cr_assert(open_ring(&ring, &profile, 8) == 0);
    ring_turn(ring, 0);
    cr_expect(!ring_has_work(ring) && ring_take(ring, &completion, 1) == 0);
    cr_expect(ring_get_counters(ring).overflows == 0);
    ring_close(ring);
}

/* More completions than there is room for: none is lost, and it is counted. */
Test(ring, counts_overflows)
{
    enum { CANCELS = 40, ROUNDS_MOST = 100 };
    struct ring *ring;
    struct ring_profile profile;
    struct ring_completion completions[CANCELS];
    uint32_t taken = 0;
    cr_assert(open_ring(&ring, &profile, 2) == 0);
    cr_assert(profile.completion_entries < CANCELS);
    for (uint64_t i = 1; i <= CANCELS; i++)
        ring_cancel(ring, i, UINT64_MAX - i);
    for (int round = 0; round < ROUNDS_MOST && taken < CANCELS; round++) {
        ring_turn(ring, 0);
        taken += ring_take(ring, completions + taken, CANCELS - taken);
    }
    cr_expect(taken == CANCELS, "%u of %d", taken, CANCELS);
    for (uint32_t i = 0; i < taken; i++)
        cr_expect(completions[i].user_data == i + 1 && completions[i].result == -ENOENT);
    cr_expect(ring_get_counters(ring).overflows > 0);
    ring_close(ring);
}
