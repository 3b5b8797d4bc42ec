/* SPDX-License-Identifier: MIT */
/* Getting datagrams from the kernel: when a receive is armed, and what its completion brings. */
#ifndef RUNTIME_DATAGRAM_COLLECT_H
#define RUNTIME_DATAGRAM_COLLECT_H

#include <stdbool.h>

#include "runtime/ring/ring.h"

struct datagram;
struct scheduler;
struct slot;
struct task;
struct timer;

void collect_completed(struct scheduler *scheduler, struct slot *slot,
                       const struct ring_completion *completion);
void collect_into_completed(struct scheduler *scheduler, struct slot *slot,
                            const struct ring_completion *completion);
bool collect_is_cancelled(const struct slot *slot);
/* Gives back what a completion holds whose socket is gone. */
void collect_discard(struct scheduler *scheduler, const struct ring_completion *completion);

/* After owner, options or receiver have changed: hands out what waits, and receives if that is not
 * enough. */
void collect_go_on(struct scheduler *scheduler, struct datagram *socket);

/* Ends receiving for good. */
void collect_stop(struct scheduler *scheduler, struct datagram *socket);

/* Those that found no buffer are armed again. */
void collect_feed(struct scheduler *scheduler, struct task *task);
/* Those that rest are. */
void collect_wake(struct timer *timer);

/* All sockets have had their share of the turn: share after share is handed out until nothing that
 * is wanted waits; what is not wanted is kept elsewhere. */
void collect_end_turn(struct scheduler *scheduler);

#endif
