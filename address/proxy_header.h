/* SPDX-License-Identifier: MIT */
/*
 * The header by which a proxy says whose connection it passes on: the PROXY protocol of HAProxy,
 * versions 1 (a line) and 2 (binary). It comes first on the connection, and what is behind it is
 * the connection's.
 */
#ifndef ADDRESS_PROXY_HEADER_H
#define ADDRESS_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/address.h>

/* A line of version 1, its end included. */
enum { PROXY_LINE_MAX = 107 };

/* False: the proxy speaks for itself, or of a family that sockets here are not of; the connection's
 * own addresses stand. */
struct proxy_header {
    bool has_addresses;
    weir_address source;
    weir_address destination;
};

/* How long the header at the beginning of `bytes` is. 0: it is not all there, and all of `bytes` is
 * part of it. -EPROTO: it is none. */
int proxy_header_read(struct proxy_header *header, const uint8_t *bytes, size_t size);

/* How long one that begins so may be, as far as is known. */
size_t proxy_header_most(const uint8_t *bytes, size_t size);

#endif
