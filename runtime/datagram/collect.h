/* SPDX-License-Identifier: MIT */
/*
 * Getting datagrams from the kernel: the ring says that there are some, and one system call takes
 * as many of them as the socket may hand out before others have their turn.
 *
 * Invariant: an open socket that wants something, and does not deliver just now, is polled, listed
 * or rests, so it hears of what comes. One that wants nothing may stay polled, once.
 */
#ifndef RUNTIME_DATAGRAM_COLLECT_H
#define RUNTIME_DATAGRAM_COLLECT_H

#include <stdbool.h>

#include "runtime/ring/ring.h"

struct datagram;
struct scheduler;
struct slot;
struct timer;

void collect_readable(struct scheduler *scheduler, struct slot *slot,
                      const struct ring_completion *completion);
bool collect_is_cancelled(const struct slot *slot);

/* After owner, options or receiver have changed: hands out what waits, and asks for more if that is
 * not enough. */
void collect_go_on(struct scheduler *scheduler, struct datagram *socket);

/* Ends receiving for good. */
void collect_stop(struct scheduler *scheduler, struct datagram *socket);

/* Those that rest are asked again. */
void collect_wake(struct timer *timer);

/* All sockets have had their share of the turn: those that are listed have another, in turn, until
 * the turn has had enough. */
void collect_end_turn(struct scheduler *scheduler);

/* What was sent has left: those that expect more have another share in the next turn. */
void collect_expected(struct scheduler *scheduler);

#endif
