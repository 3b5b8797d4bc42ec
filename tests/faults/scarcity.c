/* SPDX-License-Identifier: MIT */
/* A kernel that answers the same operations with the same error over and over: they are made again
 * later and not at once, which would cost a core, who should know is told, and once the kernel has
 * recovered everything goes on. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "runtime/ring/ring.h"
#include "scenario.h"
#include <weir/weir.h>

enum fault { NONE, RECEIVE, SEND, ACCEPT, WATCH };

static _Atomic(enum fault) faulty;
static atomic_int error;
static atomic_int failures_left;

/* Answers that are not the kernel's; there is one scheduler. */
enum { ANSWERS_MAX = 64 };
static struct ring_completion answers[ANSWERS_MAX];
static uint32_t answer_count;

static bool answered(enum fault operation, uint64_t user_data)
{
    if (atomic_load(&faulty) != operation || answer_count == ANSWERS_MAX ||
        atomic_fetch_sub(&failures_left, 1) <= 0)
        return false;
    answers[answer_count++] = (struct ring_completion){user_data, atomic_load(&error), 0};
    return true;
}

void __real_ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot);
void __wrap_ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot);
void __real_ring_receive_into(struct ring *ring, uint64_t user_data, int fd,
                              struct ring_memory memory);
void __wrap_ring_receive_into(struct ring *ring, uint64_t user_data, int fd,
                              struct ring_memory memory);
void __real_ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes,
                      size_t size);
void __wrap_ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes,
                      size_t size);
void __real_ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot);
void __wrap_ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot);
void __real_ring_watch_writable(struct ring *ring, uint64_t user_data, int fd);
void __wrap_ring_watch_writable(struct ring *ring, uint64_t user_data, int fd);
uint32_t __real_ring_take(struct ring *ring, struct ring_completion *completions, uint32_t count);
uint32_t __wrap_ring_take(struct ring *ring, struct ring_completion *completions, uint32_t count);
void __real_ring_turn(struct ring *ring, uint64_t timeout_ns);
void __wrap_ring_turn(struct ring *ring, uint64_t timeout_ns);

void __wrap_ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    if (!answered(RECEIVE, user_data))
        __real_ring_receive(ring, user_data, fd, multishot);
}

void __wrap_ring_receive_into(struct ring *ring, uint64_t user_data, int fd,
                              struct ring_memory memory)
{
    if (!answered(RECEIVE, user_data))
        __real_ring_receive_into(ring, user_data, fd, memory);
}

/* A full kernel is the only reason to ask for room. */
void __wrap_ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes, size_t size)
{
    bool full = atomic_load(&faulty) == WATCH && answer_count < ANSWERS_MAX;
    if (full)
        answers[answer_count++] = (struct ring_completion){user_data, -EAGAIN, 0};
    else if (!answered(SEND, user_data))
        __real_ring_send(ring, user_data, fd, bytes, size);
}

void __wrap_ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    if (!answered(ACCEPT, user_data))
        __real_ring_accept(ring, user_data, fd, multishot);
}

void __wrap_ring_watch_writable(struct ring *ring, uint64_t user_data, int fd)
{
    if (!answered(WATCH, user_data))
        __real_ring_watch_writable(ring, user_data, fd);
}

uint32_t __wrap_ring_take(struct ring *ring, struct ring_completion *completions, uint32_t count)
{
    uint32_t taken = answer_count < count ? answer_count : count;
    memcpy(completions, answers, taken * sizeof(*answers));
    answer_count -= taken;
    memmove(answers, answers + taken, answer_count * sizeof(*answers));
    return taken + __real_ring_take(ring, completions + taken, count - taken);
}

void __wrap_ring_turn(struct ring *ring, uint64_t timeout_ns)
{
    __real_ring_turn(ring, answer_count > 0 ? 0 : timeout_ns);
}

static weir_runtime *runtime;
static weir_socket service;
static atomic_int told;

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    if (weir_send_packet(socket, packet) < 0)
        weir_close(socket);
}

static void note_error(weir_socket socket, int reason, void *data)
{
    (void)data;
    if (weir_same_socket(socket, service))
        atomic_store(&told, reason);
}

static const weir_handler handler = {.packet = echo, .error = note_error};

static int dial(void)
{
    const struct timeval most = {.tv_sec = 20};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)weir_port(service)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static bool echoes(int fd)
{
    char back;
    return send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, &back, 1, 0) == 1;
}

static weir_totals totals(void)
{
    weir_totals now;
    (void)weir_get_totals(runtime, -1, &now);
    return now;
}

struct scarcity {
    enum fault fault;
    int error;
    int told; /* to the owner; 0: nothing */
};

static const struct scarcity scarcities[] = {
    {RECEIVE, -ENOMEM, 0}, {RECEIVE, -ENOBUFS, 0},     {SEND, -ENOMEM, 0},
    {SEND, -ENOBUFS, 0},   {WATCH, -ENOMEM, 0},        {ACCEPT, -ENOMEM, 0},
    {ACCEPT, -EMFILE, 0},  {ACCEPT, -EINVAL, -EINVAL}, {ACCEPT, -ECONNABORTED, 0},
    {ACCEPT, -EPROTO, 0},  {ACCEPT, -EBADF, -EBADF},
};

/* Lets it fail for half a second, and looks how often it is tried meanwhile. */
static int suffer(const struct scarcity *scarcity, int fd)
{
    enum { TURNS_MOST = 400 };
    const struct timespec half = {.tv_nsec = 500000000};
    weir_totals before = totals();
    atomic_store(&error, scarcity->error);
    atomic_store(&failures_left, INT_MAX);
    atomic_store(&faulty, scarcity->fault);
    int another = scarcity->fault == ACCEPT ? dial() : -1; /* ends the accept there is */
    EXPECT(scarcity->fault == ACCEPT || send(fd, "yz", 2, MSG_NOSIGNAL) == 2, "no send");
    nanosleep(&half, NULL);
    uint64_t turns = totals().turns - before.turns;
    uint64_t pauses = totals().accept_pauses + totals().memory_pauses - before.accept_pauses -
                      before.memory_pauses;
    EXPECT(turns < TURNS_MOST, "%lu turns", (unsigned long)turns);
    EXPECT(pauses > 0, "it is counted nowhere");
    EXPECT(atomic_load(&told) == scarcity->told, "the owner was told %d", atomic_load(&told));
    if (another >= 0)
        close(another);
    return 0;
}

/* On Linux one more connection ends a multishot accept that there is, by not being one: the others
 * of the round start without. */
static int run(const struct scarcity *scarcity)
{
    const weir_option *options = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE));
    char back[2];
    setenv("WEIR_FEATURES_OFF", "multishot_accept,multishot_receive", 1);
    EXPECT(weir_start(&runtime, &(weir_config){.schedulers = 1}) == 0, "%s",
           weir_last_error_text());
    atomic_store(&told, 0);
    EXPECT(weir_tcp_serve(runtime, "127.0.0.1", 0, options, weir_handled_by(&handler, NULL),
                          &service) == 0,
           "%s", weir_last_error_text());
    int fd = dial();
    EXPECT(fd >= 0 && echoes(fd), "no echo");
    if (suffer(scarcity, fd) != 0)
        return 1;
    atomic_store(&faulty, NONE);
    if (scarcity->fault != ACCEPT)
        EXPECT(recv(fd, back, 2, MSG_WAITALL) == 2, "what was sent meanwhile is lost");
    EXPECT(echoes(fd), "it does not go on");
    int later = dial();
    EXPECT(later >= 0 && echoes(later), "no connection comes any more");
    close(later);
    close(fd);
    weir_stop(runtime);
    return 0;
}

/* One connection that went again is nothing to wait for; what may be lacking for long is. */
static int fail_once(int one_error, uint64_t expected)
{
    EXPECT(weir_start(&runtime, &(weir_config){.schedulers = 1}) == 0, "%s",
           weir_last_error_text());
    EXPECT(weir_tcp_serve(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&handler, NULL),
                          &service) == 0,
           "%s", weir_last_error_text());
    atomic_store(&error, one_error);
    atomic_store(&failures_left, 1);
    atomic_store(&faulty, ACCEPT);
    int first =
        dial(); /* ends the accept there is; the next one fails, and the one after is good */
    int second = dial();
    EXPECT(first >= 0 && second >= 0 && echoes(first) && echoes(second), "no echo");
    EXPECT(atomic_load(&failures_left) <= 0, "it did not fail");
    EXPECT(totals().accept_pauses == expected, "%s: %lu pauses", weir_error_name(one_error),
           (unsigned long)totals().accept_pauses);
    atomic_store(&faulty, NONE);
    close(first);
    close(second);
    weir_stop(runtime);
    return 0;
}

static int count_pauses(void)
{
    static const int lasting[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, EINVAL};
    static const int passing[] = {EINTR, EAGAIN, ECONNABORTED, EPROTO, EPERM, ETIMEDOUT};
    int failed = 0;
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
        failed += fail_once(-lasting[i], 1);
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        failed += fail_once(-passing[i], 0);
    return failed;
}

int main(void)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof(scarcities) / sizeof(scarcities[0]); i++) {
        printf("operation %d, %s\n", scarcities[i].fault, weir_error_name(scarcities[i].error));
        fflush(stdout);
        failed += run(&scarcities[i]);
    }
    return failed + count_pauses() > 0;
}
