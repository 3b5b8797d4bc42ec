/* SPDX-License-Identifier: MIT */
#include "load/dial.h"

#include "common/fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_PER_SOURCE = 10000 };

struct sockaddr_in dial_parse(const char *text)
{
    char host[INET_ADDRSTRLEN];
    unsigned port;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (!text || sscanf(text, "%15[0-9.]:%5u", host, &port) != 2 || port > UINT16_MAX ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1)
        fail("--connect: IPV4-ADDRESS:PORT is needed");
    address.sin_port = htons((uint16_t)port);
    return address;
}

static void bind_source(int fd, uint32_t connection)
{
    int on = 1;
    uint32_t host = INADDR_LOOPBACK + 1 + connection / CONNECTIONS_PER_SOURCE;
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0)
        fail_errno(errno, "bind");
}

int dial(const struct sockaddr_in *server, uint32_t connection)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail_errno(errno, "socket");
    if (ntohl(server->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET)
        bind_source(fd, connection);
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        fail_errno(errno, "setsockopt");
    if (connect(fd, (const struct sockaddr *)server, sizeof(*server)) < 0)
        fail_errno(errno, "connect");
    return fd;
}

void dial_send(int fd, struct frame_batch *batch, struct frame_place place)
{
    frame_batch_mark(batch, place);
    ssize_t count = send(fd, batch->bytes, batch->batch_bytes, MSG_NOSIGNAL);
    if (count != (ssize_t)batch->batch_bytes)
        fail_errno(errno, "send");
}

void dial_receive(int fd, const struct frame_batch *batch, struct frame_place place)
{
    char bytes[16 << 10];
    for (size_t received = 0; received < batch->batch_bytes;) {
        size_t left = batch->batch_bytes - received;
        ssize_t count = recv(fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes), 0);
        if (count < 0)
            fail_errno(errno, "recv");
        if (count == 0)
            fail("the server closed the connection");
        frame_batch_verify(batch, place, received, bytes, (size_t)count);
        received += (size_t)count;
    }
}
