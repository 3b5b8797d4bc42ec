/* SPDX-License-Identifier: MIT */
#include "remote.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_MAX = 65536 };

void remote_new(struct remote *remote, weir_address address)
{
    *remote = (struct remote){.address = address, .listener = -1, .fd = -1};
}

size_t bytes_from_hex(const char *text, uint8_t *bytes, size_t most)
{
    unsigned byte;
    size_t size = 0;
    for (; size < most && sscanf(text, "%2x", &byte) == 1; text += 2)
        bytes[size++] = (uint8_t)byte;
    return size;
}

void write_hex(FILE *to, const void *bytes, size_t size)
{
    const uint8_t *each = bytes;
    for (size_t i = 0; i < size; i++)
        fprintf(to, "%02x", each[i]);
}

static struct sockaddr_in address_at(const struct remote *remote, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&address.sin_addr, remote->address.bytes, sizeof(address.sin_addr));
    return address;
}

/* With a small buffer, behind which a sender has a queue before long. */
static int open_socket(void)
{
    int size = 4096;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    CHECK_GE(fd, 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    return fd;
}

typedef int get_name(int fd, struct sockaddr *address, socklen_t *size);

static uint16_t name_of(int fd, get_name *get)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof(address);
    CHECK_EQ(get(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void meet(struct remote *remote)
{
    remote->port = name_of(remote->fd, getsockname);
    remote->met_port = name_of(remote->fd, getpeername);
}

static void connect_to(struct remote *remote, uint16_t port)
{
    struct sockaddr_in address = address_at(remote, port);
    remote->fd = open_socket();
    CHECK_EQ(connect(remote->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    meet(remote);
}

static void listen_here(struct remote *remote)
{
    struct sockaddr_in address = address_at(remote, 0);
    remote->listener = open_socket();
    CHECK_EQ(bind(remote->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQ(listen(remote->listener, 5), 0);
    remote->port = name_of(remote->listener, getsockname);
}

static void accept_here(struct remote *remote)
{
    remote->fd = accept4(remote->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK_GE(remote->fd, 0);
    close(remote->listener);
    remote->listener = -1;
    meet(remote);
}

/* A socket for datagrams of that port alone. */
static void meet_datagrams(struct remote *remote, uint16_t port)
{
    struct sockaddr_in own = address_at(remote, 0);
    struct sockaddr_in met = address_at(remote, port);
    remote->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    CHECK_GE(remote->fd, 0);
    CHECK_EQ(bind(remote->fd, (struct sockaddr *)&own, sizeof(own)), 0);
    CHECK_EQ(connect(remote->fd, (struct sockaddr *)&met, sizeof(met)), 0);
    meet(remote);
}

static void send_hex(const struct remote *remote, const char *text)
{
    uint8_t bytes[SEND_MAX];
    size_t size = bytes_from_hex(text, bytes, sizeof(bytes));
    (void)send(remote->fd, bytes, size, MSG_NOSIGNAL);
}

static void close_here(struct remote *remote, bool resets)
{
    struct linger linger = {.l_onoff = 1};
    if (resets)
        CHECK_EQ(setsockopt(remote->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    close(remote->fd);
    remote->fd = -1;
}

/* All there is, and whether it ends: by a reset when the other end closed with bytes that it had
 * not read, which depends on when it reads. */
static void read_all(const struct remote *remote, FILE *to)
{
    uint8_t bytes[SEND_MAX];
    ssize_t size;
    fputs("ok ", to);
    while ((size = recv(remote->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        write_hex(to, bytes, (size_t)size);
    fputs(size < 0 && errno == EAGAIN ? " more" : " closed", to);
}

/* Each of those that are there. */
static void read_datagrams(const struct remote *remote, FILE *to)
{
    uint8_t bytes[SEND_MAX];
    ssize_t size;
    fputs("ok", to);
    while ((size = recv(remote->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >= 0) {
        fputs(" :", to);
        write_hex(to, bytes, (size_t)size);
    }
}

/* Until nothing comes any more. How many millions of bytes it was, and whether it ends. */
static void drain_all(const struct remote *remote, FILE *to)
{
    enum { QUIET_MS = 100, MILLION = 1000000 };
    uint8_t bytes[SEND_MAX];
    size_t got = 0;
    ssize_t size = 1;
    while (size > 0) {
        struct pollfd ready = {.fd = remote->fd, .events = POLLIN};
        if (poll(&ready, 1, QUIET_MS) == 0) {
            fprintf(to, "ok %zu more", got / MILLION);
            return;
        }
        size = recv(remote->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        got += size > 0 ? (size_t)size : 0;
    }
    fprintf(to, "ok %zu closed", got / MILLION);
}

static void act_connected(struct remote *remote, const char *act, FILE *to)
{
    const char *result = "ok";
    if (remote->fd < 0)
        result = "no socket";
    else if (strncmp(act, "send ", 5) == 0)
        send_hex(remote, act + 5);
    else if (strcmp(act, "finish") == 0)
        (void)shutdown(remote->fd, SHUT_WR);
    else if (strcmp(act, "read") == 0)
        return read_all(remote, to);
    else if (strcmp(act, "drain") == 0)
        return drain_all(remote, to);
    else if (strcmp(act, "datagrams") == 0)
        return read_datagrams(remote, to);
    else
        close_here(remote, strcmp(act, "reset") == 0);
    fputs(result, to);
}

void remote_act(struct remote *remote, const char *act, uint16_t port, FILE *to)
{
    if (strcmp(act, "connect") == 0)
        connect_to(remote, port);
    else if (strcmp(act, "listen") == 0)
        listen_here(remote);
    else if (strcmp(act, "udp") == 0)
        meet_datagrams(remote, port);
    else if (strcmp(act, "accept") == 0)
        accept_here(remote);
    else
        return act_connected(remote, act, to);
    fputs("ok", to);
}

void remote_end(struct remote *remote)
{
    if (remote->fd >= 0)
        close_here(remote, true);
    if (remote->listener >= 0)
        close(remote->listener);
}
