/* SPDX-License-Identifier: MIT */
/*
 * All schedulers of the process by number, so that a handle finds its own. A thread that is no
 * scheduler stays "inside" one while it uses it; a scheduler ends only when nobody is inside.
 */
#ifndef RUNTIME_SCHEDULER_REGISTRY_H
#define RUNTIME_SCHEDULER_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

struct scheduler;

enum { REGISTRY_CAPACITY = 256 };

/* Which handles a scheduler gives: none that an earlier one with its number has given. */
struct registry_handles {
    uint32_t generation;  /* of every slot at first */
    uint32_t first_index; /* of its slots, in handles */
};

/* Takes a free number. The number, or WEIR_SYSTEM_LIMIT. */
int registry_reserve(struct registry_handles *handles);
void registry_publish(uint32_t index, struct scheduler *scheduler);

/* Nobody can enter any more, but who asks for one that stops. */
void registry_withdraw(uint32_t index);

/* Scheduler: nor does anybody enter it in that way, and nobody is inside: it is about to be gone.
 */
void registry_end(uint32_t index);
uint32_t registry_user_count(uint32_t index);

/* Gives the number back: handles of `slot_count` slots have been given, up to `generation`. When
 * too few generations are left the next scheduler's slots come behind these; when there is no room
 * behind, which takes the process some 10^15 connections, the number is not used again. */
void registry_release(uint32_t index, uint32_t generation, uint32_t slot_count);

/* Inside one that is known not to have ended; leave it again. */
void registry_enter_living(uint32_t index);

/* NULL when there is no such scheduler; else leave it again. */
struct scheduler *registry_enter(uint32_t index);
void registry_leave(uint32_t index);

/* The same of one that stops, where nothing can be posted any more. Not to be stayed in. */
struct scheduler *registry_enter_stopping(uint32_t index);

/* Around a fork. The child finds none of its parent's schedulers, and makes its own beside them. */
void registry_lock(void);
void registry_unlock(void);
void registry_forget(void);
/* Whether the number is of a scheduler of the parent; of any, if it has some. */
bool registry_is_parents(uint32_t index);
bool registry_has_parents(void);
/* Says so; `error`. */
int registry_say_parents(int error);

/* Makes the scheduler do a turn soon, if there is one. */
void registry_wake(uint32_t index);

#endif
