/* SPDX-License-Identifier: MIT */
/*
 * A socket that is flooded does not hold up its neighbour on the same scheduler. The scheduler has
 * one core, who floods and who asks the other; the flood takes what the core's other thread leaves
 * (SCHED_IDLE), or it were the flood's time slices that are measured, and not the scheduler.
 */
#include "integration/plain.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SCHEDULERS_CORE "0"
#define PEERS_CORE      1

enum { ROUNDS = 10, COUNT = 200, TIMES_MOST = 2, ATTEMPTS = 12 };

struct flooder {
    weir_socket socket;
    atomic_bool over;
    atomic_bool pauses;
};

/* One core is all that some machines have. */
static void go_to(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static void *flood(void *data)
{
    struct flooder *flooder = data;
    const struct timespec moment = {.tv_nsec = 1000000};
    const struct sched_param none = {0};
    struct plain plain = plain_open();
    cr_assert(sched_setscheduler(0, SCHED_IDLE, &none) == 0);
    while (!atomic_load(&flooder->over)) {
        if (atomic_load(&flooder->pauses))
            nanosleep(&moment, NULL);
        else
            plain_say(&plain, flooder->socket, "flood");
    }
    close(plain.fd);
    return NULL;
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    cr_expect(weir_send_packet(socket, packet) == 0);
}

static void ignore(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    (void)packet;
    (void)data;
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

static void time_echoes(const struct plain *plain, weir_socket socket, int64_t *times)
{
    for (int i = 0; i < COUNT; i++) {
        int64_t began = now_ns();
        plain_say(plain, socket, "timed");
        plain_expect(plain, "timed");
        times[i] = now_ns() - began;
    }
}

/* With at least as many datagrams of the flood as echoes: the flooder may have had no core. */
static void time_flooded(const struct plain *plain, weir_socket socket, struct flooder *flooder,
                         int64_t *times)
{
    uint64_t until = now_ms() + WAIT_MS;
    int64_t came;
    atomic_store(&flooder->pauses, false);
    do {
        int64_t before = statistics_of(flooder->socket).recv_cnt;
        time_echoes(plain, socket, times);
        came = statistics_of(flooder->socket).recv_cnt - before;
    } while (came < COUNT && now_ms() < until);
    atomic_store(&flooder->pauses, true);
    cr_expect(came >= COUNT, "that was no flood");
}

static int64_t percentile(int64_t *times, int percent)
{
    qsort(times, (size_t)ROUNDS * COUNT, sizeof(*times), compare);
    return times[ROUNDS * COUNT * percent / 100];
}

/* Turn and turn about, so that what else the machine does falls on both. Of p99. */
static double flooded_to_idle(const struct plain *plain, weir_socket neighbour,
                              struct flooder *flooder)
{
    static int64_t idle[ROUNDS * COUNT];
    static int64_t flooded[ROUNDS * COUNT];
    for (int round = 0; round < ROUNDS; round++) {
        time_echoes(plain, neighbour, &idle[round * COUNT]);
        time_flooded(plain, neighbour, flooder, &flooded[round * COUNT]);
    }
    for (int percent = 50; percent <= 99; percent += 49)
        fprintf(stderr, "p%d beside an idle socket %.1f us, beside a flooded one %.1f us\n",
                percent, (double)percentile(idle, percent) / 1000,
                (double)percentile(flooded, percent) / 1000);
    return (double)percentile(flooded, 99) / (double)percentile(idle, 99);
}

/* What else the machine does can make p99 whatever it likes, on one side: some attempts, then. A
 * neighbour that had to wait for the flood's end would not be in time with any. */
Test(udp_neighbour, a_flooded_socket_leaves_it_its_turn)
{
    static const weir_handler echoing = {.packet = echo};
    static const weir_handler ignoring = {.packet = ignore};
    const weir_config config = {.schedulers = 1, .cpus = SCHEDULERS_CORE};
    struct loopback loopback = loopback_start(&config);
    struct plain plain = plain_open();
    pthread_t thread;
    double least = TIMES_MOST + 1;
    weir_socket neighbour =
        open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&echoing, NULL));
    struct flooder flooder = {.pauses = true};
    flooder.socket = open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&ignoring, NULL));
    go_to(PEERS_CORE);
    cr_assert(pthread_create(&thread, NULL, flood, &flooder) == 0);
    for (int attempt = 0; attempt < ATTEMPTS && least > TIMES_MOST; attempt++) {
        double ratio = flooded_to_idle(&plain, neighbour, &flooder);
        least = ratio < least ? ratio : least;
    }
    atomic_store(&flooder.over, true);
    pthread_join(thread, NULL);
    cr_expect(least <= TIMES_MOST, "p99 is %.2f times what it is beside an idle one", least);
    end(&loopback, &plain);
}
