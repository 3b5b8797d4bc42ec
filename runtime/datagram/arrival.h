/* SPDX-License-Identifier: MIT */
/*
 * A received datagram in the buffer that it lies in. The kernel's multishot receive puts what it
 * says of a datagram before its bytes (struct io_uring_recvmsg_out, the name and the control that
 * were asked for); a single receive is made to look the same. The end of what was asked for as
 * control is ours: no kernel has so much to say.
 */
#ifndef RUNTIME_DATAGRAM_ARRIVAL_H
#define RUNTIME_DATAGRAM_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "runtime/buffer/buffer.h"
#include <weir/udp.h>

enum { ARRIVAL_NAME_BYTES = 32, ARRIVAL_CONTROL_BYTES = 256, DATAGRAM_BYTES_MAX = 65535 };

struct arrival {
    uint32_t name_size;
    uint32_t control_size;
    uint32_t size; /* of the datagram, also of what did not fit */
    uint32_t flags;
    uint8_t name[ARRIVAL_NAME_BYTES];
    _Alignas(8) uint8_t control[ARRIVAL_CONTROL_BYTES];
    weir_datagram datagram; /* arrival_read */
    uint8_t bytes[];
};

enum { ARRIVAL_ASKED_BYTES = offsetof(struct arrival, bytes) - offsetof(struct arrival, control) };

_Static_assert(offsetof(struct arrival, name) == 16, "as struct io_uring_recvmsg_out has it");
_Static_assert(offsetof(struct arrival, control) == 16 + ARRIVAL_NAME_BYTES, "nothing between");
_Static_assert(offsetof(struct arrival, bytes) % sizeof(uint64_t) == 0, "aligned");

/* What a multishot receive asks for. */
extern const struct msghdr arrival_message;

/* Whether buffers of this many bytes, so far apart, have room for datagrams of `size` bytes. */
bool arrival_fits(uint32_t buffer_size, uint32_t stride, size_t size);

/* A single receive into a block: its header and its piece lie behind the datagram's room. */
struct weir_buffer *arrival_block(size_t size);
struct msghdr *arrival_ask(struct weir_buffer *block);
/* It has brought `size` bytes: as a multishot would have. */
void arrival_answered(struct weir_buffer *block, size_t size);

/* Fills in `datagram` and how much of the buffer is used. False: nothing has come, as from a socket
 * that was shut down. */
bool arrival_read(struct weir_buffer *buffer, size_t most);

/* A copy in a block of its own, or NULL: no memory. */
struct weir_buffer *arrival_copy(const struct weir_buffer *buffer);

static inline struct arrival *arrival_of(const struct weir_buffer *buffer)
{
    return (struct arrival *)(void *)buffer->bytes;
}

/* Of its bytes, those that are there. */
static inline size_t arrival_size(const struct weir_buffer *buffer)
{
    return buffer->filled - offsetof(struct arrival, bytes);
}

#endif
