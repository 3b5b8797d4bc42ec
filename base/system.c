/* SPDX-License-Identifier: MIT */
#include "base/system.h"

#include "base/check.h"
#include "base/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

static int result_of(int result)
{
    return result < 0 ? -errno : result;
}

static int enter(int netns)
{
    return result_of(setns(netns, CLONE_NEWNET));
}

/* setns moves the calling thread, which would open every later socket in the wrong place if it
 * could not come back: entering where it is already shows whether it may. */
static int socket_away(int family, int type, int home, int away)
{
    int result = enter(home);
    if (result >= 0)
        result = enter(away);
    if (result < 0)
        return result;
    int fd = result_of(socket(family, type | SOCK_CLOEXEC, 0));
    int back = enter(home);
    CHECK_EQ(back, 0);
    return fd;
}

/* Looked at before it is opened: opening something else may wait, or do something. */
static int open_namespace(const char *path)
{
    char name[32];
    struct statfs status;
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0)
        return -errno;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
    bool is_one = fstatfs(place, &status) == 0 && status.f_type == NSFS_MAGIC;
    int fd = is_one ? result_of(open(name, O_RDONLY | O_CLOEXEC)) : -EINVAL;
    close(place);
    return fd;
}

static int socket_in(int family, int type, const char *netns)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (home < 0)
        return -errno;
    int away = open_namespace(netns);
    int result = away < 0 ? away : socket_away(family, type, home, away);
    if (away >= 0)
        close(away);
    close(home);
    return result;
}

int system_socket(int family, int type, const char *netns)
{
    if (netns) {
        int before = thread_put_off_cancel();
        int result = socket_in(family, type, netns);
        thread_allow_cancel(before);
        return result;
    }
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

int system_accept(int fd)
{
    return result_of(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

bool system_is_readable(int fd)
{
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
}

int system_shutdown(int fd, int how)
{
    return result_of(shutdown(fd, how));
}

int system_close(int fd)
{
    int before = thread_put_off_cancel();
    int result = result_of(close(fd));
    thread_allow_cancel(before);
    return result;
}

int system_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return result_of(connect(fd, address, size));
}

ssize_t system_receive(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
                       socklen_t *from_size)
{
    ssize_t result = recvfrom(fd, bytes, size, flags, from, from_size);
    return result < 0 ? -errno : result;
}

ssize_t system_send(int fd, const struct iovec *pieces, int count)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    ssize_t result = sendmsg(fd, &message, MSG_NOSIGNAL);
    return result < 0 ? -errno : result;
}

int system_receive_messages(int fd, struct mmsghdr *messages, uint32_t count)
{
    return result_of(recvmmsg(fd, messages, count, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL));
}

int system_send_messages(int fd, struct mmsghdr *messages, uint32_t count)
{
    return result_of(sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL));
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

/* Nobody has it open: a try to connect is refused. */
static bool is_stale(int type, const struct sockaddr *address, socklen_t size)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = fd >= 0 && connect(fd, address, size) < 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return refused;
}

int system_remove_stale(int fd, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_un local = {0};
    struct stat status;
    int type = 0;
    socklen_t type_size = sizeof(type);
    CHECK_LE((size_t)size, sizeof(local));
    memcpy(&local, address, size);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) < 0)
        return -errno;
    if (lstat(local.sun_path, &status) < 0)
        return -EADDRINUSE;
    if (!S_ISSOCK(status.st_mode))
        return -ENOTSOCK;
    if (!is_stale(type, address, size))
        return -EADDRINUSE;
    return result_of(unlink(local.sun_path));
}

int system_limit_file_mode(int fd, int mode)
{
    return result_of(fchmod(fd, (mode_t)mode));
}

int system_set_file_mode(const char *path, int mode)
{
    return result_of(chmod(path, (mode_t)mode));
}

static bool is_readable(int flags)
{
    return (flags & O_ACCMODE) != O_WRONLY && !(flags & O_PATH);
}

/* Block devices and files that are made as they are read, as in /proc, say that they are empty. */
static bool reaches(int fd, const struct stat *status, uint64_t size)
{
    char last;
    if (size == 0 || (status->st_size > 0 && (uint64_t)status->st_size >= size))
        return true;
    return status->st_size == 0 && pread(fd, &last, 1, (off_t)(size - 1)) == 1;
}

int system_check_file(int fd, uint64_t size)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (!is_readable(flags))
        return -EBADF;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return -ESPIPE;
    bool fits = size <= INT64_MAX && !(flags & O_DIRECT) && reaches(fd, &status, size);
    return fits ? 0 : -EINVAL;
}

int system_duplicate(int fd)
{
    return result_of(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int system_close_on_exec(int fd)
{
    return result_of(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

bool system_is_same_file(int fd, int other)
{
    struct stat one;
    struct stat two;
    return fstat(fd, &one) == 0 && fstat(other, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

int system_set_waiting(int fd, bool waits)
{
    int flags = fcntl(fd, F_GETFL);
    int wanted = waits ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (flags < 0 || (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0))
        return -errno;
    return (flags & O_NONBLOCK) == 0;
}

int system_wake_open(void)
{
    return result_of(eventfd(0, EFD_CLOEXEC));
}

int system_wake_raise(int fd)
{
    uint64_t one = 1;
    int before = thread_put_off_cancel();
    int result = write(fd, &one, sizeof(one)) < 0 ? -errno : 0;
    thread_allow_cancel(before);
    return result;
}
