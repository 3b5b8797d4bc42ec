/* SPDX-License-Identifier: MIT */
/* The ring itself: what it gives up when set-up is refused, and what it counts. */
#include "runtime/ring/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
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

static void expect_refusal(int error, int expected, const char *word)
{
    struct ring *ring;
    struct ring_profile profile;
    int64_t live = memory_live_count();
    refused_flags = IORING_SETUP_CLAMP;
    refusal = error;
    refused_count = 0;
    int result = open_ring(&ring, &profile, 8);
    cr_expect(result == expected, "%s", weir_error_name(result));
    cr_expect(strstr(weir_last_error_text(), word) != NULL, "%s", weir_last_error_text());
    cr_expect(refused_count == (error == -EINVAL ? 4 : 1), "%u", refused_count);
    cr_expect(memory_live_count() == live);
}

Test(ring, says_what_is_to_be_done_about_a_set_up_that_is_refused)
{
    expect_refusal(-EIO, -EIO, "io_uring does not start");
    expect_refusal(-EFAULT, -EFAULT, "io_uring does not start");
    expect_refusal(-EINVAL, -EINVAL, "too old");
    expect_refusal(-ENOSYS, -ENOSYS, "has no io_uring");
    expect_refusal(-EPERM, -EPERM, "io_uring_disabled");
    expect_refusal(-EACCES, -EPERM, "io_uring_disabled");
    expect_refusal(-ENOMEM, RING_LACKS_MEMORY, "ulimit -l");
    expect_refusal(-EMFILE, -EMFILE, "ulimit -n");
    expect_refusal(-ENFILE, -ENFILE, "ulimit -n");
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

Test(ring, does_not_ask_a_kernel_that_has_nothing_to_do)
{
    struct ring *ring;
    struct ring_profile profile;
    struct ring_completion completion;
    cr_assert(open_ring(&ring, &profile, 8) == 0);
    uint64_t calls = ring_get_counters(ring).system_calls;
    ring_turn(ring, 0);
    cr_expect(ring_get_counters(ring).system_calls == calls);
    ring_cancel(ring, 1, 2);
    ring_turn(ring, 0);
    cr_expect(ring_get_counters(ring).system_calls == calls + 1);
    cr_expect(ring_take(ring, &completion, 1) == 1 && completion.result == -ENOENT);
    ring_close(ring);
}

static struct ring *open_gathering(uint32_t gather_us)
{
    const struct ring_config config = {
        .submission_entries = 64,
        .completion_entries = 128,
        .buffer_count = 4,
        .buffer_size = 4096,
        .gather_us = gather_us,
    };
    struct ring *ring;
    struct ring_profile profile;
    cr_assert(ring_open(&ring, &config, &profile) == 0);
    if (!(profile.features & FEATURE_BIT(MIN_WAIT)))
        cr_skip_test("the kernel has no min_wait");
    return ring;
}

/* Operations that are complete at once. How long the ring slept all the same. */
static uint64_t slept_ns(struct ring *ring, uint64_t count, uint64_t timeout_ns)
{
    for (uint64_t i = 1; i <= count; i++)
        ring_cancel(ring, i, UINT64_MAX - i);
    uint64_t began_ns = clock_now_ns();
    ring_turn(ring, timeout_ns);
    return clock_now_ns() - began_ns;
}

Test(ring, gathers_while_it_sleeps)
{
    enum { GATHER_US = 20000, SLEEP_NS = 1000000000 };
    struct ring *ring = open_gathering(GATHER_US);
    cr_expect(slept_ns(ring, 1, SLEEP_NS) >= GATHER_US * UINT64_C(1000));
    ring_close(ring);
}

/* Else each of these would take more than an hour. */
Test(ring, gathers_no_longer_than_it_sleeps_and_not_when_there_is_much)
{
    enum { MUCH = 40, SLEEP_NS = 1000000 };
    struct ring *ring = open_gathering(UINT32_MAX);
    cr_expect(slept_ns(ring, 0, SLEEP_NS) >= SLEEP_NS);
    (void)slept_ns(ring, 1, 1);
    (void)slept_ns(ring, 1, 0);
    (void)slept_ns(ring, MUCH, UINT64_MAX);
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
    uint64_t overflows = ring_get_counters(ring).overflows;
    cr_expect(overflows > 0 && overflows <= ROUNDS_MOST);
    ring_close(ring);
}

/* A connection whose `ends[0]` has no room: its peer does not read. */
static void open_full(int ends[2])
{
    static const char bytes[65536];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr *place = (struct sockaddr *)&address;
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(listener, place, size) == 0 && listen(listener, 1) == 0);
    cr_assert(getsockname(listener, place, &size) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(connect(ends[0], place, size) == 0);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
    while (send(ends[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
}

static int32_t result_of(struct ring *ring, uint64_t user_data)
{
    enum { ROUNDS_MOST = 100, ROUND_NS = 10000000 };
    for (int round = 0; round < ROUNDS_MOST; round++) {
        struct ring_completion completion;
        ring_turn(ring, ROUND_NS);
        while (ring_take(ring, &completion, 1) == 1)
            if (completion.user_data == user_data && !(completion.flags & RING_NOTIFY))
                return completion.result;
    }
    return -ETIME;
}

/* Who waits in the kernel for a peer may have a thread of it blocked. */
Test(ring, sends_never_wait_for_room)
{
    int ends[2];
    struct ring *ring;
    struct ring_profile profile;
    char byte = 'x';
    struct iovec piece = {&byte, 1};
    const struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    cr_assert(open_ring(&ring, &profile, 8) == 0);
    open_full(ends);
    ring_send(ring, 1, ends[0], &byte, 1);
    cr_expect(result_of(ring, 1) == -EAGAIN);
    ring_send_message(ring, 2, ends[0], &message, false);
    cr_expect(result_of(ring, 2) == -EAGAIN);
    ring_send_message(ring, 3, ends[0], &message, true);
    cr_expect(result_of(ring, 3) == -EAGAIN);
    ring_close(ring);
    close(ends[0]);
    close(ends[1]);
}
