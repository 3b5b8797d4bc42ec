/* SPDX-License-Identifier: MIT */
#include "runtime/ring/ring.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/ring/features.h"

/* What the headers of liburing 2.3 do not have yet. */
enum {
    ABI_FEATURE_MIN_WAIT = 1 << 15,  /* 6.12 */
    ABI_FEATURE_NO_IOWAIT = 1 << 17, /* 6.15 */
    ABI_ENTER_NO_IOWAIT = 1 << 7,
    ABI_SEND_ZC_REPORT_USAGE = 1 << 3, /* 6.2 */
};

/* struct io_uring_getevents_arg, with what 6.12 has made of its padding. */
struct wait_argument {
    uint64_t mask;
    uint32_t mask_size;
    uint32_t least_us; /* until then only so many completions as are asked for end the wait */
    uint64_t timeout;
};

enum { BUFFER_GROUP = 0 };

struct ring {
    struct io_uring uring;
    struct io_uring_buf_ring *buffers;
    struct ring_config config;
    struct ring_profile profile;
    struct ring_counters counters;
    uint32_t offered; /* buffers put into the ring since the last publish */
};

static uint32_t setup_flags(uint32_t features)
{
    uint32_t flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
    if (features & FEATURE_BIT(SINGLE_ISSUER))
        flags |= IORING_SETUP_SINGLE_ISSUER;
    if (features & FEATURE_BIT(DEFER_TASKRUN))
        flags |= IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    if (features & FEATURE_BIT(COOP_TASKRUN))
        flags |= IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    return flags;
}

/* Features whose absence a kernel shows by refusing the set-up, in the order they are given up. */
static const uint32_t setup_ladder[] = {
    0,
    FEATURE_BIT(DEFER_TASKRUN),
    FEATURE_BIT(DEFER_TASKRUN) | FEATURE_BIT(SINGLE_ISSUER),
    FEATURE_BIT(DEFER_TASKRUN) | FEATURE_BIT(SINGLE_ISSUER) | FEATURE_BIT(COOP_TASKRUN),
};

static int set_up(struct ring *ring, uint32_t features)
{
    struct io_uring_params params = {
        .flags = setup_flags(features),
        .cq_entries = ring->profile.completion_entries,
    };
    int result =
        io_uring_queue_init_params(ring->profile.submission_entries, &ring->uring, &params);
    if (result < 0)
        return result;
    ring->profile.submission_entries = params.sq_entries;
    ring->profile.completion_entries = params.cq_entries;
    if (!(params.features & ABI_FEATURE_MIN_WAIT))
        features &= ~FEATURE_BIT(MIN_WAIT);
    if (!(params.features & ABI_FEATURE_NO_IOWAIT))
        features &= ~FEATURE_BIT(NO_IOWAIT);
    ring->profile.features = features;
    return 0;
}

static int climb_down(struct ring *ring, uint32_t features)
{
    int result = -EINVAL;
    for (size_t i = 0; i < sizeof(setup_ladder) / sizeof(setup_ladder[0]); i++) {
        result = set_up(ring, features & ~setup_ladder[i]);
        if (result != -EINVAL)
            break;
    }
    return result;
}

static int explain(int error)
{
    switch (error) {
    case -ENOSYS:
        return error_say(error, "this kernel has no io_uring (6.1 or newer is needed), or a "
                                "container's seccomp filter hides it: allow io_uring_setup");
    case -EPERM:
    case -EACCES:
        return error_say(-EPERM, "io_uring is switched off: set kernel.io_uring_disabled to 0, or "
                                 "allow io_uring_setup in the container's seccomp filter");
    case -ENOMEM:
        return error_say(RING_LACKS_MEMORY,
                         "no memory for a ring: raise the memlock limit (ulimit -l)");
    case -EMFILE:
    case -ENFILE:
        return error_say(error, "no descriptor for a ring: raise the open files limit (ulimit -n)");
    case -EINVAL:
        return error_say(error, "this kernel's io_uring is too old: 6.1 or newer is needed");
    default:
        return error_say(error, "io_uring does not start");
    }
}

static void register_ring(struct ring *ring)
{
    if (!(ring->profile.features & FEATURE_BIT(REGISTERED_RING)))
        return;
    if (io_uring_register_ring_fd(&ring->uring) < 0)
        ring->profile.features &= ~FEATURE_BIT(REGISTERED_RING);
}

static void choose_operations(struct ring *ring)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->uring);
    if (!probe || !io_uring_opcode_supported(probe, IORING_OP_SENDMSG_ZC))
        ring->profile.features &= ~FEATURE_BIT(SEND_ZC);
    if (probe)
        io_uring_free_probe(probe);
    /* Multishots cannot be probed; they are as old as these two, which can. */
    if (!(ring->profile.features & FEATURE_BIT(BUFFER_RING)))
        ring->profile.features &= ~FEATURE_BIT(MULTISHOT_RECEIVE);
}

/* A filter may let the set-up through and refuse the rest, so a round trip is made. */
static int try_out(struct ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);
    io_uring_prep_nop(entry);
    int result = io_uring_submit_and_wait(&ring->uring, 1);
    if (result < 0)
        return result;
    struct io_uring_cqe *completion;
    result = io_uring_peek_cqe(&ring->uring, &completion);
    if (result == 0)
        io_uring_cqe_seen(&ring->uring, completion);
    return result;
}

int ring_open(struct ring **out, const struct ring_config *config, struct ring_profile *profile)
{
    struct ring *ring = memory_allocate_zeroed(1, sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    ring->config = *config;
    ring->profile.submission_entries = config->submission_entries;
    ring->profile.completion_entries = config->completion_entries;
    int result = climb_down(ring, FEATURE_ALL & ~config->features_off);
    if (result < 0) {
        memory_free(ring);
        return explain(result);
    }
    result = try_out(ring);
    if (result < 0) {
        io_uring_queue_exit(&ring->uring);
        memory_free(ring);
        return explain(result);
    }
    (void)io_uring_ring_dontfork(&ring->uring); /* a child that touched it would do so in ours */
    register_ring(ring);
    choose_operations(ring);
    *profile = ring->profile;
    *out = ring;
    return 0;
}

static size_t buffer_ring_size(const struct ring *ring)
{
    return ring->config.buffer_count * sizeof(struct io_uring_buf);
}

void ring_close(struct ring *ring)
{
    io_uring_queue_exit(&ring->uring);
    memory_unmap(ring->buffers, ring->buffers ? buffer_ring_size(ring) : 0);
    memory_free(ring);
}

int ring_register_buffers(struct ring *ring)
{
    if (!(ring->profile.features & FEATURE_BIT(BUFFER_RING)))
        return 0;
    ring->buffers = memory_map(buffer_ring_size(ring));
    if (!ring->buffers)
        return -ENOMEM;
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)ring->buffers,
        .ring_entries = ring->config.buffer_count,
        .bgid = BUFFER_GROUP,
    };
    int result = io_uring_register_buf_ring(&ring->uring, &registration, 0);
    if (result < 0)
        return explain(result);
    io_uring_buf_ring_init(ring->buffers);
    return 0;
}

void ring_offer_buffer(struct ring *ring, uint16_t buffer, uint8_t *bytes)
{
    CHECK_LT(ring->offered, ring->config.buffer_count);
    io_uring_buf_ring_add(ring->buffers, bytes, ring->config.buffer_size, buffer,
                          io_uring_buf_ring_mask(ring->config.buffer_count), (int)ring->offered);
    ring->offered++;
}

void ring_publish_buffers(struct ring *ring)
{
    if (ring->offered == 0)
        return;
    io_uring_buf_ring_advance(ring->buffers, (int)ring->offered);
    ring->offered = 0;
}

/* Its user_data comes last: some versions of liburing clear it when they prepare an entry. */
static struct io_uring_sqe *next_entry(struct ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);
    while (!entry) {
        ring_submit(ring);
        entry = io_uring_get_sqe(&ring->uring);
    }
    return entry;
}

void ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    struct io_uring_sqe *entry = next_entry(ring);
    if (multishot)
        io_uring_prep_multishot_accept(entry, fd, NULL, NULL, SOCK_CLOEXEC);
    else
        io_uring_prep_accept(entry, fd, NULL, NULL, SOCK_CLOEXEC);
    entry->user_data = user_data;
}

void ring_connect(struct ring *ring, uint64_t user_data, int fd, const struct sockaddr *address,
                  socklen_t size)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_connect(entry, fd, address, size);
    entry->user_data = user_data;
}

void ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_recv(entry, fd, NULL, 0, 0);
    if (multishot)
        entry->ioprio |= IORING_RECV_MULTISHOT;
    entry->buf_group = BUFFER_GROUP;
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->user_data = user_data;
}

void ring_receive_into(struct ring *ring, uint64_t user_data, int fd, struct ring_memory memory)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_recv(entry, fd, memory.bytes, memory.size, memory.waits ? 0 : MSG_DONTWAIT);
    entry->user_data = user_data;
}

void ring_wait_readable(struct ring *ring, uint64_t user_data, int fd)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_poll_add(entry, fd, POLLIN);
    entry->user_data = user_data;
}

void ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes, size_t size)
{
    enum { SEND_BYTES_MAX = INT32_MAX }; /* an entry's length has 32 bits, its result 31 */
    struct io_uring_sqe *entry = next_entry(ring);
    size = size < SEND_BYTES_MAX ? size : SEND_BYTES_MAX;
    io_uring_prep_send(entry, fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    entry->user_data = user_data;
}

void ring_send_message(struct ring *ring, uint64_t user_data, int fd, const struct msghdr *message,
                       bool zero_copy)
{
    struct io_uring_sqe *entry = next_entry(ring);
    if (zero_copy) {
        io_uring_prep_sendmsg_zc(entry, fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
        entry->ioprio |= ABI_SEND_ZC_REPORT_USAGE;
    } else {
        io_uring_prep_sendmsg(entry, fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    entry->user_data = user_data;
}

void ring_read(struct ring *ring, uint64_t user_data, void *memory, struct file_range range)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_read(entry, range.fd, memory, (unsigned)range.size, range.offset);
    if (range.patient)
        entry->flags |= IOSQE_ASYNC;
    entry->user_data = user_data;
}

void ring_watch_writable(struct ring *ring, uint64_t user_data, int fd)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_poll_multishot(entry, fd, POLLOUT);
    entry->user_data = user_data;
}

void ring_poll(struct ring *ring, uint64_t user_data, int fd, unsigned events)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_poll_add(entry, fd, events);
    entry->user_data = user_data;
}

void ring_cancel(struct ring *ring, uint64_t user_data, uint64_t target)
{
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_cancel64(entry, target, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = user_data;
}

void ring_wait_wake(struct ring *ring, uint64_t user_data, int fd)
{
    static uint64_t taken; /* nobody reads it */
    struct io_uring_sqe *entry = next_entry(ring);
    io_uring_prep_read(entry, fd, &taken, sizeof(taken), 0);
    entry->user_data = user_data;
}

uint32_t ring_pending(const struct ring *ring)
{
    return io_uring_sq_ready(&ring->uring);
}

/* -EINTR, -EAGAIN and -EBUSY leave the entries queued; the next turn reaps and submits again.
 * -EBADR says that the kernel lost a completion for want of memory: nothing can be trusted then. */
static void note_result(struct ring *ring, int result)
{
    ring->counters.system_calls++;
    if (result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
        result == -EBUSY)
        return;
    CHECK_EQ(result, 0);
}

/* What liburing's own submit does, here with a say in the flags: 2.3 cannot pass NO_IOWAIT. The
 * store is ordered by the system call that follows. */
static uint32_t publish_entries(struct io_uring_sq *queue)
{
    if (queue->sqe_head != queue->sqe_tail) {
        queue->sqe_head = queue->sqe_tail;
        IO_URING_WRITE_ONCE(*queue->ktail, queue->sqe_tail);
    }
    return queue->sqe_tail - *queue->khead;
}

/* Never longer than the sleep itself, which the kernel would put off. */
static uint32_t gathering_us(const struct ring *ring, uint64_t timeout_ns)
{
    uint64_t timeout_us = timeout_ns / 1000;
    if (!(ring->profile.features & FEATURE_BIT(MIN_WAIT)))
        return 0;
    return timeout_us < ring->config.gather_us ? (uint32_t)timeout_us : ring->config.gather_us;
}

static void enter(struct ring *ring, uint32_t flags, uint64_t timeout_ns)
{
    enum { GATHERED_MOST = 32 }; /* so many share the cost of a wake-up well enough */
    struct __kernel_timespec timeout = {
        .tv_sec = (int64_t)(timeout_ns / 1000000000u),
        .tv_nsec = (int64_t)(timeout_ns % 1000000000u),
    };
    struct wait_argument argument = {
        .mask_size = _NSIG / 8,
        .least_us = gathering_us(ring, timeout_ns),
        .timeout = timeout_ns == UINT64_MAX ? 0 : (uintptr_t)&timeout,
    };
    uint32_t wanted = argument.least_us > 0 ? GATHERED_MOST : timeout_ns > 0;
    flags |= IORING_ENTER_EXT_ARG;
    if (ring->profile.features & FEATURE_BIT(REGISTERED_RING))
        flags |= IORING_ENTER_REGISTERED_RING;
    if (ring->profile.features & FEATURE_BIT(NO_IOWAIT))
        flags |= ABI_ENTER_NO_IOWAIT;
    uint32_t entries = publish_entries(&ring->uring.sq);
    note_result(ring, io_uring_enter2((unsigned)ring->uring.enter_ring_fd, entries, wanted, flags,
                                      (sigset_t *)&argument, sizeof(argument)));
}

void ring_submit(struct ring *ring)
{
    enter(ring, 0, 0);
}

/* Neither entries to submit nor completions that wait to be made. */
static bool kernel_has_nothing_to_do(struct ring *ring)
{
    return io_uring_sq_ready(&ring->uring) == 0 &&
           (IO_URING_READ_ONCE(*ring->uring.sq.kflags) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0;
}

void ring_turn(struct ring *ring, uint64_t timeout_ns)
{
    if (io_uring_cq_has_overflow(&ring->uring))
        ring->counters.overflows++;
    if (timeout_ns == 0 && kernel_has_nothing_to_do(ring))
        return;
    enter(ring, IORING_ENTER_GETEVENTS, timeout_ns);
}

bool ring_has_work(struct ring *ring)
{
    return io_uring_cq_ready(&ring->uring) > 0 ||
           (IO_URING_READ_ONCE(*ring->uring.sq.kflags) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

/* How many have overflown only the kernel knows. */
uint32_t ring_ready(const struct ring *ring)
{
    bool overflown = IO_URING_READ_ONCE(*ring->uring.sq.kflags) & IORING_SQ_CQ_OVERFLOW;
    return overflown ? UINT32_MAX / 2 : io_uring_cq_ready(&ring->uring);
}

#define ABI_NOTIF_COPIED (1u << 31)

static uint32_t translate_flags(uint32_t flags, int32_t result)
{
    uint32_t translated = 0;
    if (flags & IORING_CQE_F_BUFFER)
        translated |= RING_BUFFER | (flags >> IORING_CQE_BUFFER_SHIFT) << RING_BUFFER_SHIFT;
    if (flags & IORING_CQE_F_MORE)
        translated |= RING_MORE;
    if (flags & IORING_CQE_F_NOTIF)
        translated |= RING_NOTIFY | ((uint32_t)result & ABI_NOTIF_COPIED ? RING_COPIED : 0);
    return translated;
}

uint32_t ring_take(struct ring *ring, struct ring_completion *completions, uint32_t count)
{
    uint32_t head;
    uint32_t taken = 0;
    struct io_uring_cqe *entry;
    io_uring_for_each_cqe(&ring->uring, head, entry)
    {
        if (taken == count)
            break;
        completions[taken++] = (struct ring_completion){entry->user_data, entry->res,
                                                        translate_flags(entry->flags, entry->res)};
    }
    io_uring_cq_advance(&ring->uring, taken);
    return taken;
}

struct ring_counters ring_get_counters(const struct ring *ring)
{
    return ring->counters;
}
