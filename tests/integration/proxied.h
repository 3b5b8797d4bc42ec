/* SPDX-License-Identifier: MIT */
/* Peers that say by a PROXY header whose connection theirs is. */
#ifndef INTEGRATION_PROXIED_H
#define INTEGRATION_PROXIED_H

#include "support/loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define HEADER(text)             \
    (const struct header)        \
    {                            \
        (text), sizeof(text) - 1 \
    }

struct header {
    const char *bytes;
    size_t size;
};

#define LINE   HEADER("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n")
#define BLOCK  HEADER(SIGNATURE "\x21\x11\0\x0c\xc0\0\x2\x1\xc6\x33\x64\x2\xdc\x04\x01\xbb")
#define CLIENT "192.0.2.1:56324"
#define FRONT  "198.51.100.2:443"

static inline weir_totals totals_of(const struct loopback *loopback)
{
    weir_totals totals;
    GIVES(weir_get_totals(loopback->runtime, -1, &totals), 0);
    return totals;
}

static inline uint64_t refused(const struct loopback *loopback)
{
    return totals_of(loopback).proxy_refused;
}

static inline int connect_to(const struct loopback *loopback)
{
    int on = 1;
    int peer = peer_connect(weir_port(loopback->listener));
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return peer;
}

static inline void say_header(int peer, struct header header)
{
    peer_write(peer, header.bytes, header.size);
}

static inline void say_all(int peer)
{
    say_header(peer, LINE);
    peer_say(peer, "behind");
}

/* One that the kernel has accepted when this returns, with half of its header. */
static inline int begin_half(const struct loopback *loopback)
{
    uint64_t before = totals_of(loopback).accepts;
    int peer = connect_to(loopback);
    peer_write(peer, LINE.bytes, 20);
    EVENTUALLY(totals_of(loopback).accepts > before);
    return peer;
}

static inline void end_half(int peer)
{
    peer_write(peer, LINE.bytes + 20, LINE.size - 20);
    peer_say(peer, "behind");
}

static inline void expect_closed(int *peer)
{
    int64_t got = peer_drain(*peer);
    cr_assert(got == 0 || got == -ECONNRESET, "%d", (int)got);
    peer_leave(peer);
}

static inline void expect_names(weir_socket socket, const char *source, const char *destination)
{
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    GIVES(weir_peername(socket, &address), 0);
    cr_assert_str_eq(weir_address_format_endpoint(&address, text), source);
    GIVES(weir_sockname(socket, &address), 0);
    cr_assert_str_eq(weir_address_format_endpoint(&address, text), destination);
    GIVES(weir_port(socket), address.port);
}

/* What stands behind the header is the connection's, and so is what comes later. */
static inline void expect_talk(struct loopback *loopback, int *peer, const char *source,
                               const char *destination)
{
    expect_names(loopback->socket, source, destination);
    expect_text(loopback, "behind");
    peer_say(*peer, "later");
    expect_text(loopback, "later");
    GIVES(weir_send(loopback->socket, "back", 4), 0);
    peer_expect(*peer, "back");
    weir_close(loopback->socket);
    peer_expect_end(*peer);
    peer_leave(peer);
}

#endif
