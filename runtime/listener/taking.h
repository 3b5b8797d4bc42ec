/* SPDX-License-Identifier: MIT */
/* What becomes of a connection that has been accepted: it is a call's or the owner's of a service,
 * or it is kept until it can be. */
#ifndef RUNTIME_LISTENER_TAKING_H
#define RUNTIME_LISTENER_TAKING_H

struct call;
struct inbox_node;
struct listener;
struct listening;
struct scheduler;

/* The call that has waited longest; NULL: nobody waits. */
struct call *taking_acceptor(struct scheduler *scheduler, struct listening *listening);

/* The longest kept of those that there are. */
int taking_spare(struct listening *listening);

/* To who waits in accept. */
void taking_give(struct scheduler *scheduler, struct listener *listener, int fd);

/* One that the kernel has accepted now. */
void taking_connection(struct scheduler *scheduler, struct listener *listener, int fd);

/* The one in hand has a place: the `run` of the listener's quota_queuer. */
void taking_place_came(struct scheduler *scheduler, struct inbox_node *node);
/* The one in hand is served without one. */
void taking_let_in(struct scheduler *scheduler, struct listener *listener);

#endif
