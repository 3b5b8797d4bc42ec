/* SPDX-License-Identifier: MIT */
/*
 * A peer that sends many small packets is not to hold up the others: what a socket may hand out in
 * a turn is a share, in packets or KiB. Who has had it is postponed: it receives nothing, stands on
 * one list, and goes on in the next turn behind all that has come since. `share_turn` tells there
 * who has had a share of this turn from who is due.
 */
#ifndef RUNTIME_STREAM_SHARE_H
#define RUNTIME_STREAM_SHARE_H

#include <stdbool.h>
#include <stddef.h>

struct scheduler;
struct stream;
struct task;

/* All that would go on and on hand out SHARE_TURN together in a turn, which is 11 us worth. */
enum { SHARE_TURN = 512, SHARE_LEAST = 8, SHARE_MOST = 256 };

/* Before a socket's packets are handed out: a turn's beginning gives it its share anew. */
void share_renew(const struct scheduler *scheduler, struct stream *stream);
/* False: it has had it, and is postponed. */
bool share_is_left(struct scheduler *scheduler, struct stream *stream);
/* It has handed out a packet of that size. */
void share_spend(struct stream *stream, size_t size);

/* A turn ends: those that were postponed in it are due in the next, and share that. */
void share_out(struct scheduler *scheduler, struct task *task);
/* The next of those that are due, which is postponed no more; or NULL. */
struct stream *share_take_due(struct scheduler *scheduler);
/* It waits for no share any more. */
void share_forget(struct scheduler *scheduler, struct stream *stream);

#endif
