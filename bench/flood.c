/* SPDX-License-Identifier: MIT */
/*
 * flood [PEERS [ROUNDS]]: how long one connection waits for its echoes beside PEERS (60) peers that
 * play ping-pong too, and beside as many that send packets without bytes as fast as they can. One
 * scheduler and {packet,1}; a second of each in turn, ROUNDS (5) times. Prints each round and the
 * medians. Fails when the median p99 beside flooders is more than twice that beside polite peers.
 */
#include "common/fail.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

enum { PEERS_MOST = 200, ROUNDS_MOST = 50, TRIPS_MOST = 400000, FLOOD_BYTES = 1 << 18 };

static const uint8_t ping[2] = {1, 'x'};
static uint16_t port;

struct crowd {
    pthread_t thread;
    atomic_bool over;
    int count;
    int fds[PEERS_MOST];
};

/* Of one arrangement in one round. */
struct wait {
    double p50_ms;
    double p99_ms;
};

static void answer(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    if (packet->size > 0 && weir_send_packet(socket, packet) < 0)
        weir_close(socket);
}

static const weir_handler handler = {.packet = answer};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int dial(void)
{
    const int on = 1;
    const struct linger reset = {.l_onoff = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("cannot connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)); /* what is left goes too */
    return fd;
}

/* Peers that are other machines take no core from the server. */
static void go_last(void)
{
    const struct sched_param none = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
}

static void *flood(void *data)
{
    static const uint8_t nothing[FLOOD_BYTES];
    struct crowd *crowd = data;
    go_last();
    while (!atomic_load(&crowd->over))
        for (int i = 0; i < crowd->count; i++)
            (void)!send(crowd->fds[i], nothing, sizeof(nothing), MSG_DONTWAIT | MSG_NOSIGNAL);
    return NULL;
}

static void *play(void *data)
{
    struct crowd *crowd = data;
    uint8_t pong[2];
    go_last();
    for (int i = 0; i < crowd->count; i++)
        (void)!send(crowd->fds[i], ping, sizeof(ping), MSG_NOSIGNAL);
    while (!atomic_load(&crowd->over))
        for (int i = 0; i < crowd->count; i++)
            if (recv(crowd->fds[i], pong, sizeof(pong), MSG_DONTWAIT) == sizeof(pong))
                (void)!send(crowd->fds[i], ping, sizeof(ping), MSG_NOSIGNAL);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct wait measure(void)
{
    static double trips_ms[TRIPS_MOST];
    size_t count = 0;
    uint8_t pong[2];
    int fd = dial();
    double until_ms = now_ms() + 1000;
    while (count < TRIPS_MOST && (count == 0 || now_ms() < until_ms)) {
        double began_ms = now_ms();
        if (send(fd, ping, sizeof(ping), MSG_NOSIGNAL) != sizeof(ping) ||
            recv(fd, pong, sizeof(pong), MSG_WAITALL) != sizeof(pong))
            fail("no echo");
        trips_ms[count++] = now_ms() - began_ms;
    }
    close(fd);
    qsort(trips_ms, count, sizeof(trips_ms[0]), compare);
    return (struct wait){trips_ms[count / 2], trips_ms[count * 99 / 100]};
}

/* Of three threads that are busy one would wait for a core, which is none of the server's doing:
 * not the one that measures. Who may not say so measures that, too. */
static void go_first(void)
{
    const struct sched_param lowest = {.sched_priority = 1};
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &lowest) != 0)
        puts("without a priority of its own, so waits for a core are in it");
}

static void go_with_others(void)
{
    const struct sched_param none = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
}

static weir_runtime *serve(void)
{
    const weir_option *options =
        WEIR_OPTIONS(WEIR_PACKET(WEIR_1), WEIR_NODELAY(true), WEIR_BACKLOG(500));
    weir_runtime *runtime;
    weir_socket service;
    if (weir_start(&runtime, &(weir_config){.schedulers = 1}) < 0 ||
        weir_tcp_serve(runtime, "127.0.0.1", 0, options, weir_handled_by(&handler, NULL),
                       &service) < 0)
        fail("%s", weir_last_error_text());
    port = (uint16_t)weir_port(service);
    return runtime;
}

/* A server of its own, so that nothing is left of the last one's flood. */
static struct wait measure_beside(void *(*behave)(void *), int peers)
{
    static struct crowd crowd;
    weir_runtime *runtime = serve();
    atomic_store(&crowd.over, false);
    crowd.count = peers;
    for (int i = 0; i < peers; i++)
        crowd.fds[i] = dial();
    if (pthread_create(&crowd.thread, NULL, behave, &crowd) != 0)
        fail("no thread");
    go_first();
    struct wait wait = measure();
    go_with_others();
    atomic_store(&crowd.over, true);
    pthread_join(crowd.thread, NULL);
    for (int i = 0; i < peers; i++)
        close(crowd.fds[i]);
    weir_stop(runtime);
    return wait;
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), compare);
    return values[count / 2];
}

static bool compare_rounds(int peers, int rounds)
{
    double polite_ms[ROUNDS_MOST];
    double flood_ms[ROUNDS_MOST];
    printf("beside %d polite peers    beside %d flooders\n", peers, peers);
    for (int i = 0; i < rounds; i++) {
        struct wait polite = measure_beside(play, peers);
        struct wait beside = measure_beside(flood, peers);
        polite_ms[i] = polite.p99_ms;
        flood_ms[i] = beside.p99_ms;
        printf("p50 %.3f p99 %.3f ms   p50 %.3f p99 %.3f ms\n", polite.p50_ms, polite.p99_ms,
               beside.p50_ms, beside.p99_ms);
    }
    double ratio = median(flood_ms, rounds) / median(polite_ms, rounds);
    printf("median p99 %.3f and %.3f ms: %.2f\n", median(polite_ms, rounds),
           median(flood_ms, rounds), ratio);
    return ratio <= 2;
}

/* What the argument says, from 1 to `most`. */
static int number_of(const char *text, long most)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*end || number < 1 || number > most)
        fail("usage: flood [PEERS [ROUNDS]]: %s", text);
    return (int)number;
}

int main(int count, char **arguments)
{
    int peers = count > 1 ? number_of(arguments[1], PEERS_MOST) : 60;
    int rounds = count > 2 ? number_of(arguments[2], ROUNDS_MOST) : 5;
    return !compare_rounds(peers, rounds);
}
