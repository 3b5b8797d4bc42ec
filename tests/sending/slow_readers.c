/* SPDX-License-Identifier: MIT */
/*
 * Many peers never read while the server writes to each as long as it may. What is queued stays
 * under the runtime's limit, everything is given back when they go away, and who reads does not
 * notice them: round trips through this runtime are measured in turn with those through another
 * one that has no such peers.
 * usage: slow_readers [PEERS [ROUNDS]]
 */
#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
enum { LIMIT = 64 << 20, CHUNK = 16384, BLOCK = 500, PEERS_MAX = 4000, ROUNDS_MAX = 100 };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void flood(weir_socket socket, void *data)
{
    static const uint8_t chunk[CHUNK];
    int result;
    (void)data;
    do
        result = weir_send(socket, chunk, sizeof(chunk));
    while (result == 0);
    CHECK(result == -EAGAIN || result == WEIR_CLOSED || result == -ENOTCONN);
}

/* "f" asks for a flood; anything else is echoed. */
static void serve_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    if (packet->bytes[0] == 'f')
        flood(socket, data);
    else
        CHECK_EQ(weir_send_packet(socket, packet), 0);
}

static const weir_handler handler = {.packet = serve_packet, .unbusy = flood};

struct server {
    weir_runtime *runtime;
    weir_socket listener;
    int reader;
    uint64_t p50[ROUNDS_MAX]; /* of each block */
    uint64_t p99[ROUNDS_MAX];
    size_t count;
};

static int connect_to(weir_socket listener, char first)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)weir_port(listener)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_GE(fd, 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    CHECK_EQ(write(fd, &first, 1), 1);
    return fd;
}

static void start(struct server *server)
{
    weir_config config = {.schedulers = 1, .queued_bytes_limit = LIMIT};
    *server = (struct server){0};
    CHECK_EQ(weir_start(&server->runtime, &config), 0);
    CHECK_EQ(weir_tcp_serve(server->runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_NODELAY(true)),
                            weir_handled_by(&handler, NULL), &server->listener),
             0);
    server->reader = connect_to(server->listener, 'e');
    char back;
    CHECK_EQ(read(server->reader, &back, 1), 1);
}

static weir_totals totals_of(const struct server *server)
{
    weir_totals totals;
    CHECK_EQ(weir_get_totals(server->runtime, -1, &totals), 0);
    return totals;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static uint64_t percentile(uint64_t *times, size_t count, double part)
{
    qsort(times, count, sizeof(uint64_t), compare);
    return times[(size_t)(part * (double)(count - 1))];
}

static void measure(struct server *server)
{
    uint64_t times[BLOCK];
    char byte = 'e';
    for (int i = 0; i < BLOCK; i++) {
        uint64_t before = now_ns();
        CHECK_EQ(write(server->reader, &byte, 1), 1);
        CHECK_EQ(read(server->reader, &byte, 1), 1);
        times[i] = now_ns() - before;
    }
    server->p50[server->count] = percentile(times, BLOCK, 0.5);
    server->p99[server->count++] = percentile(times, BLOCK, 0.99);
}

/* The median over blocks: what else the machine does falls on some of them only. */
static double median_us(const struct server *server, uint64_t *of_blocks)
{
    return (double)percentile(of_blocks, server->count, 0.5) / 1000;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void stop(struct server *server)
{
    close(server->reader);
    weir_stop(server->runtime);
}

/* Until the kernel's buffers and the queues are full: nothing more was sent for a while. */
static void wait_until_full(struct server *server, int count)
{
    enum { QUIET_NS = 200000000 };
    uint64_t sent = 0;
    uint64_t since = now_ns();
    while (totals_of(server).connections < (uint64_t)count + 1 || now_ns() - since < QUIET_NS) {
        uint64_t now_sent = totals_of(server).bytes_sent;
        if (now_sent != sent)
            since = now_ns();
        sent = now_sent;
        sched_yield();
    }
}

/* Until the kernel has most of it again; a sanitizer keeps what is freed. */
static long wait_for_return(long before_kib, long grown_kib)
{
    enum { PATIENCE_NS = 1000000000 };
    uint64_t until_ns = now_ns() + 20ul * PATIENCE_NS;
    long kept_kib = resident_kib() - before_kib;
    while (!SANITIZED && kept_kib > grown_kib / 2) {
        CHECK(now_ns() < until_ns);
        sched_yield();
        kept_kib = resident_kib() - before_kib;
    }
    return kept_kib;
}

static int report(struct server *quiet, struct server *flooded, int peers, long grown_kib)
{
    double p99 = median_us(flooded, flooded->p99);
    double p99_quiet = median_us(quiet, quiet->p99);
    weir_totals totals = totals_of(flooded);
    printf("%d peers: %.1f MiB queued of %.1f, resident +%.1f MiB, %lu times busy\n", peers,
           (double)totals.queued_bytes / 1048576, (double)LIMIT / 1048576, (double)grown_kib / 1024,
           (unsigned long)totals.busy);
    printf("round trip p50 %.1f us (%.1f without), p99 %.1f us (%.1f without): %.2f\n",
           median_us(flooded, flooded->p50), median_us(quiet, quiet->p50), p99, p99_quiet,
           p99 / p99_quiet);
    return totals.queued_bytes <= LIMIT + (uint64_t)peers * CHUNK ? 0 : 1;
}

int main(int argc, char **argv)
{
    static int fds[PEERS_MAX];
    int peers = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1000;
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 20;
    struct rlimit files = {2 * PEERS_MAX + 100, 2 * PEERS_MAX + 100};
    struct server quiet, flooded;
    CHECK(peers <= PEERS_MAX && rounds <= ROUNDS_MAX);
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        return 77;
    start(&quiet);
    start(&flooded);
    long before_kib = resident_kib();
    for (int i = 0; i < peers; i++)
        fds[i] = connect_to(flooded.listener, 'f');
    wait_until_full(&flooded, peers);
    long grown_kib = resident_kib() - before_kib;
    for (int i = 0; i < rounds; i++) {
        measure(i % 2 ? &quiet : &flooded);
        measure(i % 2 ? &flooded : &quiet);
    }
    int status = report(&quiet, &flooded, peers, grown_kib);
    for (int i = 0; i < peers; i++)
        close(fds[i]);
    while (totals_of(&flooded).queued_bytes > 0 || totals_of(&flooded).connections > 1)
        sched_yield();
    long kept_kib = wait_for_return(before_kib, grown_kib);
    stop(&quiet);
    stop(&flooded);
    CHECK_EQ(memory_live_count(), 0);
    printf("all is given back, resident +%.1f MiB before the end\n", (double)kept_kib / 1024);
    return status;
}
