/* SPDX-License-Identifier: MIT */
/* The calls that wait for a listener's connections, and the connections that it keeps while none
 * does. */
#ifndef RUNTIME_LISTENER_ACCEPTORS_H
#define RUNTIME_LISTENER_ACCEPTORS_H

struct arrival;
struct call;
struct listener;
struct listening;
struct scheduler;

/* The call that has waited longest; NULL: nobody waits. */
struct call *acceptors_next(struct scheduler *scheduler, struct listening *listening);

/* One that is all there is the owner's of a service (NULL: one that is closed), or the call's that
 * has waited longest, or it is kept. */
void acceptors_welcome(struct scheduler *scheduler, struct listener *listener,
                       const struct arrival *arrival);

/* The longest kept, of those that there are, is the next call's. */
void acceptors_give_kept(struct scheduler *scheduler, struct listener *listener);
void acceptors_discard_kept(struct listening *listening);

#endif
