/* SPDX-License-Identifier: MIT */
/* What the ring asks the kernel for, word by word, and what it makes of what the kernel says: the
 * system call is the test's, and so are the completions. */
#include "runtime/ring/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/ring/features.h"

/* As the kernel numbers them; older headers have no names. */
enum {
    HAS_MIN_WAIT = 1 << 15,
    HAS_NO_IOWAIT = 1 << 17,
    ENTER_NO_IOWAIT = 1 << 7,
    REPORT_USAGE = 1 << 3
};

static struct io_uring *uring;
static unsigned kernel_features; /* instead of these two of its own */

int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                                      struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                                      struct io_uring_params *params);
int __wrap_io_uring_enter2(unsigned fd, unsigned count, unsigned wanted, unsigned flags,
                           sigset_t *argument, size_t size);
struct io_uring_probe *__real_io_uring_get_probe_ring(struct io_uring *ring);
struct io_uring_probe *__wrap_io_uring_get_probe_ring(struct io_uring *ring);
void __real_io_uring_free_probe(struct io_uring_probe *probe);
void __wrap_io_uring_free_probe(struct io_uring_probe *probe);
int __real_io_uring_register_ring_fd(struct io_uring *ring);
int __wrap_io_uring_register_ring_fd(struct io_uring *ring);
int __real_io_uring_register_buf_ring(struct io_uring *ring, struct io_uring_buf_reg *buffers,
                                      unsigned flags);
int __wrap_io_uring_register_buf_ring(struct io_uring *ring, struct io_uring_buf_reg *buffers,
                                      unsigned flags);

int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring,
                                      struct io_uring_params *params)
{
    uring = ring;
    int result = __real_io_uring_queue_init_params(entries, ring, params);
    params->features &= ~(unsigned)(HAS_MIN_WAIT | HAS_NO_IOWAIT);
    params->features |= kernel_features;
    return result;
}

static bool without_probe;
static int probes; /* that nobody has freed */

struct io_uring_probe *__wrap_io_uring_get_probe_ring(struct io_uring *ring)
{
    probes += !without_probe;
    return without_probe ? NULL : __real_io_uring_get_probe_ring(ring);
}

void __wrap_io_uring_free_probe(struct io_uring_probe *probe)
{
    probes--;
    __real_io_uring_free_probe(probe);
}

static int registered; /* what registering gives, if not what it would */
static int registrations;

int __wrap_io_uring_register_ring_fd(struct io_uring *ring)
{
    registrations++;
    return registered < 0 ? registered : __real_io_uring_register_ring_fd(ring);
}

int __wrap_io_uring_register_buf_ring(struct io_uring *ring, struct io_uring_buf_reg *buffers,
                                      unsigned flags)
{
    return registered < 0 ? registered : __real_io_uring_register_buf_ring(ring, buffers, flags);
}

struct wait_argument {
    uint64_t mask;
    uint32_t mask_size;
    uint32_t least_us;
    uint64_t timeout;
};

/* The last system call. */
static struct {
    unsigned made;
    unsigned count;
    unsigned wanted;
    unsigned flags;
    struct wait_argument argument;
    struct __kernel_timespec timeout;
} asked;
static int answer;

int __wrap_io_uring_enter2(unsigned fd, unsigned count, unsigned wanted, unsigned flags,
                           sigset_t *argument, size_t size)
{
    (void)fd;
    cr_expect_eq(size, sizeof(asked.argument));
    asked.made++;
    asked.count = count;
    asked.wanted = wanted;
    asked.flags = flags;
    memcpy(&asked.argument, argument, sizeof(asked.argument));
    if (asked.argument.timeout)
        memcpy(&asked.timeout, (const void *)(uintptr_t)asked.argument.timeout,
               sizeof(asked.timeout));
    return answer;
}

static struct ring_profile profile;

static struct ring *open_with(uint32_t features_off, uint32_t gather_us)
{
    const struct ring_config config = {.submission_entries = 64,
                                       .completion_entries = 128,
                                       .features_off = features_off,
                                       .buffer_count = 4,
                                       .buffer_size = 4096,
                                       .gather_us = gather_us};
    struct ring *ring;
    cr_assert_eq(ring_open(&ring, &config, &profile), 0);
    asked.made = 0;
    return ring;
}

static struct ring *open_plain(void)
{
    return open_with(0, 0);
}

enum { MARK = 99, FD = 5 };

/* The entry that was queued last; what is not named is 0. */
static void expect_entry(const char *what, struct io_uring_sqe expected)
{
    const struct io_uring_sqe *entry =
        &uring->sq.sqes[(uring->sq.sqe_tail - 1) & *uring->sq.kring_mask];
    expected.user_data = MARK;
    cr_expect_eq(memcmp(entry, &expected, sizeof(expected)), 0, "%s", what);
}

static uint64_t address_of(const void *memory)
{
    return (uintptr_t)memory;
}

Test(ring_entry, of_accepting_and_connecting)
{
    struct ring *ring = open_plain();
    struct sockaddr_storage address;
    ring_accept(ring, MARK, FD, true);
    expect_entry("all of them", (struct io_uring_sqe){.opcode = IORING_OP_ACCEPT,
                                                      .fd = FD,
                                                      .ioprio = IORING_ACCEPT_MULTISHOT,
                                                      .accept_flags = SOCK_CLOEXEC});
    ring_accept(ring, MARK, FD, false);
    expect_entry("one", (struct io_uring_sqe){
                            .opcode = IORING_OP_ACCEPT, .fd = FD, .accept_flags = SOCK_CLOEXEC});
    ring_connect(ring, MARK, FD, (const struct sockaddr *)&address, 16);
    expect_entry("connect", (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
                                                  .fd = FD,
                                                  .addr = address_of(&address),
                                                  .off = 16});
    ring_close(ring);
}

Test(ring_entry, of_receiving)
{
    struct ring *ring = open_plain();
    char bytes[8];
    struct ring_memory memory = {.bytes = bytes, .size = sizeof(bytes)};
    ring_receive(ring, MARK, FD, true);
    expect_entry("again and again", (struct io_uring_sqe){.opcode = IORING_OP_RECV,
                                                          .fd = FD,
                                                          .flags = IOSQE_BUFFER_SELECT,
                                                          .ioprio = IORING_RECV_MULTISHOT});
    ring_receive(ring, MARK, FD, false);
    expect_entry("once", (struct io_uring_sqe){
                             .opcode = IORING_OP_RECV, .fd = FD, .flags = IOSQE_BUFFER_SELECT});
    struct io_uring_sqe into = {.opcode = IORING_OP_RECV,
                                .fd = FD,
                                .addr = address_of(bytes),
                                .len = sizeof(bytes),
                                .msg_flags = MSG_DONTWAIT};
    ring_receive_into(ring, MARK, FD, memory);
    expect_entry("what is there", into);
    memory.waits = true;
    into.msg_flags = 0;
    ring_receive_into(ring, MARK, FD, memory);
    expect_entry("what comes", into);
    ring_close(ring);
}

Test(ring_entry, of_sending)
{
    struct ring *ring = open_plain();
    const char bytes[8] = "";
    const struct msghdr message = {0};
    struct io_uring_sqe send = {.opcode = IORING_OP_SEND,
                                .fd = FD,
                                .addr = address_of(bytes),
                                .len = sizeof(bytes),
                                .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT};
    ring_send(ring, MARK, FD, bytes, sizeof(bytes));
    expect_entry("few", send);
    send.len = INT32_MAX;
    ring_send(ring, MARK, FD, bytes, INT32_MAX + 1ull);
    expect_entry("more than a result can say", send);
    send.opcode = IORING_OP_SENDMSG;
    send.addr = address_of(&message);
    send.len = 1;
    ring_send_message(ring, MARK, FD, &message, false);
    expect_entry("message", send);
    send.opcode = IORING_OP_SENDMSG_ZC;
    send.ioprio = REPORT_USAGE;
    ring_send_message(ring, MARK, FD, &message, true);
    expect_entry("message that is not copied", send);
    ring_close(ring);
}

Test(ring_entry, of_files)
{
    struct ring *ring = open_plain();
    char bytes[8];
    struct file_range range = {.fd = FD, .offset = 1ull << 40, .size = sizeof(bytes)};
    struct io_uring_sqe read = {.opcode = IORING_OP_READ,
                                .fd = FD,
                                .addr = address_of(bytes),
                                .len = sizeof(bytes),
                                .off = 1ull << 40};
    ring_read(ring, MARK, bytes, range);
    expect_entry("what is in memory", read);
    range.patient = true;
    read.flags = IOSQE_ASYNC;
    ring_read(ring, MARK, bytes, range);
    expect_entry("whatever it takes", read);
    ring_close(ring);
}

Test(ring_entry, of_waiting)
{
    struct ring *ring = open_plain();
    struct io_uring_sqe poll = {.opcode = IORING_OP_POLL_ADD, .fd = FD, .poll32_events = POLLIN};
    ring_wait_readable(ring, MARK, FD);
    expect_entry("readable", poll);
    poll.poll32_events = POLLPRI;
    ring_poll(ring, MARK, FD, POLLPRI);
    expect_entry("anything", poll);
    poll.poll32_events = POLLOUT;
    poll.len = IORING_POLL_ADD_MULTI;
    ring_watch_writable(ring, MARK, FD);
    expect_entry("writable, each time", poll);
    ring_cancel(ring, MARK, 77);
    expect_entry("cancel", (struct io_uring_sqe){.opcode = IORING_OP_ASYNC_CANCEL,
                                                 .fd = -1,
                                                 .addr = 77,
                                                 .flags = IOSQE_CQE_SKIP_SUCCESS});
    cr_expect_eq(ring_pending(ring), 4u);
    ring_close(ring);
}

/* Two features show in what the set-up says, one by a probe. */
Test(ring_asks, for_what_the_kernel_has)
{
    static const struct {
        unsigned has;
        uint32_t features;
    } kernels[] = {
        {0, 0},
        {HAS_MIN_WAIT, FEATURE_BIT(MIN_WAIT)},
        {HAS_NO_IOWAIT, FEATURE_BIT(NO_IOWAIT)},
        {HAS_MIN_WAIT | HAS_NO_IOWAIT, FEATURE_BIT(MIN_WAIT) | FEATURE_BIT(NO_IOWAIT)},
    };
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        kernel_features = kernels[i].has;
        struct ring *ring = open_plain();
        cr_expect_eq(profile.features & (FEATURE_BIT(MIN_WAIT) | FEATURE_BIT(NO_IOWAIT)),
                     kernels[i].features, "row %zu", i);
        ring_submit(ring);
        cr_expect_eq((asked.flags & ENTER_NO_IOWAIT) != 0, (kernels[i].has & HAS_NO_IOWAIT) != 0);
        cr_expect_neq(asked.flags & IORING_ENTER_EXT_ARG, 0u);
        cr_expect_eq((asked.flags & IORING_ENTER_REGISTERED_RING) != 0,
                     (profile.features & FEATURE_BIT(REGISTERED_RING)) != 0);
        struct io_uring_probe *probe = io_uring_get_probe_ring(uring);
        cr_expect_eq((profile.features & FEATURE_BIT(SEND_ZC)) != 0,
                     io_uring_opcode_supported(probe, IORING_OP_SENDMSG_ZC) != 0);
        io_uring_free_probe(probe);
        ring_close(ring);
    }
    cr_expect_eq(probes, 0);
    without_probe = true;
    ring_close(open_plain());
    cr_expect_eq(profile.features & FEATURE_BIT(SEND_ZC), 0u);
    registrations = 0;
    ring_close(open_with(FEATURE_BIT(REGISTERED_RING) | FEATURE_BIT(BUFFER_RING), 0));
    cr_expect_eq(profile.features & (FEATURE_BIT(REGISTERED_RING) | FEATURE_BIT(BUFFER_RING) |
                                     FEATURE_BIT(MULTISHOT_RECEIVE)),
                 0u);
    cr_expect_eq(registrations, 0);
    registered = -EINVAL;
    uint32_t features = profile.features;
    struct ring *ring = open_with(FEATURE_BIT(BUFFER_RING), 0);
    cr_expect(registrations == 1 && profile.features == features);
    ring_submit(ring);
    cr_expect_eq(asked.flags & IORING_ENTER_REGISTERED_RING, 0u);
    ring_close(ring);
}

/* It rounds up. */
Test(ring_asks, for_entries_and_says_how_many_there_are)
{
    const struct ring_config config = {.submission_entries = 60, .completion_entries = 100};
    struct ring *ring;
    cr_assert_eq(ring_open(&ring, &config, &profile), 0);
    cr_expect(profile.submission_entries == 64 && profile.completion_entries == 128);
    ring_close(ring);
}

Test(ring_asks, for_no_buffers_where_there_can_be_none)
{
    struct ring *ring = open_with(FEATURE_BIT(BUFFER_RING), 0);
    int64_t live = memory_live_count();
    cr_expect_eq(ring_register_buffers(ring), 0);
    cr_expect_eq(memory_live_count(), live);
    ring_close(ring);
    cr_expect_eq(memory_live_count(), live - 1);
    ring = open_plain();
    live = memory_live_count();
    memory_fail_nth(1);
    cr_expect_eq(ring_register_buffers(ring), -ENOMEM);
    error_clear_text();
    cr_expect_eq(ring_register_buffers(ring), 0);
    cr_expect_str_eq(weir_last_error_text(), "");
    cr_expect_eq(memory_live_count(), live + 1);
    ring_close(ring);
    cr_expect_eq(memory_live_count(), live - 1);
    ring = open_plain();
    registered = -ENOMEM;
    cr_expect_eq(ring_register_buffers(ring), RING_LACKS_MEMORY);
    ring_close(ring);
    cr_expect_eq(memory_live_count(), live - 1);
}

/* For how long, and for how many completions. */
Test(ring_asks, for_so_long)
{
    static const struct {
        uint64_t timeout_ns;
        uint32_t gather_us;
        unsigned wanted;
        uint32_t least_us;
        int64_t seconds;
        int64_t nanoseconds;
    } sleeps[] = {
        {1, 0, 1, 0, 0, 1},
        {1500000001, 0, 1, 0, 1, 500000001},
        {1500000001, 50, 32, 50, 1, 500000001},
        {50001, 50, 32, 50, 0, 50001},
        {49999, 50, 32, 49, 0, 49999},
        {999, 50, 1, 0, 0, 999},
    };
    kernel_features = HAS_MIN_WAIT;
    for (size_t i = 0; i < sizeof(sleeps) / sizeof(sleeps[0]); i++) {
        struct ring *ring = open_with(0, sleeps[i].gather_us);
        ring_turn(ring, sleeps[i].timeout_ns);
        cr_expect(asked.made == 1 && asked.count == 0, "row %zu", i);
        cr_expect_neq(asked.flags & IORING_ENTER_GETEVENTS, 0u);
        cr_expect_eq(asked.wanted, sleeps[i].wanted, "row %zu", i);
        cr_expect_eq(asked.argument.least_us, sleeps[i].least_us, "row %zu", i);
        cr_expect_eq(asked.argument.mask_size, _NSIG / 8);
        cr_expect_eq(asked.timeout.tv_sec, sleeps[i].seconds, "row %zu", i);
        cr_expect_eq(asked.timeout.tv_nsec, sleeps[i].nanoseconds, "row %zu", i);
        ring_close(ring);
    }
    struct ring *ring = open_with(FEATURE_BIT(MIN_WAIT), 50);
    ring_turn(ring, UINT64_MAX);
    cr_expect(asked.wanted == 1 && asked.argument.least_us == 0);
    cr_expect_eq(asked.argument.timeout, 0u, "for ever");
    ring_turn(ring, 0);
    cr_expect_eq(asked.made, 1u, "there is nothing to do");
    ring_cancel(ring, MARK, 1);
    ring_turn(ring, 0);
    cr_expect(asked.made == 2 && asked.wanted == 0 && asked.count == 1);
    cr_expect(asked.timeout.tv_sec == 0 && asked.timeout.tv_nsec == 0);
    ring_submit(ring);
    cr_expect(asked.made == 3 && (asked.flags & IORING_ENTER_GETEVENTS) == 0);
    ring_close(ring);
}

/* What the kernel did not take is offered again. */
Test(ring_asks, again_for_what_was_refused)
{
    static const int answers[] = {-EINTR, -EAGAIN, -EBUSY, -ETIME, 0};
    struct ring *ring = open_plain();
    ring_cancel(ring, MARK, 1);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        answer = answers[i];
        ring_submit(ring);
        cr_expect(asked.count == 1 && ring_pending(ring) == 1, "row %zu", i);
        cr_expect_eq(ring_get_counters(ring).system_calls, i + 1);
    }
    ring_close(ring);
}

Test(ring_asks, nobody_who_has_lost_a_completion, .signal = SIGABRT)
{
    struct ring *ring = open_plain();
    answer = -EBADR;
    ring_submit(ring);
}

Test(ring_asks, when_the_kernel_has_to_be_asked)
{
    static const unsigned marks[] = {IORING_SQ_TASKRUN, IORING_SQ_CQ_OVERFLOW};
    struct ring *ring = open_plain();
    cr_expect(!ring_has_work(ring) && ring_ready(ring) == 0);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        *uring->sq.kflags |= marks[i];
        cr_expect(ring_has_work(ring), "row %zu", i);
        ring_turn(ring, 0);
        cr_expect_eq(asked.made, i + 1);
        cr_expect_eq(ring_get_counters(ring).overflows, i, "only one of them overflows");
        cr_expect_eq(ring_ready(ring) > 0, i == 1);
        cr_expect_geq(ring_ready(ring) + (1u << 30), 1u << 30, "others may be added");
        *uring->sq.kflags &= ~marks[i];
    }
    ring_close(ring);
}

Test(ring_takes, what_the_kernel_says)
{
    static const struct {
        uint32_t flags;
        int32_t result;
        uint32_t taken;
    } rows[] = {
        {0, 0, 0},
        {IORING_CQE_F_MORE, 5, RING_MORE},
        {IORING_CQE_F_BUFFER | 7u << 16, 5, RING_BUFFER | 7u << 16},
        {IORING_CQE_F_BUFFER | IORING_CQE_F_MORE | 9u << 16, 5, RING_BUFFER | RING_MORE | 9u << 16},
        {IORING_CQE_F_NOTIF, 0, RING_NOTIFY},
        {IORING_CQE_F_NOTIF, INT32_MIN, RING_NOTIFY | RING_COPIED},
        {0, INT32_MIN, 0},
        {IORING_CQE_F_SOCK_NONEMPTY, 5, 0},
    };
    enum { COUNT = sizeof(rows) / sizeof(rows[0]) };
    struct ring_completion taken[COUNT + 1];
    struct ring *ring = open_plain();
    unsigned tail = *uring->cq.ktail;
    for (unsigned i = 0; i < COUNT; i++)
        uring->cq.cqes[(tail + i) & *uring->cq.kring_mask] =
            (struct io_uring_cqe){.user_data = i, .res = rows[i].result, .flags = rows[i].flags};
    *uring->cq.ktail = tail + COUNT;
    cr_expect(ring_has_work(ring) && ring_ready(ring) == COUNT);
    cr_expect_eq(ring_take(ring, taken, 3), 3u);
    cr_expect_eq(ring_ready(ring), COUNT - 3u);
    cr_expect_eq(ring_take(ring, taken + 3, COUNT), COUNT - 3u);
    for (unsigned i = 0; i < COUNT; i++) {
        cr_expect(taken[i].user_data == i && taken[i].result == rows[i].result, "row %u", i);
        cr_expect_eq(taken[i].flags, rows[i].taken, "row %u", i);
    }
    cr_expect_eq(ring_take(ring, taken, COUNT), 0u);
    ring_close(ring);
}
