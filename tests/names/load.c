/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand look-ups at once beside a ping-pong on the same scheduler: all are answered, and
 * memory comes back. How much later the pongs come is printed and no more: it says little on a
 * machine that others use. Beside it what they are late when another scheduler looks the names up:
 * that much the name server and the asking thread take of the machine. Argument: rounds, which are
 * then measured with precedence over all else on the machine.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

#include "base/check.h"
#include "base/memory.h"
#include "support/dns_server.h"

enum { LOOK_UPS = 10000, PINGS = 3000, ROUNDS = 5, ROUNDS_MOST = 100, SKIPPED = 77 };

enum load { ALONE, ELSEWHERE, SAME, LOAD_COUNT };

static weir_runtime *runtime;
static weir_runtime *other; /* whose scheduler looks names up elsewhere */
static atomic_int answered;
static atomic_int failures;
static atomic_uint next_name;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    CHECK_EQ(weir_send_packet(socket, packet), 0);
}

static const weir_handler echo = {.packet = on_packet};

static void found(const weir_hostent *hostent, int result, void *data)
{
    (void)hostent;
    (void)data;
    atomic_fetch_add(&failures, result < 0);
    atomic_fetch_add(&answered, 1);
}

static void ask(weir_runtime *asked)
{
    char name[32];
    snprintf(name, sizeof(name), "known%u.test.", atomic_fetch_add(&next_name, 1));
    CHECK_EQ(weir_gethostbyname_async(asked, name, WEIR_INET, -1, found, NULL), 0);
}

static int connect_to_echo(int port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* The 99th percentile of so many pings, or of as many as there are look-ups under way. */
static uint64_t ping(int fd, bool while_asking)
{
    static uint64_t times[PINGS];
    int count = 0;
    for (; count < PINGS && (!while_asking || atomic_load(&answered) < LOOK_UPS); count++) {
        char byte = 'x';
        uint64_t began = now_ns();
        CHECK_EQ(write(fd, &byte, 1), 1);
        CHECK_EQ(read(fd, &byte, 1), 1);
        times[count] = now_ns() - began;
    }
    CHECK_GT(count, 0);
    qsort(times, (size_t)count, sizeof(times[0]), compare);
    return times[count * 99 / 100];
}

/* Others on the machine are not to be measured, nor what one waits for a core: where that is
 * allowed, pings precede schedulers, and these all else. */
static bool take_precedence(int priority)
{
    const struct sched_param parameters = {.sched_priority = priority};
    return pthread_setschedparam(pthread_self(), priority ? SCHED_FIFO : SCHED_OTHER,
                                 &parameters) == 0;
}

static void *ask_all(void *asked)
{
    (void)take_precedence(0);
    for (int i = 0; i < LOOK_UPS; i++)
        ask(asked);
    return NULL;
}

static uint64_t ping_beside_look_ups(int fd, weir_runtime *asked)
{
    pthread_t thread;
    atomic_store(&answered, 0);
    CHECK_EQ(pthread_create(&thread, NULL, ask_all, asked), 0);
    uint64_t p99 = ping(fd, true);
    pthread_join(thread, NULL);
    while (atomic_load(&answered) < LOOK_UPS)
        usleep(1000);
    return p99;
}

/* Who measures, the name server and who asks have one core, the scheduler that is measured another:
 * whatever the machine is, they do not take it from each other. */
static int cores[CPU_SETSIZE];
static int core_count;

static void find_cores(void)
{
    cpu_set_t allowed;
    CHECK_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed))
            cores[core_count++] = i;
}

static void stay_on(int first, int count)
{
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    for (int i = 0; i < count; i++)
        CPU_SET(cores[first + i], &wanted);
    CHECK_EQ(sched_setaffinity(0, sizeof(wanted), &wanted), 0);
}

static weir_runtime *start(const struct dns_server *server, int core)
{
    weir_runtime *started;
    char cpus[16];
    snprintf(cpus, sizeof(cpus), "%d", cores[core]);
    char terms[256];
    snprintf(terms, sizeof(terms),
             "{lookup,[dns]}. {resolv_conf,\"\"}. {cache_size,0}. {timeout,6000}. "
             "{nameserver,{127,0,0,1},%u}.",
             dns_server_port(server));
    const weir_config config = {.schedulers = 1, .cpus = cpus, .inet_terms = terms};
    int result = weir_start(&started, &config);
    if (result == -EPERM || result == -ENOSYS)
        exit(SKIPPED);
    CHECK_EQ(result, 0);
    return started;
}

/* What its scheduler has spent. */
static double busy_s(void)
{
    weir_totals totals;
    CHECK_EQ(weir_get_totals(runtime, 0, &totals), 0);
    return (double)totals.busy_ns / 1e9;
}

static uint64_t median(uint64_t *times, int count)
{
    qsort(times, (size_t)count, sizeof(times[0]), compare);
    return times[count / 2];
}

/* Interleaved, as the machine changes by the minute. What the look-ups took of the scheduler. */
static double measure(int fd, uint64_t p99[LOAD_COUNT][ROUNDS_MOST], int rounds)
{
    double spent_s = 0;
    for (int i = 0; i < rounds; i++) {
        p99[ALONE][i] = ping(fd, false);
        p99[ELSEWHERE][i] = ping_beside_look_ups(fd, other);
        double began_s = busy_s();
        p99[SAME][i] = ping_beside_look_ups(fd, runtime);
        spent_s += busy_s() - began_s;
    }
    return spent_s;
}

static void print(uint64_t p99[LOAD_COUNT][ROUNDS_MOST], int rounds, double spent_s)
{
    static const char *const names[] = {"alone", "beside look-ups elsewhere",
                                        "on the same scheduler"};
    double alone = (double)median(p99[ALONE], rounds);
    for (int load = ALONE; load < LOAD_COUNT; load++) {
        double time = (double)median(p99[load], rounds);
        printf("p99 %-26s %4.0f us %5.2f x\n", names[load], time / 1000, time / alone);
    }
    printf("%.0f look-ups a CPU-second, pings included; %d of %d failed\n",
           rounds * LOOK_UPS / spent_s, atomic_load(&failures), 2 * rounds * LOOK_UPS);
}

int main(int count, char **arguments)
{
    static uint64_t p99[LOAD_COUNT][ROUNDS_MOST];
    weir_socket service;
    bool measures = count > 1;
    int rounds = measures ? (int)strtol(arguments[1], NULL, 10) : ROUNDS;
    CHECK(rounds > 0 && rounds <= ROUNDS_MOST);
    find_cores();
    stay_on(core_count - 1, 1);
    struct dns_server *server = dns_server_start();
    stay_on(0, core_count);
    if (measures)
        (void)take_precedence(1); /* which their threads inherit */
    runtime = start(server, 0);
    other = start(server, core_count - 1);
    stay_on(core_count - 1, 1);
    CHECK_EQ(weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_NODELAY(true)),
                            weir_handled_by(&echo, NULL), &service),
             0);
    int fd = connect_to_echo(weir_port(service));
    if (measures && !take_precedence(2))
        printf("the pings have no precedence: what they wait for cores counts\n");
    print(p99, rounds, measure(fd, p99, rounds));
    CHECK_EQ(atomic_load(&failures), 0);
    close(fd);
    CHECK_EQ(weir_stop(runtime), 0);
    CHECK_EQ(weir_stop(other), 0);
    CHECK_EQ(memory_live_count(), 0);
    dns_server_stop(server);
}
