/* SPDX-License-Identifier: MIT */
/* Datagrams. Of those that are not asked for yet a lack of memory may lose some, as it may in the
 * kernel; of those that were accepted for sending none. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cases.h"

enum { PATIENCE_MS = 60000, SHORT_MS = 50 };

struct ends {
    weir_socket socket;
    int plain;
    weir_address plain_address;
};

static void plain_name(struct ends *ends)
{
    struct sockaddr_in inet = {.sin_family = AF_INET};
    socklen_t size = sizeof(inet);
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ends->plain = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (ends->plain < 0 || bind(ends->plain, (struct sockaddr *)&inet, size) < 0 ||
        getsockname(ends->plain, (struct sockaddr *)&inet, &size) < 0)
        oom_fail("a plain socket: %s", strerror(errno));
    ends->plain_address = (weir_address){.family = WEIR_INET, .port = ntohs(inet.sin_port)};
    memcpy(ends->plain_address.bytes, &inet.sin_addr, sizeof(inet.sin_addr));
}

static void plain_connect(const struct ends *ends)
{
    struct sockaddr_in inet = {.sin_family = AF_INET};
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    inet.sin_port = htons((uint16_t)weir_port(ends->socket));
    if (connect(ends->plain, (struct sockaddr *)&inet, sizeof(inet)) < 0)
        oom_fail("connect: %s", strerror(errno));
}

static int open_ends(weir_runtime *runtime, struct ends *ends)
{
    const weir_option *options = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_IP_LOOPBACK());
    int result = weir_udp_open(runtime, 0, options, weir_owned_by_nobody(), &ends->socket);
    if (result < 0)
        return result;
    plain_name(ends);
    plain_connect(ends);
    return 0;
}

static int close_ends(const struct ends *ends, int result)
{
    close(ends->plain);
    weir_close(ends->socket);
    return result;
}

int oom_udp_open_and_close(weir_runtime *runtime)
{
    struct ends ends;
    int result = open_ends(runtime, &ends);
    return result < 0 ? result : close_ends(&ends, 0);
}

int oom_udp_connect(weir_runtime *runtime)
{
    struct ends ends;
    int result = open_ends(runtime, &ends);
    if (result < 0)
        return result;
    result = weir_udp_connect(ends.socket, &ends.plain_address);
    if (result == 0)
        result = weir_udp_send(ends.socket, NULL, "x", 1);
    return close_ends(&ends, result);
}

/* What was accepted is there, what was not is not. */
static void expect_sent(const struct ends *ends, int result, size_t size)
{
    static char bytes[65536];
    struct pollfd there = {.fd = ends->plain, .events = POLLIN};
    if (result < 0 && poll(&there, 1, 0) != 0)
        oom_fail("udp send gave %s, and something has arrived", weir_error_name(result));
    if (result == 0 && recv(ends->plain, bytes, sizeof(bytes), 0) != (ssize_t)size)
        oom_fail("udp send: not what was sent");
}

struct answer {
    int result;
    sem_t done;
};

static void sent(weir_socket socket, int result, void *data)
{
    struct answer *answer = data;
    (void)socket;
    answer->result = result;
    sem_post(&answer->done);
}

static int send_async_and_wait(const struct ends *ends, const char *bytes, size_t size)
{
    struct answer answer;
    sem_init(&answer.done, 0, 0);
    int result =
        weir_udp_send_async(ends->socket, &ends->plain_address, bytes, size, sent, &answer);
    while (result == 0 && sem_wait(&answer.done) < 0)
        continue;
    sem_destroy(&answer.done);
    return result < 0 ? result : answer.result;
}

int oom_udp_send(weir_runtime *runtime)
{
    static char bytes[60000];
    struct ends ends;
    int result = open_ends(runtime, &ends);
    if (result < 0)
        return result;
    result = weir_udp_send(ends.socket, &ends.plain_address, bytes, sizeof(bytes));
    expect_sent(&ends, result, sizeof(bytes));
    if (result == 0) {
        result = send_async_and_wait(&ends, bytes, 1000);
        expect_sent(&ends, result, 1000);
    }
    return close_ends(&ends, result);
}

/* A recv that had no memory for its datagram leaves it for the next. */
int oom_udp_receive(weir_runtime *runtime)
{
    weir_packet packet;
    struct ends ends;
    int result = open_ends(runtime, &ends);
    if (result < 0)
        return result;
    if (send(ends.plain, "one", 3, 0) != 3 || send(ends.plain, "two", 3, 0) != 3)
        oom_fail("send: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        int one = weir_udp_recv(ends.socket, i == 0 ? PATIENCE_MS : SHORT_MS, &packet);
        if (one == -ENOMEM)
            one = weir_udp_recv(ends.socket, PATIENCE_MS, &packet);
        if (one == 0 && (packet.size != 3 || memcmp(packet.bytes, i == 0 ? "one" : "two", 3) != 0))
            oom_fail("udp recv: another datagram");
        if (one == 0)
            weir_packet_release(&packet);
        if (one < 0)
            result = one == WEIR_TIMEOUT ? -ENOMEM : one; /* no memory to keep it */
    }
    return close_ends(&ends, result);
}

static void answer_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct answer *answer = data;
    answer->result = weir_send_packet(socket, packet);
    sem_post(&answer->done);
}

/* Each datagram comes to the handler, and is answered if there is memory for it. */
static int ask_service(const struct ends *ends, struct answer *answer)
{
    if (send(ends->plain, "question", 8, 0) != 8)
        oom_fail("send: %s", strerror(errno));
    while (sem_wait(&answer->done) < 0)
        continue;
    expect_sent(ends, answer->result, 8);
    return answer->result;
}

int oom_udp_serve(weir_runtime *runtime)
{
    static const weir_handler handler = {.packet = answer_packet};
    struct answer answer = {0};
    struct ends ends;
    int result = weir_udp_serve(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&handler, &answer),
                                &ends.socket);
    if (result < 0)
        return result;
    sem_init(&answer.done, 0, 0);
    plain_name(&ends);
    plain_connect(&ends);
    result = ask_service(&ends, &answer);
    if (result == 0)
        result = ask_service(&ends, &answer);
    (void)close_ends(&ends, 0);
    sem_destroy(&answer.done);
    return result;
}
