/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/system.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Test(clock, does_not_go_back)
{
    uint64_t before = clock_now_ns();
    cr_expect_gt(before, 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_now_ns();
        cr_assert_geq(now, before);
        before = now;
    }
}

static struct sockaddr *loopback(struct sockaddr_in *address)
{
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return (struct sockaddr *)address;
}

Test(system, sockets)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    errno = EIO; /* of something else */
    int fd = system_socket(AF_INET, SOCK_STREAM, NULL);
    cr_assert_geq(fd, 0);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_eq(system_bind(fd, loopback(&address), size), 0);
    cr_expect_eq(system_listen(fd, 5), 0);
    cr_expect_eq(system_getsockname(fd, (struct sockaddr *)&address, &size), 0);
    cr_expect_neq(address.sin_port, 0);
    int listening = 0;
    socklen_t listening_size = sizeof(listening);
    cr_expect_eq(system_getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size), 0);
    cr_expect_eq(listening, 1);

    int other = system_socket(AF_INET, SOCK_STREAM, NULL);
    cr_expect_eq(system_bind(other, (struct sockaddr *)&address, size), -EADDRINUSE);
    cr_expect_eq(system_getpeername(other, (struct sockaddr *)&address, &size), -ENOTCONN);
    cr_expect_eq(system_shutdown(other, SHUT_RDWR), -ENOTCONN);
    cr_expect_eq(system_close(other), 0);
    cr_expect_eq(system_close(fd), 0);
    cr_expect_eq(system_listen(fd, 5), -EBADF);
}

/* Makes this process one that may go to its child's network namespace and not come back. */
static pid_t become_homeless(void)
{
    int ready[2];
    char byte;
    if (unshare(CLONE_NEWUSER) < 0 || pipe(ready) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1)
            _exit(0);
        pause();
    }
    close(ready[1]);
    return read(ready[0], &byte, 1) == 1 ? child : -1;
}

static bool is_at_home(ino_t home)
{
    struct stat here;
    return stat("/proc/thread-self/ns/net", &here) == 0 && here.st_ino == home;
}

enum { STAYED, LEFT, NO_NAMESPACES };

static int try_to_leave(void)
{
    char path[64];
    struct stat home;
    pid_t child = become_homeless();
    if (child < 0 || stat("/proc/thread-self/ns/net", &home) < 0)
        return NO_NAMESPACES;
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
    int result = system_socket(AF_INET, SOCK_STREAM, path);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return result == -EPERM && is_at_home(home.st_ino) ? STAYED : LEFT;
}

/* In a process of its own: one with threads gets no other user namespace. */
Test(system, nobody_leaves_who_may_not_come_back)
{
    int status;
    pid_t process = fork();
    if (process == 0)
        _exit(try_to_leave());
    waitpid(process, &status, 0);
    cr_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACES)
        cr_skip("no namespaces to be had");
    cr_expect_eq(WEXITSTATUS(status), STAYED);
}

Test(system, errors_are_negative_numbers)
{
    int on = 1;
    cr_expect_eq(system_socket(AF_INET, SOCK_STREAM, "/no/such/namespace"), -ENOENT);
    cr_expect_eq(system_socket(-1, SOCK_STREAM, NULL), -EAFNOSUPPORT);
    cr_expect_eq(system_setsockopt(-1, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), -EBADF);
}

Test(system, wake_is_a_counter)
{
    int fd = system_wake_open();
    cr_assert_geq(fd, 0);
    cr_expect_eq(system_wake_raise(fd), 0);
    cr_expect_eq(system_wake_raise(fd), 0);
    uint64_t count = 0;
    cr_expect_eq(read(fd, &count, sizeof(count)), (ssize_t)sizeof(count));
    cr_expect_eq(count, 2);
    cr_expect_eq(system_close(fd), 0);
}
