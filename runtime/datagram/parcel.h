/* SPDX-License-Identifier: MIT */
/*
 * Datagrams on their way out. A parcel is one, or a run of them to one peer and of one size (but
 * for the last, which may be shorter), which the kernel cuts apart (UDP_SEGMENT). Its bytes lie in
 * a crate, behind each other, so that a run needs no gathering.
 *
 * Invariant: a crate is used from its beginning again when no parcel lies in it. So one parcel that
 * stays, for want of room, keeps all of it. Only the last in its crate may grow.
 */
#ifndef RUNTIME_DATAGRAM_PARCEL_H
#define RUNTIME_DATAGRAM_PARCEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "base/list.h"

struct call;
struct weir_buffer;

enum {
    CRATE_BYTES = 65536,     /* the largest datagram fits */
    RUN_DATAGRAMS_MOST = 64, /* UDP_MAX_SEGMENTS of all kernels */
    RUN_BYTES_MOST = 65507,
};

struct crate {
    struct crate *next; /* among the spare ones */
    uint32_t used;
    uint32_t parcel_count;
    uint8_t bytes[CRATE_BYTES];
};

union parcel_address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
    struct sockaddr_un local;
};

struct parcel {
    struct list link; /* in its outbox, or spare */
    struct crate *crate;
    uint8_t *bytes;
    uint32_t size;
    uint32_t datagram_size; /* of all but perhaps the last */
    uint32_t count;
    struct weir_buffer *rights; /* descriptors that go with it, or NULL */
    struct call *call;          /* who waits for what the kernel says, or NULL */
    socklen_t address_size;     /* 0: the connected peer */
    union parcel_address address;
    struct iovec piece;
    _Alignas(8) uint8_t control[CMSG_SPACE(sizeof(uint16_t))];
};

struct parcels {
    struct crate *crate; /* the one that is being filled; NULL: none yet */
    struct crate *spare_crates;
    uint32_t spare_crate_count;
    struct list spare;
    uint32_t spare_count;
};

void parcels_open(struct parcels *parcels);
void parcels_shut(struct parcels *parcels);

/* One datagram without bytes yet, which are to be put where `bytes` points. NULL: no memory. */
struct parcel *parcel_take(struct parcels *parcels, size_t size);
void parcel_free(struct parcels *parcels, struct parcel *parcel);

/* Where a datagram of `size` bytes would go that makes the parcel a longer run; NULL: it cannot. */
uint8_t *parcel_room(const struct parcel *parcel, size_t size);
void parcel_grow(struct parcel *parcel, size_t size);

/* The first of a run becomes a parcel of its own. NULL: no memory. */
struct parcel *parcel_split(struct parcels *parcels, struct parcel *run);

/* The header of its send, which points into it. */
void parcel_address(struct parcel *parcel, struct msghdr *message);

#endif
