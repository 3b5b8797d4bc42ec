/* SPDX-License-Identifier: MIT */
/*
 * How long a server takes to be there: starts it, waits until it says that it listens, or with
 * --port until a connection to that is accepted, and ends it. For hyperfine, which times this.
 *
 *     listening [--port N] COMMAND ARGUMENT...
 */
#include "common/fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_NS = 100000, TRIES_MAX = 100000 };

static bool answers(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail_errno(errno, "socket");
    bool is_there = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_there;
}

static void await_port(uint16_t port)
{
    const struct timespec pause = {.tv_nsec = WAIT_NS};
    for (int i = 0; i < TRIES_MAX; i++) {
        if (answers(port))
            return;
        nanosleep(&pause, NULL);
    }
    fail("nobody listens on %u", port);
}

static void await_line(int from)
{
    char byte = 0;
    while (byte != '\n')
        if (read(from, &byte, 1) != 1)
            fail("it ended before it listened");
}

static pid_t start(char **command, int output)
{
    pid_t process = fork();
    if (process < 0)
        fail_errno(errno, "fork");
    if (process > 0)
        return process;
    if (dup2(output, STDOUT_FILENO) >= 0)
        execvp(command[0], command);
    _exit(127);
}

int main(int argc, char **argv)
{
    char **command = argv + 1;
    uint16_t port = 0;
    int ends[2], status;
    if (argc > 3 && strcmp(argv[1], "--port") == 0) {
        port = (uint16_t)strtoul(argv[2], NULL, 10);
        command += 2;
    }
    if (!*command)
        fail("which command?");
    if (pipe(ends) < 0)
        fail_errno(errno, "pipe");
    pid_t process = start(command, ends[1]);
    close(ends[1]);
    if (port)
        await_port(port);
    else
        await_line(ends[0]);
    kill(process, SIGKILL);
    waitpid(process, &status, 0);
    return 0;
}
