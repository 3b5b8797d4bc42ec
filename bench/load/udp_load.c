/* SPDX-License-Identifier: MIT */
/*
 * Load for UDP echo servers: rounds in which every socket sends its datagrams and then takes the
 * answers, each of which must be what was sent. Prints what the server's process spent on each, and
 * how many there were in a second.
 */
#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { SOCKETS_MOST = 1024, DEPTH_MOST = 256, BYTES_MOST = 65507 };

static long port, socket_count = 64, depth = 1, size = 64, milliseconds = 1000, server, runs;
static int sockets[SOCKETS_MOST];
static char bytes[BYTES_MOST];
static struct iovec piece;
static struct mmsghdr messages[DEPTH_MOST];

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void take_runs(int fd)
{
    const int on = 1, segment = (int)size;
    if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
        fail_errno(errno, "UDP_GRO and UDP_SEGMENT");
}

static int open_one(void)
{
    const struct timeval patience = {.tv_usec = 100000};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    int receive_bytes = 1 << 20;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail_errno(errno, "connect");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    if (runs)
        take_runs(fd);
    return fd;
}

static void fill_bytes(void)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)('a' + i % (size_t)size % 23);
}

/* Answers to how many datagrams these are. */
static long checked(const char *back, size_t count)
{
    if (count % (size_t)size != 0 || memcmp(back, bytes, count) != 0)
        fail("an answer of %zu bytes that is not what was sent", count);
    return (long)(count / (size_t)size);
}

/* All of a round in one piece, both ways. */
static void send_run(int fd)
{
    if (send(fd, bytes, (size_t)(depth * size), 0) < 0)
        fail_errno(errno, "send");
}

static long take_run(int fd)
{
    static char back[1 << 16];
    long got = 0;
    while (got < depth) {
        ssize_t taken = recv(fd, back, sizeof(back), 0);
        if (taken <= 0)
            break;
        got += checked(back, (size_t)taken);
    }
    return got;
}

static void send_round(int fd)
{
    for (long done = 0; done < depth;) {
        int sent = sendmmsg(fd, messages + done, (unsigned)(depth - done), 0);
        if (sent < 0)
            fail_errno(errno, "sendmmsg");
        done += sent;
    }
}

/* How many came back; the rest is lost. */
static long take_round(int fd)
{
    static char back[DEPTH_MOST][2048];
    static struct iovec pieces[DEPTH_MOST];
    static struct mmsghdr answers[DEPTH_MOST];
    long got = 0;
    while (got < depth) {
        for (long i = got; i < depth; i++) {
            pieces[i] = (struct iovec){back[i], sizeof(back[i])};
            answers[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
        }
        int count = recvmmsg(fd, answers + got, (unsigned)(depth - got), MSG_WAITFORONE, NULL);
        if (count <= 0)
            break;
        for (long i = got; i < got + count; i++)
            if (checked(back[i], answers[i].msg_len) != 1)
                fail("an answer that is not one datagram");
        got += count;
    }
    return got;
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct switch_row rows[] = {
        {"port", SWITCH_NUMBER, &port, "of the server, on 127.0.0.1"},
        {"sockets", SWITCH_NUMBER, &socket_count, "of the load"},
        {"depth", SWITCH_NUMBER, &depth, "datagrams in flight of each"},
        {"size", SWITCH_NUMBER, &size, "bytes of each, at most 2048"},
        {"ms", SWITCH_NUMBER, &milliseconds, "how long"},
        {"runs", SWITCH_NUMBER, &runs, "1: what is in flight of each leaves and comes in runs"},
        {"server", SWITCH_NUMBER, &server, "the server's process"},
        {0},
    };
    uint64_t got = 0, sent = 0;
    switches_parse(rows, argv);
    if (size == 0 || socket_count > SOCKETS_MOST || depth > DEPTH_MOST || size > 2048)
        fail("too many, or too large, or nothing");
    if (runs && (depth > 64 || depth * size > BYTES_MOST))
        fail("--runs: at most 64 datagrams, and 65507 bytes");
    fill_bytes();
    piece = (struct iovec){bytes, (size_t)size};
    for (long i = 0; i < depth; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &piece, .msg_iovlen = 1};
    for (long i = 0; i < socket_count; i++)
        sockets[i] = open_one();
    uint64_t began_ns = now_ns();
    uint64_t cpu_ns = process_cpu_ns((pid_t)server);
    while (now_ns() - began_ns < (uint64_t)milliseconds * 1000000u) {
        for (long i = 0; i < socket_count; i++)
            runs ? send_run(sockets[i]) : send_round(sockets[i]);
        for (long i = 0; i < socket_count; i++)
            got += (uint64_t)(runs ? take_run(sockets[i]) : take_round(sockets[i]));
        sent += (uint64_t)(socket_count * depth);
    }
    double seconds = (double)(now_ns() - began_ns) / 1e9;
    cpu_ns = process_cpu_ns((pid_t)server) - cpu_ns;
    printf("%.0f ns/datagram, %.0f datagrams/s, %.4f lost\n", (double)cpu_ns / (double)got,
           (double)got / seconds, 1 - (double)got / (double)sent);
    return 0;
}
