/* SPDX-License-Identifier: MIT */
/* The seams of base/system.h and base/clock.h over the simulated kernel. */
#include "base/system.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "sim/accepting.h"
#include "sim/at_once.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/local.h"
#include "sim/model.h"
#include "sim/names.h"
#include "sim/operation.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "sim/udp_local.h"

uint64_t clock_now_ns(void)
{
    return kernel.now_ns;
}

uint64_t clock_thread_ns(pthread_t thread)
{
    (void)thread;
    return kernel.now_ns;
}

static bool fails(void)
{
    return dice_chance(kernel.faults.call);
}

static int new_datagram_socket(bool local)
{
    int fd = kernel_new_file(FILE_DATAGRAM);
    if (fd >= 0)
        kernel_file(fd)->local = local;
    if (fd < 0 || udp_file_open(kernel_fd_index(fd)))
        return fd;
    system_close(fd);
    return -ENFILE;
}

int system_socket(int family, int type, const char *netns)
{
    static const int errors[] = {ENFILE, ENOBUFS, ENOMEM, EMFILE};
    (void)netns;
    if (type & SOCK_NONBLOCK) /* only who asks a name server does not want to wait */
        return fails() ? -EMFILE : names_socket(type);
    if (fails())
        return -errors[dice_below(4)];
    bool local = family == AF_UNIX;
    int fd = (type & 0xf) == SOCK_DGRAM ? new_datagram_socket(local) : kernel_new_file(FILE_SOCKET);
    if (fd >= 0)
        kernel_file(fd)->local = local;
    return fd;
}

int system_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_in inet;
    struct file *file = kernel_file(fd);
    if (fails())
        return -EADDRINUSE;
    if (file->local)
        return local_bind_file(file, address, size);
    memcpy(&inet, address, sizeof(inet));
    file->port = ntohs(inet.sin_port) ? ntohs(inet.sin_port) : kernel.next_port++;
    return 0;
}

int system_listen(int fd, int backlog)
{
    (void)backlog;
    if (fails())
        return -EADDRINUSE;
    kernel_file(fd)->kind = FILE_LISTENER;
    return 0;
}

int system_shutdown(int fd, int how)
{
    struct file *file = kernel_file(fd);
    if (file->kind != FILE_STREAM || links[file->link].reset)
        return -ENOTCONN;
    trace("shutdown of descriptor %lld: %lld", fd, how, 0, 0);
    if (how != SHUT_WR) {
        file->shut_read = true;
        kernel_kick(kernel_fd_index(fd), PLACE_RECEIVE);
    }
    if (how != SHUT_RD && !file->shut_write) {
        file->shut_write = true;
        model_shut_down(file->link);
        links[file->link].out_fin = true;
        kernel_kick_senders(kernel_fd_index(fd));
        link_was_written(file->link);
    }
    return 0;
}

int system_close(int fd)
{
    struct file *file = kernel_file(fd);
    trace("close of descriptor %lld", fd, 0, 0, 0);
    bool is_watched = file->kind == FILE_NAMES;
    SIM_CHECK(file->kind == FILE_WAKE || is_watched || !operation_is_in_flight(file),
              "descriptor %d is closed with an operation in flight", fd);
    if (is_watched)
        names_close(fd);
    kernel.descriptor_count--;
    if (is_watched && operation_is_in_flight(file)) {
        file->is_closed = true;
        return 0;
    }
    if (file->kind == FILE_LISTENER)
        accepting_end(file);
    else if (file->kind == FILE_STREAM)
        link_file_closed(file->link, file->linger_on && file->linger_seconds == 0);
    else if (file->kind == FILE_DATAGRAM && file->link != NO_LINK)
        udp_file_close(kernel_fd_index(fd));
    kernel_free_file(file);
    return 0;
}

int system_receive_messages(int fd, struct mmsghdr *messages, uint32_t count)
{
    if (kernel_file(fd)->kind == FILE_STREAM)
        return at_once_receive_message(kernel_fd_index(fd), messages);
    return udp_file_receive(kernel_fd_index(fd), messages, count);
}

int system_send_messages(int fd, struct mmsghdr *messages, uint32_t count)
{
    return udp_file_send(kernel_fd_index(fd), messages, count);
}

/* A kernel that has taken it once does so always. */
static int set_runs(int fd, const void *value)
{
    int on;
    if (!udps[kernel_file(fd)->link].knows_runs && fails())
        return -ENOPROTOOPT;
    memcpy(&on, value, sizeof(on));
    udp_file_take_runs(kernel_fd_index(fd), on != 0);
    return 0;
}

int system_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    struct file *file = kernel_file(fd);
    struct linger linger;
    if (file->kind == FILE_DATAGRAM && level == IPPROTO_UDP && name == UDP_GRO)
        return set_runs(fd, value);
    if (fails())
        return -ENOPROTOOPT;
    if (level == SOL_SOCKET && name == SO_LINGER && size >= sizeof(linger)) {
        memcpy(&linger, value, sizeof(linger));
        file->linger_on = linger.l_onoff != 0;
        file->linger_seconds = linger.l_linger;
    }
    return 0;
}

static int put_value(void *value, socklen_t *size, const void *from, socklen_t from_size)
{
    *size = *size < from_size ? *size : from_size;
    memcpy(value, from, *size);
    return 0;
}

int system_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    struct file *file = kernel_file(fd);
    int number = 0;
    if (level == SOL_SOCKET && name == SO_LINGER) {
        struct linger linger = {file->linger_on, file->linger_seconds};
        return put_value(value, size, &linger, sizeof(linger));
    }
    if (file->kind == FILE_DATAGRAM && level == SOL_SOCKET && name == SO_MEMINFO) {
        uint32_t figures[SK_MEMINFO_VARS] = {[SK_MEMINFO_DROPS] = udps[file->link].dropped};
        return put_value(value, size, figures, sizeof(figures));
    }
    if (file->kind == FILE_DATAGRAM && level == IPPROTO_UDP && name == UDP_GRO)
        number = udps[file->link].takes_runs;
    if (file->local && level == SOL_SOCKET && name == SO_PEERCRED) {
        struct ucred credentials = local_credentials(file->link);
        return put_value(value, size, &credentials, sizeof(credentials));
    }
    if (level == SOL_SOCKET && name == SO_ERROR) {
        number = file->error;
        file->error = 0;
    }
    return put_value(value, size, &number, sizeof(number));
}

static int put_name(struct sockaddr *address, socklen_t *size, uint16_t port)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return put_value(address, size, &inet, sizeof(inet));
}

int system_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    const struct file *file = kernel_file(fd);
    if (!file->local)
        return put_name(address, size, file->port);
    local_put_name(file, address, size);
    return 0;
}

int system_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
    const struct file *file = kernel_file(fd);
    if (file->kind == FILE_DATAGRAM && file->local && udps[file->link].connected) {
        *size = udp_local_put_name(udps[file->link].peer, address);
        return 0;
    }
    if (file->kind == FILE_DATAGRAM && udps[file->link].connected) {
        struct sockaddr_in peer = udp_peer_address(udps[file->link].peer);
        return put_value(address, size, &peer, sizeof(peer));
    }
    if (file->kind != FILE_STREAM || links[file->link].reset)
        return -ENOTCONN;
    if (!file->local)
        return put_name(address, size, 50000);
    local_put_peer(file, address, size);
    return 0;
}

int system_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return kernel_file(fd)->kind == FILE_DATAGRAM
               ? udp_file_connect(kernel_fd_index(fd), address, size)
               : names_connect(fd);
}

ssize_t system_receive(int fd, void *bytes, size_t size, int flags, struct sockaddr *from,
                       socklen_t *from_size)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons(53)};
    if (kernel_file(fd)->kind == FILE_STREAM)
        return at_once_receive(kernel_fd_index(fd), bytes, size, flags);
    inet.sin_addr.s_addr = htonl(0x0a000035);
    if (from) {
        memcpy(from, &inet, sizeof(inet));
        *from_size = sizeof(inet);
    }
    return names_receive(fd, bytes, size);
}

ssize_t system_send(int fd, const struct iovec *pieces, int count)
{
    return names_send(fd, pieces, count);
}

int system_wake_open(void)
{
    return kernel_new_file(FILE_WAKE);
}

int system_wake_raise(int fd)
{
    kernel_file(fd)->wakes++;
    kernel_kick(kernel_fd_index(fd), PLACE_OTHER);
    return 0;
}

/* A file that is too short may have been longer when it was asked. */
int system_check_file(int fd, uint64_t size)
{
    return size <= kernel_file(fd)->size || dice_chance(500) ? 0 : -EINVAL;
}

int system_set_waiting(int fd, bool waits)
{
    struct file *file = kernel_file(fd);
    bool waited = !file->never_waits;
    if (file->kind == FILE_LISTENER)
        local_set_waiting(file, waits);
    file->never_waits = !waits;
    return waited;
}

int system_duplicate(int fd)
{
    int other = kernel_new_file(FILE_REGULAR);
    if (other < 0)
        return other;
    if (kernel_file(fd)->kind == FILE_LISTENER)
        local_share(kernel_file(other), kernel_file(fd));
    kernel_file(other)->bytes = kernel_file(fd)->bytes;
    kernel_file(other)->size = kernel_file(fd)->size;
    return other;
}

int system_accept(int fd)
{
    return accepting_at_once(kernel_file(fd));
}

int system_remove_stale(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)fd;
    return local_remove_stale(address, size);
}

int system_limit_file_mode(int fd, int mode)
{
    (void)fd;
    (void)mode;
    return fails() ? -EBADF : 0;
}

int system_set_file_mode(const char *path, int mode)
{
    (void)path;
    (void)mode;
    return fails() ? -EACCES : 0;
}

int system_close_on_exec(int fd)
{
    (void)fd;
    return -EBADF;
}

bool system_is_same_file(int fd, int other)
{
    return fd == other;
}

bool system_is_readable(int fd)
{
    const struct file *file = kernel_file(fd);
    return file->kind == FILE_DATAGRAM ? (udp_file_ready(file) & POLLIN) != 0
                                       : accepting_is_ready(file);
}
