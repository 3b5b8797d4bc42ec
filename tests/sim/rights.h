/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that go along with the bytes of local connections. The kernel makes those that a peer
 * has sent when the bytes are received by a call that has room for them, else they are gone; each
 * is the application's once, in order, or weir closes it. Those that the application sends leave
 * once, with the first byte of what they were sent with.
 */
#ifndef SIM_RIGHTS_H
#define SIM_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct conn;

enum { RIGHTS_MOST = 8 }; /* of one message */

void rights_reset(void);

/* For {descriptors,_} of a local socket; 0: it has none. */
uint32_t rights_capacity(void);

/* A new local connection: its peer sends some, perhaps. */
void rights_plan(uint32_t link);

/* How much of `size` bytes a receive gets: what has descriptors is not received with what is behind
 * it. */
uint32_t rights_limit(uint32_t link, uint32_t size);
/* It has been received from `from` on, into a message that has room for descriptors. */
void rights_give(uint32_t link, uint32_t from, struct msghdr *message);

/* So many of the application's are accepted, with what comes next; the kernel takes them. */
void rights_accepted(uint32_t link, uint32_t count);
void rights_taken(uint32_t link, const int *descriptors, uint32_t count);

/* The application takes some. */
void rights_take(struct conn *conn);

#endif
