/* SPDX-License-Identifier: MIT */
/* Handing datagrams out: the active modes, the one who waits in recv, and what is kept for later.
 */
#ifndef RUNTIME_DATAGRAM_HANDOUT_H
#define RUNTIME_DATAGRAM_HANDOUT_H

#include <stdbool.h>

struct datagram;
struct scheduler;
struct weir_buffer;

/* Whether somebody would take a datagram: the owner of an active socket, or a receiver. */
bool datagram_is_wanted(const struct datagram *socket);

/* One has come. What is not handed out at once waits. */
void handout_arrived(struct scheduler *scheduler, struct datagram *socket,
                     struct weir_buffer *buffer);

/* Hands out what waits, as far as the socket's share of the turn goes. */
void handout_start(struct scheduler *scheduler, struct datagram *socket);

/* The turn ends: all others have had theirs, so the socket has another share. Whether there is
 * more for it then. */
bool handout_go_on(struct scheduler *scheduler, struct datagram *socket);

/* What waits is moved out of the pool's buffers. */
void handout_keep(struct scheduler *scheduler, struct datagram *socket);

/* Drops what waits. */
void handout_drop(struct datagram *socket);

#endif
