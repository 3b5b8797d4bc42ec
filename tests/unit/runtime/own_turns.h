/* SPDX-License-Identifier: MIT */
/* One scheduler, which a test opens and turns itself. No turn sleeps for longer than a millisecond.
 */
#ifndef TESTS_OWN_TURNS_H
#define TESTS_OWN_TURNS_H

struct scheduler;

struct scheduler *own_turns_begin(void);

/* Stops it, and turns until it is done. */
void own_turns_end(struct scheduler *scheduler);

#endif
