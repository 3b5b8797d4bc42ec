/* SPDX-License-Identifier: MIT */
/* Local sockets, and the descriptors that go along with what they send. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cases.h"

enum { PATIENCE_MS = 60000, SHORT_MS = 50 };

/* Both ends are weir's. */
struct pair {
    weir_socket listener;
    weir_socket client;
    weir_socket server;
};

static const char *name_of(const char *what)
{
    static char name[64];
    snprintf(name, sizeof(name), "unix:@weir oom %d %s", (int)getpid(), what);
    return name;
}

#define PASSIVE WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_DESCRIPTORS(4))

static int close_pair(const struct pair *pair, int result)
{
    const weir_socket sockets[] = {pair->server, pair->client, pair->listener};
    for (int i = 0; i < 3; i++)
        if (sockets[i].id != 0)
            (void)weir_close(sockets[i]);
    return result;
}

static int open_pair(weir_runtime *runtime, struct pair *pair)
{
    const char *name = name_of("stream");
    *pair = (struct pair){{0}, {0}, {0}};
    int result = weir_tcp_listen(runtime, name, 0, PASSIVE, &pair->listener);
    if (result == 0)
        result = weir_tcp_connect(runtime, name, 0, PASSIVE, weir_owned_by_nobody(), PATIENCE_MS,
                                  &pair->client);
    if (result == 0)
        result =
            weir_tcp_accept(pair->listener, weir_owned_by_nobody(), PATIENCE_MS, &pair->server);
    return result == 0 ? 0 : close_pair(pair, result);
}

int oom_local_open_and_close(weir_runtime *runtime)
{
    struct pair pair;
    weir_credentials credentials;
    int result = open_pair(runtime, &pair);
    if (result < 0)
        return result;
    if (weir_local_credentials(pair.server, &credentials) < 0 || credentials.pid != getpid())
        oom_fail("local: not this process");
    return close_pair(&pair, 0);
}

/* Once more when there was no memory for it, which has lost nothing. */
static int receive(weir_socket socket, weir_packet *packet)
{
    int result = weir_recv(socket, 0, PATIENCE_MS, packet);
    if (result == -ENOMEM && weir_recv(socket, 0, PATIENCE_MS, packet) < 0)
        oom_fail("local recv: nothing is left");
    if (result < 0 && result != -ENOMEM)
        oom_fail("local recv: %s", weir_error_name(result));
    return result;
}

static int expect_taken(weir_socket socket, int expected)
{
    int descriptors[4];
    int count = weir_local_take(socket, descriptors, 4);
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
    if (count != expected)
        oom_fail("local take: %d descriptors, not %d", count, expected);
    return 0;
}

/* What is accepted arrives, with its descriptors; what is not, and they, do not. */
int oom_local_stream(weir_runtime *runtime)
{
    const weir_local_message message = {"hello", 5, (int[]){0, 1}, 2, NULL};
    struct pair pair;
    weir_packet packet;
    int result = open_pair(runtime, &pair);
    if (result < 0)
        return result;
    int sent = weir_local_send(pair.client, &message);
    if (sent < 0 && weir_send(pair.client, "plain", 5) < 0)
        oom_fail("local send: not even the next");
    int received = receive(pair.server, &packet);
    if (packet.size != 5 || memcmp(packet.bytes, sent == 0 ? "hello" : "plain", 5) != 0)
        oom_fail("local recv: %.*s, and send gave %s", (int)packet.size, (const char *)packet.bytes,
                 weir_error_name(sent));
    weir_packet_release(&packet);
    (void)expect_taken(pair.server, sent == 0 ? 2 : 0);
    return close_pair(&pair, sent < 0 ? sent : received);
}

static int open_datagram(weir_runtime *runtime, const char *name, weir_socket *socket)
{
    const char *abstract = name + strlen("unix:@");
    char path[64] = "";
    memcpy(path + 1, abstract, strlen(abstract));
    return weir_udp_open(runtime, 0,
                         WEIR_OPTIONS(WEIR_IP_LOCAL(path, strlen(abstract) + 1),
                                      WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_DESCRIPTORS(4),
                                      WEIR_CREDENTIALS(true)),
                         weir_owned_by_nobody(), socket);
}

/* Of a datagram that was lost for want of memory its descriptors are too. */
static int expect_datagram(weir_socket socket, bool sent)
{
    weir_packet packet;
    int result = weir_udp_recv(socket, sent ? PATIENCE_MS : 0, &packet);
    if (result == -ENOMEM)
        result = weir_udp_recv(socket, SHORT_MS, &packet) == 0 ? 0 : -ENOMEM;
    if (!sent && result == WEIR_TIMEOUT)
        return 0;
    if (!sent || (result < 0 && result != -ENOMEM))
        oom_fail("local udp recv: %s", weir_error_name(result));
    if (result < 0)
        return expect_taken(socket, 0), result;
    (void)expect_taken(socket, packet.datagram->descriptors);
    if (packet.datagram->descriptors != 2 || packet.datagram->credentials.pid != getpid())
        oom_fail("local udp recv: %d descriptors", packet.datagram->descriptors);
    weir_packet_release(&packet);
    return 0;
}

int oom_local_datagrams(weir_runtime *runtime)
{
    weir_socket socket;
    weir_local_address own;
    int result = open_datagram(runtime, name_of("datagram"), &socket);
    if (result < 0)
        return result;
    if (weir_local_sockname(socket, &own) < 0)
        oom_fail("local udp: no name");
    const weir_local_message message = {"hello", 5, (int[]){0, 1}, 2, &own};
    int sent = weir_local_send(socket, &message);
    result = expect_datagram(socket, sent == 0);
    (void)weir_close(socket);
    return sent < 0 ? sent : result;
}
