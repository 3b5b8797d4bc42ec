/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand look-ups at once beside a ping-pong on the same scheduler: all are answered, and
 * memory comes back. How much later the pongs come is printed and no more: it says little on a
 * machine that others use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

#include "base/check.h"
#include "base/memory.h"
#include "support/dns_server.h"

enum { LOOK_UPS = 10000, PINGS = 3000, ROUNDS = 5, SKIPPED = 77 };

static weir_runtime *runtime;
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

static void ask(void);

static void found(const weir_hostent *hostent, int result, void *data)
{
    (void)hostent;
    (void)data;
    atomic_fetch_add(&failures, result < 0);
    atomic_fetch_add(&answered, 1);
}

static void ask(void)
{
    char name[32];
    snprintf(name, sizeof(name), "known%u.test.", atomic_fetch_add(&next_name, 1));
    CHECK_EQ(weir_gethostbyname_async(runtime, name, WEIR_INET, -1, found, NULL), 0);
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

static void *ask_all(void *unused)
{
    (void)unused;
    for (int i = 0; i < LOOK_UPS; i++)
        ask();
    return NULL;
}

static uint64_t ping_beside_look_ups(int fd)
{
    pthread_t thread;
    atomic_store(&answered, 0);
    CHECK_EQ(pthread_create(&thread, NULL, ask_all, NULL), 0);
    uint64_t p99 = ping(fd, true);
    pthread_join(thread, NULL);
    while (atomic_load(&answered) < LOOK_UPS)
        usleep(1000);
    return p99;
}

static void start(const struct dns_server *server)
{
    char terms[256];
    snprintf(terms, sizeof(terms),
             "{lookup,[dns]}. {resolv_conf,\"\"}. {cache_size,0}. {timeout,6000}. "
             "{nameserver,{127,0,0,1},%u}.",
             dns_server_port(server));
    const weir_config config = {.schedulers = 1, .inet_terms = terms};
    int result = weir_start(&runtime, &config);
    if (result == -EPERM || result == -ENOSYS)
        exit(SKIPPED);
    CHECK_EQ(result, 0);
}

static double busy_s(void)
{
    weir_totals totals;
    CHECK_EQ(weir_get_totals(runtime, 0, &totals), 0);
    return (double)totals.busy_ns / 1e9;
}

int main(void)
{
    struct dns_server *server = dns_server_start();
    weir_socket service;
    uint64_t alone[ROUNDS];
    uint64_t beside[ROUNDS];
    start(server);
    CHECK_EQ(weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_NODELAY(true)),
                            weir_handled_by(&echo, NULL), &service),
             0);
    int fd = connect_to_echo(weir_port(service));
    double began_s = busy_s();
    for (int i = 0; i < ROUNDS; i++) {
        alone[i] = ping(fd, false);
        beside[i] = ping_beside_look_ups(fd);
    }
    double spent_s = busy_s() - began_s;
    qsort(alone, ROUNDS, sizeof(alone[0]), compare);
    qsort(beside, ROUNDS, sizeof(beside[0]), compare);
    double ratio = (double)beside[ROUNDS / 2] / (double)alone[ROUNDS / 2];
    printf("p99 alone %lu us, beside %d look-ups %lu us: %.2f x; %.0f look-ups a CPU-second, pings "
           "included; %d failed\n",
           (unsigned long)alone[ROUNDS / 2] / 1000, LOOK_UPS,
           (unsigned long)beside[ROUNDS / 2] / 1000, ratio, ROUNDS * LOOK_UPS / spent_s,
           atomic_load(&failures));
    CHECK_EQ(atomic_load(&failures), 0);
    close(fd);
    CHECK_EQ(weir_stop(runtime), 0);
    CHECK_EQ(memory_live_count(), 0);
    dns_server_stop(server);
}
