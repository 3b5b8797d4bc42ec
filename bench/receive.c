/* SPDX-License-Identifier: MIT */
/*
 * What a thread or a process pays for weir_recv: a peer sends a stream as fast as it is taken, one
 * of them receives it in pieces; or a handler is called with what there is. Seconds, microseconds a
 * piece, and the time that all threads spent on a core.
 */
#include "common/fail.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

struct sender {
    pthread_t thread;
    int port;
    uint64_t bytes;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int check(int result, const char *what)
{
    if (result < 0)
        fail("%s: %s", what, weir_error_name(result));
    return result;
}

static void *send_all(void *data)
{
    static const char bytes[65536];
    const struct sender *sender = data;
    uint64_t left = sender->bytes;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)sender->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
    while (left > 0) {
        ssize_t sent = send(fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes), MSG_NOSIGNAL);
        if (sent <= 0)
            fail("send");
        left -= (uint64_t)sent;
    }
    close(fd);
    return NULL;
}

static uint64_t receive_all(weir_socket socket, size_t piece)
{
    uint64_t received = 0;
    weir_packet packet;
    int result;
    while ((result = weir_recv(socket, piece, WEIR_INFINITY, &packet)) == 0) {
        received += packet.size;
        weir_packet_release(&packet);
    }
    if (result != WEIR_CLOSED)
        check(result, "recv");
    return received;
}

struct receiver {
    weir_socket listener;
    size_t piece;
    uint64_t received;
    atomic_bool over;
};

static int receive_in_process(void *data)
{
    struct receiver *receiver = data;
    weir_socket socket;
    check(weir_tcp_accept(receiver->listener, weir_owned_by_self(), WEIR_INFINITY, &socket),
          "accept");
    receiver->received = receive_all(socket, receiver->piece);
    atomic_store(&receiver->over, true);
    return 0;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct receiver *receiver = data;
    (void)socket;
    receiver->received += packet->size;
}

static void on_closed(weir_socket socket, void *data)
{
    struct receiver *receiver = data;
    (void)socket;
    atomic_store(&receiver->over, true);
}

/* By a thread, this one, unless `who` is a process or a handler. */
static uint64_t receive_by(weir_runtime *runtime, const char *who, weir_socket listener,
                           size_t piece)
{
    static const weir_handler handler = {.packet = on_packet, .closed = on_closed};
    struct receiver receiver = {.listener = listener, .piece = piece};
    bool handles = strcmp(who, "handler") == 0;
    weir_owner owner = handles ? weir_handled_by(&handler, &receiver) : weir_owned_by_nobody();
    weir_socket socket;
    if (strcmp(who, "process") == 0) {
        check(weir_spawn(runtime, 0, receive_in_process, &receiver, NULL, NULL), "spawn");
    } else {
        check(weir_tcp_accept(listener, owner, WEIR_INFINITY, &socket), "accept");
        if (!handles)
            return receive_all(socket, piece);
        check(weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_TRUE))), "setopts");
    }
    while (!atomic_load(&receiver.over))
        usleep(200);
    return receiver.received;
}

int main(int count, char **arguments)
{
    uint32_t schedulers = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1;
    uint64_t megabytes = count > 2 ? strtoul(arguments[2], NULL, 10) : 4;
    size_t piece = count > 3 ? strtoul(arguments[3], NULL, 10) : 1460;
    struct sender sender = {.bytes = megabytes * 1000000 / piece * piece};
    const char *who = count > 4 ? arguments[4] : "thread";
    weir_runtime *runtime;
    weir_socket listener;
    check(weir_start(&runtime, &(weir_config){.schedulers = schedulers}), "start");
    check(weir_tcp_listen(runtime, "127.0.0.1", 0,
                          WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_MODE(WEIR_BINARY)),
                          &listener),
          "listen");
    sender.port = check(weir_port(listener), "port");
    if (pthread_create(&sender.thread, NULL, send_all, &sender) != 0)
        fail("pthread_create");
    double began = seconds(CLOCK_MONOTONIC);
    double began_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t received = receive_by(runtime, who, listener, piece);
    double took = seconds(CLOCK_MONOTONIC) - began;
    double took_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - began_cpu;
    weir_totals totals;
    check(weir_get_totals(runtime, -1, &totals), "get_totals");
    pthread_join(sender.thread, NULL);
    check(weir_stop(runtime), "stop");
    if (received != sender.bytes)
        fail("%llu bytes", (unsigned long long)received);
    printf(
        "%u schedulers, %llu MB by a %s in pieces of %zu: %.3f s, %.3f us a piece, %.3f s of CPU, "
        "%llu turns\n",
        schedulers, (unsigned long long)megabytes, who, piece, took,
        took * 1e6 / (double)(received / piece), took_cpu, (unsigned long long)totals.turns);
    return 0;
}
