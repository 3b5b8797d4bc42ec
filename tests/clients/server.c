/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENT_COUNT_MAX = 16, PATIENCE_S = 60 };

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void become(const char *command, const char *const *arguments, int out)
{
    const char *all[ARGUMENT_COUNT_MAX + 4] = {command};
    size_t count = 1;
    for (; *arguments && count <= ARGUMENT_COUNT_MAX; arguments++)
        all[count++] = *arguments;
    all[count++] = "--listen";
    all[count] = "127.0.0.1:0";
    dup2(out, STDOUT_FILENO);
    close(out);
    execv(command, (char *const *)all);
    fail(command);
}

static uint16_t read_port(int fd)
{
    char line[128];
    unsigned port;
    FILE *file = fdopen(fd, "r");
    if (!file || !fgets(line, sizeof(line), file) ||
        sscanf(line, "listening on 127.0.0.1:%u", &port) != 1)
        fail("the server does not say where it listens");
    return (uint16_t)port; /* the file stays open: the server has more to say at its end */
}

void server_start(struct server *server, const char *command, const char *const *arguments)
{
    int fds[2];
    if (pipe(fds) < 0)
        fail("pipe");
    server->pid = fork();
    if (server->pid < 0)
        fail("fork");
    if (server->pid == 0) {
        close(fds[0]);
        become(command, arguments, fds[1]);
    }
    close(fds[1]);
    server->port = read_port(fds[0]);
}

int server_connect(const struct server *server)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(server->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int server_stop(const struct server *server)
{
    int status;
    kill(server->pid, SIGTERM);
    if (waitpid(server->pid, &status, 0) < 0)
        fail("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

long server_read_all(int fd, char *bytes, size_t size, bool *is_reset)
{
    size_t count = 0;
    *is_reset = false;
    while (count < size) {
        ssize_t result = recv(fd, bytes + count, size - count, 0);
        *is_reset = result < 0 && errno == ECONNRESET;
        if (result < 0 && !*is_reset)
            return -1;
        if (result <= 0)
            break;
        count += (size_t)result;
    }
    return (long)count;
}

bool server_write(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t result = send(fd, bytes, size, MSG_NOSIGNAL);
        if (result < 0)
            return false;
        bytes += result;
        size -= (size_t)result;
    }
    return true;
}
