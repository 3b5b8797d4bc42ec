/* SPDX-License-Identifier: MIT */
/*
 * Offering datagrams to the kernel, and what it says of them.
 *
 * Order: as they were sent, also when the kernel has no room, or takes a run only in pieces. An
 * outbox is on the list of the turn's end or waits for room, never both. What the kernel refuses is
 * told while others are leaving, and who is told may send, connect or close: so those stand on a
 * list of their own, the slot is held, and what is sent meanwhile comes behind them.
 */
#ifndef RUNTIME_DATAGRAM_DEPARTURE_H
#define RUNTIME_DATAGRAM_DEPARTURE_H

#include <stdbool.h>

#include "runtime/ring/ring.h"

struct datagram;
struct outbox;
struct scheduler;
struct slot;

/* It leaves when the turn ends. */
void departure_soon(struct scheduler *scheduler, struct outbox *outbox);
/* All that is to leave does. */
void departure_end_turn(struct scheduler *scheduler);

/* A closed socket's that wait for room which need not come: they are lost. */
void departure_give_up(struct scheduler *scheduler, struct datagram *socket);

/* Nothing is sent but what the kernel has; who waits for more gets `result`. */
void departure_drop(struct scheduler *scheduler, struct datagram *socket, int result);
/* Whether so much is queued that nothing may be added. */
bool departure_is_busy(const struct datagram *socket);

void departure_writable(struct scheduler *scheduler, struct slot *slot,
                        const struct ring_completion *completion);
bool departure_is_cancelled(const struct slot *slot);

#endif
