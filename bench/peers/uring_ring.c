/* SPDX-License-Identifier: MIT */
#include "peers/uring_ring.h"

#include "base/clock.h"
#include "common/fail.h"

#include <errno.h>
#include <stdio.h>

/* Not in the header of liburing 2.3. */
enum {
    ENTER_NO_IOWAIT = 1 << 7,    /* kernel 6.15 */
    FEATURE_NO_IOWAIT = 1 << 17, /* kernel 6.15 */
};

enum { FOUND_LITTLE = 2, SPINS_PER_CLOCK_READING = 16 };

void uring_ring_open(struct uring_ring *ring, const struct uring_ring_settings *settings)
{
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP | (settings->spin_us ? IORING_SETUP_TASKRUN_FLAG : 0),
        .cq_entries = (unsigned)settings->cq_entries,
    };
    *ring = (struct uring_ring){.settings = *settings};
    int error =
        io_uring_queue_init_params((unsigned)settings->sq_entries, &ring->ring, &parameters);
    if (error < 0)
        fail_errno(error, "io_uring_queue_init_params");
    error = io_uring_register_ring_fd(&ring->ring);
    if (error < 0)
        fail_errno(error, "io_uring_register_ring_fd");
    if (settings->no_iowait && !(ring->ring.features & FEATURE_NO_IOWAIT))
        fail("--no-iowait: this kernel has it not");
    printf("ring flags: single_issuer defer_taskrun coop_taskrun submit_all%s%s, sq %u cq %u\n",
           settings->spin_us ? " taskrun_flag" : "", settings->no_iowait ? " no_iowait" : "",
           parameters.sq_entries, parameters.cq_entries);
}

void uring_ring_submit(struct uring_ring *ring)
{
    int count = io_uring_submit(&ring->ring);
    /* EBUSY and EAGAIN: nothing is lost, the entries stay queued until completions are reaped. */
    if (count < 0 && count != -EINTR && count != -EBUSY && count != -EAGAIN)
        fail_errno(count, "io_uring_submit");
}

struct io_uring_sqe *uring_ring_sqe(struct uring_ring *ring)
{
    struct io_uring_sqe *sqe;
    while (!(sqe = io_uring_get_sqe(&ring->ring)))
        uring_ring_submit(ring);
    return sqe;
}

/* What io_uring_submit_and_wait does, with a flag that liburing 2.3 cannot pass. */
static int enter_without_iowait(struct io_uring *ring)
{
    struct io_uring_sq *sq = &ring->sq;
    sq->sqe_head = sq->sqe_tail;
    io_uring_smp_store_release(sq->ktail, sq->sqe_tail);
    unsigned submitted = sq->sqe_tail - io_uring_smp_load_acquire(sq->khead);
    return io_uring_enter((unsigned)ring->enter_ring_fd, submitted, 1,
                          IORING_ENTER_GETEVENTS | IORING_ENTER_REGISTERED_RING | ENTER_NO_IOWAIT,
                          NULL);
}

static void enter(struct uring_ring *ring)
{
    int result;
    if (ring->settings.no_iowait) {
        result = enter_without_iowait(&ring->ring);
        result = result < 0 ? -errno : result;
    } else {
        result = io_uring_submit_and_wait(&ring->ring, 1);
    }
    if (result < 0 && result != -EINTR && result != -EBUSY && result != -EAGAIN)
        fail_errno(result, "io_uring_enter");
}

static bool work_waits(struct io_uring *ring)
{
    unsigned flags = __atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED);
    return flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* Watches, without a system call, until there is something to do or the budget is gone. */
static void spin(struct uring_ring *ring)
{
    uint64_t end_ns = clock_now_ns() + (uint64_t)ring->settings.spin_us * 1000U;
    do {
        for (unsigned count = 0; count < SPINS_PER_CLOCK_READING; count++) {
            if (io_uring_cq_ready(&ring->ring) || work_waits(&ring->ring))
                return;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
    } while (clock_now_ns() < end_ns);
}

void uring_ring_wait(struct uring_ring *ring)
{
    const struct uring_ring_settings *settings = &ring->settings;
    if (settings->spin_us && (settings->spin_always || ring->found <= FOUND_LITTLE)) {
        if (io_uring_sq_ready(&ring->ring))
            uring_ring_submit(ring);
        spin(ring);
        if (io_uring_cq_ready(&ring->ring) && !work_waits(&ring->ring))
            return;
    }
    enter(ring);
}
