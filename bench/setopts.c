/* SPDX-License-Identifier: MIT */
/*
 * What setopts costs a handler: nanoseconds per call of weir_setopts with {active,once}, made in
 * the callback of a packet and in work that was put on the scheduler, and the system calls made
 * meanwhile; and how fast {bit8,on} looks at what is received.
 */
#include "common/fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

struct measure {
    uint32_t count; /* of calls */
    weir_socket socket;
    uint64_t ns;
    atomic_uint done;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* others may have the core meanwhile */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void set_many(struct measure *measure, weir_socket socket)
{
    uint64_t began_ns = now_ns();
    for (uint32_t i = 0; i < measure->count; i++)
        if (weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) != 0)
            fail("setopts: %s", weir_last_error_text());
    measure->ns = now_ns() - began_ns;
    atomic_store(&measure->done, 1);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)packet;
    set_many(data, socket);
}

static void on_scheduler(void *data)
{
    struct measure *measure = data;
    set_many(measure, measure->socket);
}

static int check(int result, const char *what)
{
    if (result < 0)
        fail("%s: %s: %s", what, weir_error_name(result), weir_last_error_text());
    return result;
}

static int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        fail_errno(errno, "connect");
    return fd;
}

static void write_all(int fd, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, (const char *)bytes + done, size - done);
        if (count < 0)
            fail_errno(errno, "write");
        done += (size_t)count;
    }
}

static void wait_for(struct measure *measure)
{
    while (!atomic_load(&measure->done))
        usleep(100);
}

static void report(const char *where, const struct measure *measure)
{
    printf("setopts {active,once}, %s: %.1f ns per call, %u calls\n", where,
           (double)measure->ns / measure->count, measure->count);
}

static weir_socket accept_for(weir_socket listener, struct measure *measure)
{
    static const weir_handler handler = {.packet = on_packet};
    weir_socket socket;
    check(weir_tcp_accept(listener, weir_handled_by(&handler, measure), 5000, &socket), "accept");
    return socket;
}

static void measure_calls(weir_runtime *runtime, uint32_t count)
{
    struct measure in_callback = {.count = count};
    weir_socket listener;
    check(weir_tcp_listen(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE)),
                          &listener),
          "listen");
    int peer = connect_to(check(weir_port(listener), "port"));
    struct measure alone = {.count = count, .socket = accept_for(listener, &in_callback)};
    write_all(peer, "x", 1);
    wait_for(&in_callback);
    report("in a callback", &in_callback);
    check(weir_run_on(runtime, 0, on_scheduler, &alone), "run_on");
    wait_for(&alone);
    report("on the scheduler", &alone);
    weir_close(alone.socket);
    weir_close(listener);
    close(peer);
}

struct flow {
    atomic_ullong bytes;
};

static void on_flow(weir_socket socket, const weir_packet *packet, void *data)
{
    struct flow *flow = data;
    (void)socket;
    atomic_fetch_add_explicit(&flow->bytes, packet->size, memory_order_relaxed);
}

static void read_user_time(void *data)
{
    struct measure *measure = data;
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    measure->ns =
        (uint64_t)usage.ru_utime.tv_sec * 1000000000u + (uint64_t)usage.ru_utime.tv_usec * 1000u;
    atomic_store(&measure->done, 1);
}

/* What the scheduler has spent outside the kernel. */
static double user_seconds(weir_runtime *runtime)
{
    struct measure measure = {0};
    check(weir_run_on(runtime, 0, read_user_time, &measure), "run_on");
    wait_for(&measure);
    return (double)measure.ns / 1e9;
}

/* Seconds outside the kernel for so many bytes. */
static double busy_seconds(weir_runtime *runtime, enum weir_bit8 bit8, uint64_t size)
{
    static const weir_handler handler = {.packet = on_flow};
    static char bytes[1 << 18];
    struct flow flow = {0};
    weir_socket service;
    check(weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_BIT8(bit8), WEIR_BUFFER(65536)),
                         weir_handled_by(&handler, &flow), &service),
          "serve");
    int peer = connect_to(check(weir_port(service), "port"));
    double before = user_seconds(runtime);
    for (uint64_t sent = 0; sent < size; sent += sizeof(bytes))
        write_all(peer, bytes, sizeof(bytes));
    while (atomic_load(&flow.bytes) < size)
        usleep(100);
    double after = user_seconds(runtime);
    close(peer);
    weir_close(service);
    return after - before;
}

static void measure_bit8(weir_runtime *runtime, uint64_t size)
{
    double off = busy_seconds(runtime, WEIR_BIT8_OFF, size);
    double on = busy_seconds(runtime, WEIR_BIT8_ON, size);
    printf("{bit8,on}: %.1f GB/s are looked at\n", (double)size / (on - off) / 1e9);
}

int main(int argc, char **argv)
{
    bool smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    weir_config config = {.schedulers = 1};
    weir_runtime *runtime;
    check(weir_start(&runtime, &config), "start");
    measure_calls(runtime, smoke ? 1000 : 20000000);
    measure_bit8(runtime, smoke ? 1 << 20 : 2ull << 30);
    weir_stop(runtime);
    return 0;
}
