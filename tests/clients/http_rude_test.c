/* SPDX-License-Identifier: MIT */
/*
 * Clients that send nonsense, go away in the middle, or do not read, against `weir serve http`:
 * it stays up, serves the next one, owes nobody an answer and leaks nothing.
 * Arguments: the command, and perhaps the seed to repeat.
 */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 300, PIPELINED_COUNT = 20000, BYTES_MAX = 4096 };

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
static const char *const seeds[] = {
    "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789GET / HTTP/1.1\r\n\r\n",
    ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
     "5\r\nabcde\r\n1;x=y\r\nz\r\n0\r\nA: b\r\n\r\n"),
    "HEAD http://x:80/y HTTP/1.0\r\nConnection: keep-alive\r\nA: b\r\n c\r\n\r\n",
};

static size_t random_below(size_t limit)
{
    return (size_t)rand() % limit;
}

/* A good request, some of its bytes changed, left out or repeated. */
static size_t make_nonsense(char *bytes)
{
    const char *seed = seeds[random_below(sizeof(seeds) / sizeof(seeds[0]))];
    size_t change_every = 2 + random_below(100);
    size_t size = 0;
    for (; *seed && size + 2 < BYTES_MAX; seed++) {
        size_t choice = random_below(change_every);
        if (choice > 0)
            bytes[size++] = *seed;
        else if (random_below(3) == 0)
            bytes[size++] = (char)rand();
        else if (random_below(2) == 0)
            size += (size_t)snprintf(bytes + size, 3, "%c%c", *seed, *seed);
    }
    return random_below(4) == 0 ? random_below(size + 1) : size;
}

/* Closing with this set resets the connection. */
static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static bool send_nonsense(const struct server *server)
{
    char bytes[BYTES_MAX];
    static char reply[1 << 16];
    bool is_reset;
    size_t size = make_nonsense(bytes);
    int fd = server_connect(server);
    server_write(fd, bytes, size);
    if (random_below(3) == 0) {
        reset(fd);
        return true;
    }
    shutdown(fd, SHUT_WR);
    long count = server_read_all(fd, reply, sizeof(reply), &is_reset);
    close(fd);
    if (count >= 0)
        return true;
    printf("no end of the answer to\n%.*s\n", (int)size, bytes);
    return false;
}

static bool is_well(const struct server *server)
{
    char reply[512];
    bool is_reset;
    int fd = server_connect(server);
    server_write(fd, get, strlen(get));
    shutdown(fd, SHUT_WR);
    long count = server_read_all(fd, reply, sizeof(reply), &is_reset);
    close(fd);
    return count > 15 && memcmp(reply, "HTTP/1.1 200 OK", 15) == 0;
}

static size_t count_answers(const char *bytes, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i + 6 <= size; i++)
        count += memcmp(bytes + i, "hello\n", 6) == 0;
    return count;
}

/* Writes whenever it can and reads only when it cannot: the server has to stop reading, and to go
 * on when its answers are read. */
static bool read_last(const struct server *server)
{
    enum { ANSWER_BYTES = 150 };
    static char requests[PIPELINED_COUNT * sizeof(get)];
    static char answers[PIPELINED_COUNT * ANSWER_BYTES];
    size_t size = 0;
    size_t sent = 0;
    size_t received = 0;
    int fd = server_connect(server);
    while (size < PIPELINED_COUNT * strlen(get)) {
        memcpy(requests + size, get, strlen(get));
        size += strlen(get);
    }
    while (received < sizeof(answers)) {
        struct pollfd both = {fd, sent < size ? POLLIN | POLLOUT : POLLIN, 0};
        ssize_t count;
        if (poll(&both, 1, 60000) <= 0)
            break;
        if (both.revents & POLLOUT) {
            count = send(fd, requests + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += count > 0 ? (size_t)count : 0;
            if (sent == size)
                shutdown(fd, SHUT_WR);
        } else if ((count = recv(fd, answers + received, sizeof(answers) - received, 0)) > 0) {
            received += (size_t)count;
        } else {
            break;
        }
    }
    close(fd);
    size_t count = count_answers(answers, received);
    if (count != PIPELINED_COUNT)
        printf("%d requests, %zu answers\n", PIPELINED_COUNT, count);
    return count == PIPELINED_COUNT;
}

/* Many connections in every state that a stop may find. */
static void leave_open(const struct server *server)
{
    for (int i = 0; i < 20; i++) {
        char bytes[BYTES_MAX];
        size_t size = make_nonsense(bytes);
        server_write(server_connect(server), bytes, size);
    }
}

int main(int argc, char **argv)
{
    /* Little is queued, so that a peer that does not read is soon noticed. */
    static const char *const arguments[] = {
        "serve",   "http",      "--schedulers",
        "2",       "--options", "[{high_watermark,4096},{low_watermark,1024},{sndbuf,4608}]",
        "--drain", "1",         NULL};
    unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : (unsigned)time(NULL);
    struct server server;
    int failures = 0;
    if (argc < 2)
        return EXIT_FAILURE;
    printf("seed %u\n", seed);
    srand(seed);
    server_start(&server, argv[1], arguments);
    for (int i = 0; i < ROUNDS; i++)
        failures += !send_nonsense(&server) || !is_well(&server);
    failures += !read_last(&server);
    leave_open(&server);
    failures += !is_well(&server);
    int status = server_stop(&server);
    printf("%d failures, the server's exit status is %d\n", failures, status);
    return failures > 0 || status != 0;
}
