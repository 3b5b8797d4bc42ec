/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/system.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
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
