/* SPDX-License-Identifier: MIT */
#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int result_of(int result)
{
    return result < 0 ? -errno : result;
}

/* setns moves the calling thread, so it is moved back at once; a thread that cannot go home would
 * open every later socket in the wrong place, which is why failing to return is fatal there. */
static int socket_in(int family, int type, const char *netns)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    int away = open(netns, O_RDONLY | O_CLOEXEC);
    int result = away < 0 ? -errno : result_of(setns(away, CLONE_NEWNET));
    if (result >= 0) {
        result = result_of(socket(family, type | SOCK_CLOEXEC, 0));
        if (setns(home, CLONE_NEWNET) < 0) {
            int error = -errno;
            if (result >= 0)
                close(result);
            result = error;
        }
    }
    if (away >= 0)
        close(away);
    close(home);
    return result;
}

int system_socket(int family, int type, const char *netns)
{
    if (netns)
        return socket_in(family, type, netns);
    return result_of(socket(family, type | SOCK_CLOEXEC, 0));
}

int system_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return result_of(bind(fd, address, size));
}

int system_listen(int fd, int backlog)
{
    return result_of(listen(fd, backlog));
}

int system_shutdown(int fd, int how)
{
    return result_of(shutdown(fd, how));
}

int system_close(int fd)
{
    return result_of(close(fd));
}

int system_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    return result_of(setsockopt(fd, level, name, value, size));
}

int system_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    return result_of(getsockopt(fd, level, name, value, size));
}

int system_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    return result_of(getsockname(fd, address, size));
}

int system_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    return result_of(getpeername(fd, address, size));
}

int system_pipe(int fds[2])
{
    return result_of(pipe2(fds, O_CLOEXEC));
}

int system_duplicate(int fd)
{
    return result_of(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int system_set_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return result_of(flags < 0 ? flags : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

int system_wake_open(void)
{
    return result_of(eventfd(0, EFD_CLOEXEC));
}

int system_wake_raise(int fd)
{
    uint64_t one = 1;
    return write(fd, &one, sizeof(one)) < 0 ? -errno : 0;
}
