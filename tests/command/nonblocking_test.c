/* SPDX-License-Identifier: MIT */
/*
 * `weir decode` between two pipes that do not block, both slow: nothing is lost, and the
 * descriptors stay as they were. Argument: the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_COUNT = 20000 };

static void open_pipe(int ends[2])
{
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0)
        return;
    perror("pipe2");
    exit(EXIT_FAILURE);
}

static pid_t start(const char *command, const char *type, int in, int out)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execl(command, command, "decode", type, NULL);
    _exit(127);
}

/* What is written at a time fits the pipe, and is only written when the reader has waited. */
static size_t feed(int fd, const char *line, size_t sent)
{
    struct pollfd out = {fd, POLLOUT, 0};
    if (poll(&out, 1, 0) > 0 && write(fd, line, strlen(line)) > 0)
        sent++;
    return sent;
}

static size_t count_lines(int fd, bool *ended)
{
    char bytes[512];
    ssize_t count = read(fd, bytes, sizeof(bytes));
    size_t lines = 0;
    for (ssize_t i = 0; i < count; i++)
        lines += bytes[i] == '\n';
    *ended = count == 0 || (count < 0 && errno != EAGAIN);
    return lines;
}

static int run(const char *command, const char *type, const char *line)
{
    int in[2];
    int out[2];
    int status;
    size_t sent = 0;
    size_t received = 0;
    bool ended = false;
    open_pipe(in);
    open_pipe(out);
    pid_t pid = start(command, type, in[0], out[1]);
    close(out[1]);
    while (!ended) {
        if (sent < LINE_COUNT)
            sent = feed(in[1], line, sent);
        else if (in[1] >= 0)
            in[1] = close(in[1]) - 1;
        received += count_lines(out[0], &ended);
    }
    waitpid(pid, &status, 0);
    bool kept = fcntl(in[0], F_GETFL) & O_NONBLOCK;
    close(in[0]);
    close(out[0]);
    if (received == LINE_COUNT && status == 0 && kept)
        return 0;
    printf("decode %s: %d in, %zu out, status %x, %s\n", type, LINE_COUNT, received,
           (unsigned)status, kept ? "non-blocking" : "made blocking");
    return 1;
}

int main(int argc, char **argv)
{
    return argc < 2 || run(argv[1], "line", "0123456789abcdefghi\n") +
                           run(argv[1], "--batch", "line\t[]\t30310a\n");
}
