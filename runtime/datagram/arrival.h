/* SPDX-License-Identifier: MIT */
/*
 * What one receive has brought, in the buffer that it lies in: what the kernel says of it, and then
 * its bytes. That is a datagram, or a run of them from one peer that the kernel has put together
 * (UDP_GRO), all of one size but for the last, which are taken out of it one by one.
 *
 * It lives as its buffer does, also for who has kept a packet: `datagram` and `last` do not change
 * once they are read, only `given` does. A copy has a name of its own to point to.
 */
#ifndef RUNTIME_DATAGRAM_ARRIVAL_H
#define RUNTIME_DATAGRAM_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "runtime/buffer/buffer.h"
#include <weir/udp.h>

/* The largest name is a local one's, of 110 bytes. */
enum { ARRIVAL_NAME_BYTES = 112, ARRIVAL_CONTROL_BYTES = 256, DATAGRAM_BYTES_MAX = 65535 };

struct arrival {
    _Alignas(8) uint8_t control[ARRIVAL_CONTROL_BYTES];
    uint8_t name[ARRIVAL_NAME_BYTES];
    weir_datagram datagram; /* arrival_read */
    weir_datagram last;     /* of a run: the last may be whole where the others were cut */
    uint32_t size;          /* of all of them */
    uint32_t datagram_size; /* of each but the last */
    uint32_t given;         /* bytes of those that were taken */
    uint32_t most;          /* that are wanted of one */
    _Alignas(8) uint8_t bytes[];
};

_Static_assert(offsetof(struct arrival, control) == 0, "aligned as a buffer is");

/* What datagrams of this many bytes need. */
static inline size_t arrival_room(size_t size)
{
    return sizeof(struct arrival) + (size < DATAGRAM_BYTES_MAX ? size : DATAGRAM_BYTES_MAX);
}

/* A receive into the buffer. Of a local socket no control is asked for here: it would be
 * descriptors that anybody sends us, which would be ours to close, and which the kernel keeps so;
 * who wants them asks by enclosure.h. */
void arrival_ask(struct weir_buffer *buffer, bool local, struct msghdr *message,
                 struct iovec *piece);

/* It has brought `size` bytes; `most` are wanted of a datagram. False: nothing has come, as from a
 * socket that was shut down. What a local socket brings may be from nobody. */
bool arrival_read(struct weir_buffer *buffer, const struct msghdr *message, size_t size,
                  size_t most);
bool arrival_read_local(struct weir_buffer *buffer, const struct msghdr *message, size_t size,
                        size_t most);

/* The next datagram that was not taken yet. There is one until arrival_take says that there is not.
 */
struct arrived {
    const uint8_t *bytes;
    size_t size; /* what is wanted of it */
    const weir_datagram *datagram;
};
struct arrived arrival_next(const struct weir_buffer *buffer);
/* That one is taken. Whether there is another. */
bool arrival_take(struct weir_buffer *buffer);

/* A copy in a block of its own, or NULL: no memory. */
struct weir_buffer *arrival_copy(const struct weir_buffer *buffer);

static inline struct arrival *arrival_of(const struct weir_buffer *buffer)
{
    return (struct arrival *)(void *)buffer->bytes;
}

#endif
