/* SPDX-License-Identifier: MIT */
/* What a datagram and a socket cost: no allocation and no lock, and how much memory. */
#include "integration/plain.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/memory.h"

enum { DEPTH = 16 };

/* Every lock that the scheduler's thread takes; others are the test's. */
static _Thread_local bool is_counted;
static atomic_ulong locks;

typedef int lock_function(pthread_mutex_t *mutex);

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static _Atomic(lock_function *) real;
    lock_function *lock = atomic_load(&real);
    if (!lock) {
        *(void **)&lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
        atomic_store(&real, lock);
    }
    if (is_counted)
        atomic_fetch_add(&locks, 1);
    return lock(mutex);
}

static void count_here(void *unused)
{
    (void)unused;
    is_counted = true;
}

static void take_a_lock(void *unused)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    (void)unused;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    atomic_int *failures = data;
    if (weir_send_packet(socket, packet) < 0)
        atomic_fetch_add(failures, 1);
}

static const weir_handler echo_handler = {.packet = echo};

static void echo_rounds(const struct plain *plain, weir_socket socket, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < DEPTH; i++)
            plain_say(plain, socket, "a datagram that is echoed");
        for (int i = 0; i < DEPTH; i++)
            plain_expect(plain, "a datagram that is echoed");
    }
}

Test(udp_cost, an_echo_takes_no_lock_and_allocates_nothing)
{
    enum { WARM = 100, ROUNDS = 500 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    atomic_int failures = 0;
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{recbuf,200000},{buffer,2000}]",
                                   weir_handled_by(&echo_handler, &failures));
    run_there(loopback.runtime, 0, count_here, NULL);
    run_there(loopback.runtime, 0, take_a_lock, NULL);
    cr_assert(atomic_load(&locks) >= 1, "locks are not counted");
    echo_rounds(&plain, socket, WARM);
    unsigned long locked = atomic_load(&locks);
    uint64_t allocations = memory_allocation_count();
    echo_rounds(&plain, socket, ROUNDS);
    locked = atomic_load(&locks) - locked;
    allocations = memory_allocation_count() - allocations;
    cr_expect(locked == 0, "%lu locks for %d datagrams", locked, ROUNDS * DEPTH);
    cr_expect(allocations == 0, "%lu allocations", (unsigned long)allocations);
    cr_expect(atomic_load(&failures) == 0);
    end(&loopback, &plain);
}

/* Of the C library's allocator; what its chunks take beside their bytes counts too. */
Test(udp_cost, an_open_socket_takes_little_memory)
{
#ifdef __SANITIZE_ADDRESS__
    cr_skip_test("the sanitizer's allocator does not say");
#endif
    enum { WARM = 16, COUNT = 2000, BYTES_MOST = 512 };
    struct rlimit files = {COUNT + 200, COUNT + 200};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    struct loopback loopback = loopback_start(NULL);
    struct mallinfo2 before = {0};
    for (int i = 0; i < WARM + COUNT; i++) {
        if (i == WARM)
            before = mallinfo2();
        (void)open_passive(&loopback);
    }
    struct mallinfo2 after = mallinfo2();
    double bytes =
        (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / COUNT;
    fprintf(stderr, "user memory of an open UDP socket: %.1f bytes\n", bytes);
    cr_expect(bytes > 0 && bytes <= BYTES_MOST, "%.1f bytes", bytes);
    loopback_close(&loopback);
}
