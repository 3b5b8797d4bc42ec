/* SPDX-License-Identifier: MIT */
/* Connections whose peer reads nothing until it is told to, with the kernel's buffers full. */
#ifndef SENDING_FILLED_H
#define SENDING_FILLED_H

#include "support/loopback.h"

/* A connection with small buffers on both sides, {active,false} and these further options, as in
 * ",{packet,4}". */
struct loopback open_small(const weir_config *config, const char *options);
/* The same with FILL_BYTES sent; `queue` is what stays queued, for as long as nobody reads. */
struct loopback open_filled(const char *options, uint64_t *queue);

/* The queue's size once the kernel takes no more. */
uint64_t stable_queue(weir_socket socket);

/* The peer reads until no more than `size` bytes are queued. */
void read_until(struct loopback *loopback, uint64_t size);

#endif
