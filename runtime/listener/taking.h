/* SPDX-License-Identifier: MIT */
/* What becomes of a connection that has been accepted: it waits for a place, where there are so
 * many and no more, for its header, where a proxy says one, and then it is welcome. */
#ifndef RUNTIME_LISTENER_TAKING_H
#define RUNTIME_LISTENER_TAKING_H

struct inbox_node;
struct listener;
struct scheduler;

/* One that the kernel has accepted now. */
void taking_connection(struct scheduler *scheduler, struct listener *listener, int fd);

/* The one in hand has a place: the `run` of the listener's quota_queuer. */
void taking_place_came(struct scheduler *scheduler, struct inbox_node *node);
/* The one in hand is let in without one. */
void taking_let_in(struct scheduler *scheduler, struct listener *listener);

#endif
