/* SPDX-License-Identifier: MIT */
/* What a datagram and a socket cost: no allocation and no lock, and how much memory; and that a
 * socket that is flooded does not hold up its neighbour. */
#include "integration/plain.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

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

/* A flood of one socket, while another's echo is timed. */
struct flooder {
    weir_socket socket;
    atomic_bool over;
    atomic_bool pauses;
};

static void *flood(void *data)
{
    struct flooder *flooder = data;
    const struct timespec moment = {.tv_nsec = 1000000};
    struct plain plain = plain_open();
    while (!atomic_load(&flooder->over)) {
        if (atomic_load(&flooder->pauses))
            nanosleep(&moment, NULL);
        else
            plain_say(&plain, flooder->socket, "flood");
    }
    close(plain.fd);
    return NULL;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static void time_echoes(const struct plain *plain, weir_socket socket, int64_t *times, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t began = now_ns();
        plain_say(plain, socket, "timed");
        plain_expect(plain, "timed");
        times[i] = now_ns() - began;
    }
}

/* With at least as many datagrams of the flood as echoes: the flooder may have had no core. */
static void time_flooded(const struct plain *plain, weir_socket socket, struct flooder *flooder,
                         int64_t *times, int count)
{
    uint64_t until = now_ms() + WAIT_MS;
    int64_t came;
    atomic_store(&flooder->pauses, false);
    do {
        int64_t before = statistics_of(flooder->socket).recv_cnt;
        time_echoes(plain, socket, times, count);
        came = statistics_of(flooder->socket).recv_cnt - before;
    } while (came < count && now_ms() < until);
    atomic_store(&flooder->pauses, true);
    cr_expect(came >= count, "that was no flood");
}

static void ignore(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    (void)data;
}

static int64_t percentile(int64_t *times, int count, int percent)
{
    qsort(times, (size_t)count, sizeof(*times), compare);
    return times[count * percent / 100];
}

/* Turn and turn about, so that what else the machine does falls on both. The flooder needs a core
 * of its own, and what it takes of the timed one's is no business of weir's: so the bound is wide,
 * and what was measured is printed. */
Test(udp_cost, a_flooded_socket_leaves_its_neighbour_its_turn)
{
    enum { ROUNDS = 10, COUNT = 300, TIMES_MOST = 10 };
    static const weir_handler ignoring = {.packet = ignore};
    static int64_t idle[ROUNDS * COUNT];
    static int64_t flooded[ROUNDS * COUNT];
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    atomic_int failures = 0;
    pthread_t thread;
    weir_socket neighbour =
        open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&echo_handler, &failures));
    struct flooder flooder = {.pauses = true};
    flooder.socket = open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&ignoring, NULL));
    cr_assert(pthread_create(&thread, NULL, flood, &flooder) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        time_echoes(&plain, neighbour, &idle[round * COUNT], COUNT);
        time_flooded(&plain, neighbour, &flooder, &flooded[round * COUNT], COUNT);
    }
    atomic_store(&flooder.over, true);
    pthread_join(thread, NULL);
    for (int percent = 50; percent <= 99; percent += 49)
        fprintf(stderr,
                "p%d of an echo beside an idle socket %.1f us, beside a flooded one %.1f us\n",
                percent, (double)percentile(idle, ROUNDS * COUNT, percent) / 1000,
                (double)percentile(flooded, ROUNDS * COUNT, percent) / 1000);
    cr_expect(percentile(flooded, ROUNDS * COUNT, 99) <
              TIMES_MOST * percentile(idle, ROUNDS * COUNT, 99));
    end(&loopback, &plain);
}
