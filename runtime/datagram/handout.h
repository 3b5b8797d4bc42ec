/* SPDX-License-Identifier: MIT */
/*
 * Handing datagrams out: the active modes, the one who waits in recv, and what is kept for later.
 *
 * Order: as they came; what waits is handed out before more is read. A buffer is taken off before
 * its owner is called, since that may close the socket and drop what waits. What nobody wants when
 * the turn ends leaves the pool's buffers, for blocks.
 */
#ifndef RUNTIME_DATAGRAM_HANDOUT_H
#define RUNTIME_DATAGRAM_HANDOUT_H

#include <stdbool.h>
#include <stdint.h>

struct datagram;
struct scheduler;
struct weir_buffer;

/* Whether somebody would take a datagram: the owner of an active socket, or a receiver. */
bool datagram_is_wanted(const struct datagram *socket);

/* How many datagrams it may take from the kernel before others have their turn: {read_packets,_},
 * but no more than {active,N} has left. Those that nobody wants yet wait in the socket. */
uint32_t handout_most(const struct datagram *socket);

/* What has come waits behind what waits. */
void handout_append(struct datagram *socket, struct weir_buffer *buffer);

/* Hands out of what waits so many. */
void handout_share(struct scheduler *scheduler, struct datagram *socket);

/* What waits is moved out of the pool's buffers. */
void handout_keep(struct scheduler *scheduler, struct datagram *socket);

/* Drops what waits. */
void handout_drop(struct datagram *socket);

#endif
