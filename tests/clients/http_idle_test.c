/* SPDX-License-Identifier: MIT */
/*
 * `weir serve http --idle 1`: who makes no progress is ended, wherever it stops, and who moves is
 * not, however slowly. Time in which the server is stopped is nobody's. Argument: the command.
 */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define POST    "POST / HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

/* Much longer than the limit, much shorter than what bodies were once given. */
enum { PATIENCE_MS = 20000, STEP_MS = 250, STEP_COUNT = 16 };

static const struct {
    const char *name;
    const char *start;
    const char *drip; /* what comes again and again */
} stalls[] = {
    {"nothing", "", NULL},
    {"a request line", "GET /", NULL},
    {"a head", "GET / HTTP/1.1\r\nHo", NULL},
    {"no body", POST "Content-Length: 5\r\n\r\n", NULL},
    {"half a body", POST "Content-Length: 500\r\n\r\nab", NULL},
    {"no chunk", CHUNKED, NULL},
    {"half a chunk", CHUNKED "5\r\nab", NULL},
    {"no end of a chunk", CHUNKED "2\r\nab", NULL},
    {"trailers", CHUNKED "0\r\nX: y\r\n", NULL},
    {"a head that never ends", "GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n"},
    {"empty lines", "", "\r\n"},
    {"trailers that never end", CHUNKED "0\r\n", "X: y\r\n"},
};

enum { STALL_COUNT = sizeof(stalls) / sizeof(stalls[0]) };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether the peer's end, or a reset, comes within so many milliseconds. */
static bool ends_within(int fd, int timeout_ms)
{
    char bytes[4096];
    struct pollfd in = {fd, POLLIN, 0};
    int64_t end_ms = now_ms() + timeout_ms;
    for (int64_t left = timeout_ms; left >= 0; left = end_ms - now_ms())
        if (poll(&in, 1, (int)left) > 0 && recv(fd, bytes, sizeof(bytes), 0) <= 0)
            return true;
    return false;
}

static bool ends_dripping(int fd, const char *drip)
{
    int64_t end_ms = now_ms() + PATIENCE_MS;
    while (now_ms() < end_ms) {
        if (ends_within(fd, STEP_MS) || !server_write(fd, drip, strlen(drip)))
            return true;
    }
    return false;
}

static int all_stalls_end(const struct server *server)
{
    int fds[STALL_COUNT];
    int failures = 0;
    for (size_t i = 0; i < STALL_COUNT; i++) {
        fds[i] = server_connect(server);
        server_write(fds[i], stalls[i].start, strlen(stalls[i].start));
    }
    for (size_t i = 0; i < STALL_COUNT; i++) {
        bool ended = stalls[i].drip ? ends_dripping(fds[i], stalls[i].drip)
                                    : ends_within(fds[i], PATIENCE_MS);
        if (!ended)
            printf("%s: not ended\n", stalls[i].name);
        failures += !ended;
        close(fds[i]);
    }
    return failures;
}

static bool is_answered(int fd, const char *answer)
{
    char reply[1024];
    bool is_reset;
    shutdown(fd, SHUT_WR);
    long count = server_read_all(fd, reply, sizeof(reply) - 1, &is_reset);
    close(fd);
    reply[count > 0 ? count : 0] = '\0';
    if (strstr(reply, answer))
        return true;
    printf("'%s' instead of '%s'\n", reply, answer);
    return false;
}

/* Byte by byte for four times the limit, with what comes behind it in one piece with its end. */
static bool slow_body_is_taken(const struct server *server)
{
    static const char start[] = POST "Content-Length: 16\r\n\r\n";
    int fd = server_connect(server);
    server_write(fd, start, strlen(start));
    for (int i = 0; i < STEP_COUNT - 1; i++) {
        server_write(fd, "x", 1);
        (void)poll(NULL, 0, STEP_MS);
    }
    server_write(fd, "xGET / HTTP/1.1\r\n\r\n", 20);
    return is_answered(fd, "\r\n\r\n16 bytes\nHTTP/1.1 400 ");
}

static int connect_to_read_little(const struct server *server)
{
    const int size = 2304;
    int fd = server_connect(server);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return fd;
}

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/* Until the server takes no more: what it owes is more than all buffers on the way hold. */
static void ask_for_much(int fd)
{
    static char requests[4096 * (sizeof(get) - 1)];
    struct pollfd out = {fd, POLLOUT, 0};
    for (size_t i = 0; i < 4096; i++)
        memcpy(requests + i * (sizeof(get) - 1), get, sizeof(get) - 1);
    while (poll(&out, 1, STEP_MS) > 0 && !(out.revents & (POLLERR | POLLHUP)))
        if (send(fd, requests, sizeof(requests), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
            errno != EAGAIN)
            return;
}

/* Answers that are all queued keep a connection from being closed in good order. */
static void ask_for_a_queue(int fd)
{
    for (int i = 0; i < 1000; i++)
        server_write(fd, get, strlen(get));
}

static bool deaf_peer_is_cut(const struct server *server, void (*ask)(int fd))
{
    int fd = connect_to_read_little(server);
    struct pollfd in = {fd, POLLHUP, 0};
    ask(fd);
    bool is_cut = poll(&in, 1, PATIENCE_MS) > 0;
    close(fd);
    if (!is_cut)
        puts("who never reads is not ended");
    return is_cut;
}

/* A little now and then, for longer than the limit: it is still there. */
static bool slow_reader_is_served(const struct server *server)
{
    char bytes[8192];
    int fd = connect_to_read_little(server);
    ask_for_much(fd);
    bool is_there = true;
    for (int i = 0; i < STEP_COUNT; i++) {
        is_there = is_there && recv(fd, bytes, sizeof(bytes), 0) > 0;
        (void)poll(NULL, 0, STEP_MS);
    }
    close(fd);
    if (!is_there)
        puts("who reads slowly is ended");
    return is_there;
}

/* Stopped and continued often, and once for longer than the limit. */
static bool stops_are_no_seconds(const struct server *server)
{
    static const char start[] = "GET / HTTP/1.1\r\n";
    int fd = server_connect(server);
    server_write(fd, start, strlen(start));
    for (int i = 0; i < 30; i++) {
        kill(server->pid, SIGSTOP);
        (void)poll(NULL, 0, 1);
        kill(server->pid, SIGCONT);
        (void)poll(NULL, 0, 1);
    }
    kill(server->pid, SIGSTOP);
    (void)poll(NULL, 0, 3000);
    kill(server->pid, SIGCONT);
    server_write(fd, "Host: x\r\n\r\n", 11);
    return is_answered(fd, "hello\n");
}

static int with_limit(const char *command, const char *limit, int (*run)(const struct server *))
{
    const char *const arguments[] = {
        "serve",  "http", "--schedulers", "1",
        "--idle", limit,  "--options",    "[{sndbuf,4608},{high_watermark,1000000}]",
        NULL};
    struct server server;
    server_start(&server, command, arguments);
    int failures = run(&server);
    int status = server_stop(&server);
    if (status != 0)
        printf("the server's exit status is %d\n", status);
    return failures + (status != 0);
}

static int run_short(const struct server *server)
{
    return all_stalls_end(server) + !slow_body_is_taken(server) +
           !deaf_peer_is_cut(server, ask_for_much) + !deaf_peer_is_cut(server, ask_for_a_queue) +
           !slow_reader_is_served(server);
}

static int run_stopped(const struct server *server)
{
    return !stops_are_no_seconds(server);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return EXIT_FAILURE;
    int failures = with_limit(argv[1], "1", run_short) + with_limit(argv[1], "2", run_stopped);
    printf("%d failures\n", failures);
    return failures > 0;
}
