/* SPDX-License-Identifier: MIT */
/* Connections whose peer reads nothing until it is told to, with the kernel's buffers full. */
#ifndef SENDING_FILLED_H
#define SENDING_FILLED_H

#include "support/loopback.h"

/* A peer's receive buffer. With a smaller one the kernel stops now and then for the 200 ms of its
 * persist timer, a segment being as large as the window. */
enum { PEER_BUFFER = 32768 };

/* A connection with small buffers, {active,false} and these further options, as in ",{packet,4}".
 */
struct loopback open_small(const weir_config *config, const char *options);
/* The same with FILL_BYTES sent and a peer with so small a buffer that `queue`, which is what stays
 * queued, does not change as long as nobody reads. */
struct loopback open_filled(const char *options, uint64_t *queue);

/* The peer reads until no more than `size` bytes are queued. */
void read_until(struct loopback *loopback, uint64_t size);

/* Threads that the kernel has made for the process's rings. */
int kernel_workers(void);

#endif
