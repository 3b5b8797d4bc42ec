/* SPDX-License-Identifier: MIT */
#include "machine_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SEGMENT_BYTES = 100, RUN_BYTES = 300 };

static bool turn_on(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static int join(int to, int from)
{
    const struct timeval patience = {.tv_sec = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (bind(to, (struct sockaddr *)&address, size) < 0 ||
        getsockname(to, (struct sockaddr *)&address, &size) < 0 ||
        setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(from, (struct sockaddr *)&address, size) < 0)
        return -errno;
    return 0;
}

static void look(struct machine_udp *udp, struct msghdr *message, ssize_t size)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    for (; control; control = CMSG_NXTHDR(message, control)) {
        bool is_run = control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO;
        udp->gro |= is_run && size == RUN_BYTES;
        udp->pktinfo |= control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO;
    }
}

static int exchange(struct machine_udp *udp, int to, int from)
{
    static char bytes[RUN_BYTES];
    _Alignas(struct cmsghdr) char control[256];
    struct iovec piece = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    udp->gso = turn_on(from, IPPROTO_UDP, UDP_SEGMENT, SEGMENT_BYTES) &&
               send(from, bytes, RUN_BYTES, 0) == RUN_BYTES;
    if (!udp->gso && send(from, bytes, SEGMENT_BYTES, 0) < 0)
        return -errno;
    ssize_t size = recvmsg(to, &message, 0);
    if (size < 0)
        return -errno;
    look(udp, &message, size);
    return 0;
}

int machine_try_udp(struct machine_udp *udp)
{
    int to = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = to < 0 || from < 0 ? -errno : join(to, from);
    *udp = (struct machine_udp){0};
    if (result == 0) {
        (void)turn_on(to, IPPROTO_UDP, UDP_GRO, 1);
        (void)turn_on(to, IPPROTO_IP, IP_PKTINFO, 1);
        result = exchange(udp, to, from);
    }
    close(to);
    close(from);
    return result;
}
