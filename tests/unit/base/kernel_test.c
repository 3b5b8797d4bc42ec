/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/system.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is opened is no child's, which another thread may make at any moment. */
static bool is_watched;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int __wrap_open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    unsigned mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
    va_end(more);
    cr_expect(!is_watched || (flags & O_CLOEXEC) != 0, "%s", path);
    return __real_open(path, flags, mode);
}

int __wrap_socket(int family, int type, int protocol)
{
    cr_expect(!is_watched || (type & SOCK_CLOEXEC) != 0);
    return __real_socket(family, type, protocol);
}

/* A cancel is put off, and no longer than that. */
static void expect_cancellable(void)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    cr_expect_eq(state, PTHREAD_CANCEL_ENABLE);
}

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

Test(clock, of_a_thread_goes_on_while_it_works)
{
    uint64_t before = clock_thread_ns(pthread_self());
    cr_expect_gt(before, 0u);
    for (int i = 0; clock_thread_ns(pthread_self()) < before + 1000; i++)
        cr_assert_lt(i, 100000000);
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
    cr_expect_eq(system_wake_raise(-1), -EBADF);
    cr_expect_eq(system_close(-1), -EBADF);
}

Test(system, the_end_is_no_error)
{
    int ends[2];
    char byte;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    cr_expect_eq(system_receive(ends[0], &byte, 1, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
    system_close(ends[1]);
    errno = EIO; /* of something else */
    cr_expect_eq(system_receive(ends[0], &byte, 1, 0, NULL, NULL), 0);
    system_close(ends[0]);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    cr_expect_eq(system_send(ends[0], &(struct iovec){&byte, 0}, 1), 0, "nothing was sent");
    system_close(ends[0]);
    system_close(ends[1]);
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
    expect_cancellable();
    cr_expect_eq(system_close(fd), 0);
    expect_cancellable();
}

/* What the next descriptor will be: nothing is left open if it stays the same. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    close(fd);
    return fd;
}

static const struct sockaddr *local(struct sockaddr_un *address, const char *folder)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof(address->sun_path), "%s/socket", folder);
    return (const struct sockaddr *)address;
}

static void remove_stale_of(int type, const char *folder)
{
    struct sockaddr_un address;
    const struct sockaddr *any = local(&address, folder);
    struct stat status;
    int other = system_socket(AF_UNIX, type, NULL);
    cr_expect_eq(system_remove_stale(other, any, sizeof(address)), -EADDRINUSE, "no such file");
    int live = system_socket(AF_UNIX, type, NULL);
    cr_assert_eq(system_bind(live, any, sizeof(address)), 0);
    cr_assert(type == SOCK_DGRAM || system_listen(live, 1) == 0);
    int next = next_descriptor();
    is_watched = true;
    errno = ECONNREFUSED; /* of something else */
    cr_expect_eq(system_remove_stale(other, any, sizeof(address)), -EADDRINUSE, "somebody has it");
    cr_expect_eq(stat(address.sun_path, &status), 0);
    system_close(live);
    is_watched = false;
    cr_expect_eq(system_remove_stale(-1, any, sizeof(address)), -EBADF);
    cr_expect_eq(system_remove_stale(other, any, sizeof(address)), 0);
    cr_expect_eq(stat(address.sun_path, &status), -1);
    cr_expect_eq(next_descriptor(), live, "%d before", next);
    system_close(other);
}

Test(system, a_file_of_a_local_socket_that_nobody_has_is_removed)
{
    char folder[] = "/tmp/weir_stale_XXXXXX";
    struct sockaddr_un address;
    cr_assert_not_null(mkdtemp(folder));
    remove_stale_of(SOCK_STREAM, folder);
    remove_stale_of(SOCK_DGRAM, folder);
    const struct sockaddr *any = local(&address, folder);
    int fd = system_socket(AF_UNIX, SOCK_STREAM, NULL);
    close(open(address.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    cr_expect_eq(system_remove_stale(fd, any, sizeof(address)), -ENOTSOCK, "another kind of file");
    cr_expect_eq(unlink(address.sun_path), 0);
    system_close(fd);
    rmdir(folder);
}

/* Opened so, closed again. */
static int check_file(const char *path, int flags, uint64_t size)
{
    int fd = open(path, flags | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%s", path);
    int result = system_check_file(fd, size);
    close(fd);
    return result;
}

Test(system, files_that_can_be_sent)
{
    char path[] = "/tmp/weir_file_XXXXXX";
    int ends[2];
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, "0123456789", 10), 10);
    cr_expect_eq(check_file(path, O_RDONLY, 0), 0);
    cr_expect_eq(check_file(path, O_RDWR, 10), 0);
    cr_expect_eq(check_file(path, O_RDONLY, 11), -EINVAL);
    cr_expect_eq(check_file(path, O_RDONLY, UINT64_MAX), -EINVAL);
    cr_expect_eq(check_file(path, O_WRONLY, 1), -EBADF);
    cr_expect_eq(check_file(path, O_PATH, 1), -EBADF);
    cr_expect_eq(check_file("/tmp", O_RDONLY, 1), -EISDIR);
    cr_expect_eq(check_file("/dev/null", O_RDONLY, 1), -ESPIPE);
    cr_expect_eq(check_file("/proc/self/stat", O_RDONLY, 1), 0, "says that it is empty");
    cr_expect_eq(check_file("/proc/self/stat", O_RDONLY, 1 << 20), -EINVAL);
    cr_expect_eq(check_file("/proc/sys/kernel/ostype", O_RDONLY, sizeof("Linux\n") - 1), 0);
    cr_expect_eq(check_file("/proc/sys/kernel/ostype", O_RDONLY, sizeof("Linux\n")), -EINVAL);
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_expect_eq(check_file(path, O_RDONLY, 1), -EINVAL, "is empty");
    cr_expect_eq(check_file(path, O_RDONLY, 0), 0);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_expect_eq(system_check_file(ends[0], 1), -ESPIPE);
    close(ends[0]);
    cr_expect_eq(system_check_file(ends[0], 1), -EBADF);
    close(ends[1]);
    close(fd);
    unlink(path);
}

Test(system, two_descriptors_of_one_file)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    int copy = system_duplicate(ends[0]);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    cr_expect(system_is_same_file(ends[0], copy));
    cr_expect_not(system_is_same_file(ends[0], null));
    cr_expect_not(system_is_same_file(null, zero), "of one device");
    close(copy);
    cr_expect_not(system_is_same_file(ends[0], copy));
    cr_expect_not(system_is_same_file(copy, ends[0]));
    cr_expect_not(system_is_same_file(copy, copy));
    close(ends[0]);
    close(ends[1]);
    close(null);
    close(zero);
}

Test(system, whether_a_descriptor_waits)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_expect_eq(system_set_waiting(ends[0], true), 1);
    cr_expect_eq(system_set_waiting(ends[0], false), 1);
    cr_expect_neq(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    cr_expect_eq(system_set_waiting(ends[0], false), 0);
    cr_expect_eq(system_set_waiting(ends[0], true), 0);
    cr_expect_eq(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    cr_expect_eq(system_set_waiting(ends[0], true), -EBADF);
    close(ends[1]);
}

Test(system, a_namespace_leaves_nothing_open)
{
    int next = next_descriptor();
    is_watched = true;
    int fd = system_socket(AF_INET, SOCK_STREAM, "/proc/self/ns/net");
    is_watched = false;
    expect_cancellable();
    cr_expect(fd >= 0 || fd == -EPERM, "%d", fd);
    if (fd >= 0)
        close(fd);
    cr_expect_eq(system_socket(AF_INET, SOCK_STREAM, "/tmp"), -EINVAL);
    cr_expect_eq(system_socket(AF_INET, SOCK_STREAM, "/nosuch"), -ENOENT);
    cr_expect_eq(next_descriptor(), next);
}

/* Of a program that has closed its standard input. */
Test(system, descriptor_0_is_one_like_any_other)
{
    char folder[] = "/tmp/weir_zero_XXXXXX";
    struct sockaddr_un address;
    cr_assert_not_null(mkdtemp(folder));
    const struct sockaddr *any = local(&address, folder);
    int fd = system_socket(AF_UNIX, SOCK_STREAM, NULL);
    int dead = system_socket(AF_UNIX, SOCK_STREAM, NULL);
    cr_assert_eq(system_bind(dead, any, sizeof(address)), 0);
    system_close(dead);
    close(STDIN_FILENO);
    cr_expect_eq(system_remove_stale(fd, any, sizeof(address)), 0);
    cr_expect_eq(next_descriptor(), STDIN_FILENO);
    cr_expect_eq(system_socket(AF_INET, SOCK_STREAM, "/tmp"), -EINVAL);
    cr_expect_eq(next_descriptor(), STDIN_FILENO);
    system_close(fd);
    rmdir(folder);
}
