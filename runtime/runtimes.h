/* SPDX-License-Identifier: MIT */
/*
 * The runtimes of the process. Who makes a call on one is inside it meanwhile, and nothing of it is
 * freed before all have left. A pointer to one that is gone is found out: it is looked for in the
 * list, and what it points to is not read.
 */
#ifndef RUNTIME_RUNTIMES_H
#define RUNTIME_RUNTIMES_H

#include <stdbool.h>
#include <stdint.h>

struct weir_runtime;

/* Gives it an id that no other runtime has or will have. */
void runtimes_add(struct weir_runtime *runtime);

/* 0; or WEIR_CLOSED, with the reason: it stops, or there is none. */
int runtimes_enter(const struct weir_runtime *runtime);
void runtimes_leave(const struct weir_runtime *runtime);

/* The same for who has been inside before, and knows the id from there. */
int runtimes_enter_again(const struct weir_runtime *runtime, uint64_t id);

/* Nobody can enter any more. False: somebody else has done that already. */
bool runtimes_withdraw(struct weir_runtime *runtime);
/* Inside: whether it has been withdrawn. */
bool runtimes_is_withdrawn(const struct weir_runtime *runtime);
/* Outside, after it was withdrawn: returns when everybody has left. */
void runtimes_wait_until_left(const struct weir_runtime *runtime);

/* Around a fork. The child has none of its parent's. */
void runtimes_lock(void);
void runtimes_unlock(void);
void runtimes_forget(void);

#endif
