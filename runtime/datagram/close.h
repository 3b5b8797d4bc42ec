/* SPDX-License-Identifier: MIT */
/*
 * The end of a UDP socket: what becomes of those who wait, and of its slot.
 *
 * Order: who waits is answered and what waits is dropped at once; the descriptor goes when all that
 * was sent has left, or is lost, and no poll is in flight; then who has closed it is answered; the
 * slot is free last. Its owner is told nothing more but `gone`.
 */
#ifndef RUNTIME_DATAGRAM_CLOSE_H
#define RUNTIME_DATAGRAM_CLOSE_H

#include "runtime/scheduler/kind.h"

struct call;

/* The kind's operations of these names. */
void datagram_end(struct scheduler *scheduler, struct slot *slot, enum ending ending);
bool datagram_outlasts_drain(const struct slot *slot);
bool datagram_settled(struct scheduler *scheduler, struct slot *slot);
bool datagram_give_up_descriptor(struct scheduler *scheduler, struct slot *slot);
void datagram_release(struct scheduler *scheduler, struct slot *slot);

/* inet:close: a thread finds its port free. */
int datagram_close(struct scheduler *scheduler, struct slot *slot, struct call *call);

#endif
