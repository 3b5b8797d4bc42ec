/* SPDX-License-Identifier: MIT */
/* Who acts in a run: schedulers and ordinary threads, each on a stack of its own, in turns that
 * the dice choose. Time passes when all of them wait. */
#ifndef SIM_ACTOR_H
#define SIM_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/fiber.h"

struct scheduler;

enum { ACTOR_MOST = FIBER_MOST + 1 }; /* the run itself included */

typedef bool actor_condition(void *data);

void actor_reset(void);

/* Another one. `scheduler` is the one that it is; NULL: an ordinary thread. */
void actor_add(fiber_function *run, void *data, struct scheduler *scheduler);

/* Somebody's next step, or time passes. False: everybody waits, and nothing is going to happen. */
bool actor_step(void);

/* Who acts. */
uint32_t actor_current(void);

/* Whether there is no other than the one scheduler. */
bool actor_is_alone(void);

/* How many have not come to their end. */
uint32_t actor_live_count(void);

/* From an actor: perhaps others act first; in the middle of something, or in between. */
void actor_pause(void);
void actor_end_turn(void);

/* From an actor, or for the run itself: waits until `is_over(data)` is true or it is `until_ns`
 * (UINT64_MAX: never), while others act. Schedulers may be woken for no reason. */
void actor_wait(actor_condition *is_over, void *data, uint64_t until_ns);

#endif
