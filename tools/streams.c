/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that does not block is so for everybody who shares it, so it is left as it is, and
 * waited for. The C library's own streams take EAGAIN for an error and lose what they hold, so
 * stdout is replaced; standard input is read without one.
 */
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* Whether to try again: it was interrupted, or there is news. */
static bool waited(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    if (errno == EINTR)
        return true;
    return errno == EAGAIN && (poll(&one, 1, -1) > 0 || errno == EINTR);
}

ssize_t streams_read(int fd, void *bytes, size_t size)
{
    ssize_t count;
    do
        count = read(fd, bytes, size);
    while (count < 0 && waited(fd, POLLIN));
    return count;
}

static ssize_t write_output(void *unused, const char *bytes, size_t size)
{
    size_t done = 0;
    (void)unused;
    while (done < size) {
        ssize_t count = write(STDOUT_FILENO, bytes + done, size - done);
        if (count < 0 && !waited(STDOUT_FILENO, POLLOUT))
            break;
        done += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)done;
}

/* For the other direction: whoever reads or writes there hears that it cannot be done. */
static void occupy_what_is_closed(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static bool is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK);
}

void streams_let_nobody_listen(void)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY)
        (void)!freopen("/dev/null", "w", stdout);
}

void streams_prepare(void)
{
    const cookie_io_functions_t output = {.write = write_output};
    occupy_what_is_closed();
    FILE *out = is_nonblocking(STDOUT_FILENO) ? fopencookie(NULL, "w", output) : NULL;
    stdout = out ? out : stdout;
    if (out && isatty(STDOUT_FILENO))
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}
