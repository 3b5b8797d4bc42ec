/* SPDX-License-Identifier: MIT */
/* UDP sockets of weir's and plain ones beside them. */
#ifndef INTEGRATION_PLAIN_H
#define INTEGRATION_PLAIN_H

#include "support/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASSIVE "[{ip,{127,0,0,1}},binary,{active,false}]"

static inline weir_socket open_with(struct loopback *loopback, const char *options,
                                    weir_owner owner)
{
    weir_option *list;
    weir_socket socket;
    GIVES(weir_options_parse(options, &list), 0);
    GIVES(weir_udp_open(loopback->runtime, 0, list, owner, &socket), 0);
    weir_options_free(list);
    return socket;
}

static inline weir_socket open_passive(struct loopback *loopback)
{
    return open_with(loopback, PASSIVE, weir_owned_by_nobody());
}

static inline weir_socket open_active(struct loopback *loopback, const char *options)
{
    loopback->socket = open_with(loopback, options, weir_mailed_to(loopback->mailbox));
    return loopback->socket;
}

static inline weir_address address_of(weir_socket socket)
{
    weir_address address;
    GIVES(weir_sockname(socket, &address), 0);
    return address;
}

/* A plain socket, bound to the loopback address. */
struct plain {
    int fd;
    weir_address address;
};

static inline struct plain plain_open(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct plain plain = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    struct timeval wait = {WAIT_MS / 1000, 0};
    socklen_t size = sizeof(address);
    cr_assert(bind(plain.fd, (struct sockaddr *)&address, size) == 0);
    cr_assert(setsockopt(plain.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0);
    cr_assert(getsockname(plain.fd, (struct sockaddr *)&address, &size) == 0);
    GIVES(weir_address_parse("127.0.0.1", &plain.address), 0);
    plain.address.port = ntohs(address.sin_port);
    return plain;
}

static inline void plain_send(const struct plain *plain, weir_socket to, const void *bytes,
                              size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)weir_port(to)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert(sendto(plain->fd, bytes, size, 0, (struct sockaddr *)&address, sizeof(address)) ==
              (ssize_t)size);
}

static inline void plain_say(const struct plain *plain, weir_socket to, const char *text)
{
    plain_send(plain, to, text, strlen(text));
}

static inline void plain_expect(const struct plain *plain, const char *text)
{
    char bytes[256];
    ssize_t size = recv(plain->fd, bytes, sizeof(bytes), 0);
    cr_assert(size == (ssize_t)strlen(text), "%zd bytes instead of %s", size, text);
    cr_assert(memcmp(bytes, text, strlen(text)) == 0, "%.*s instead of %s", (int)size, bytes, text);
}

static inline void expect_from(const weir_packet *packet, const struct plain *plain,
                               const char *text)
{
    cr_assert(packet->size == strlen(text) && memcmp(packet->bytes, text, packet->size) == 0,
              "%.*s instead of %s", (int)packet->size, packet->bytes, text);
    cr_assert(packet->datagram != NULL);
    cr_assert(weir_address_equal(&packet->datagram->source, &plain->address));
    cr_assert(!packet->datagram->truncated);
}

static inline void expect_receive(weir_socket socket, const struct plain *plain, const char *text)
{
    weir_packet packet;
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    expect_from(&packet, plain, text);
    weir_packet_release(&packet);
}

static inline void expect_mail(struct loopback *loopback, const struct plain *plain,
                               const char *text)
{
    weir_message message = next_message(loopback->mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_DATA);
    expect_from(&message.packet, plain, text);
    weir_packet_release(&message.packet);
}

static inline void end(struct loopback *loopback, const struct plain *plain)
{
    close(plain->fd);
    loopback_close(loopback);
}

#endif
