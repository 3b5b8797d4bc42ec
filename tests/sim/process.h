/* SPDX-License-Identifier: MIT */
/* Processes of the program: what they wait for, tell each other and end by. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/process.h>
#include <weir/runtime.h>

void process_reset(void);

/* Whether the caller is one, and the owner that it is; 0: none. */
bool process_current(void);
uint32_t process_owner(void);

/* What a call has given that may have waited. */
void process_waited(int result);

/* One that is alive and has begun, and the owner that it is. False: none was found. */
bool process_some(weir_process *process, uint32_t *owner);

/* A service's owner: each connection has a process of its own, which does as others do. */
weir_owner process_spawning(void);

/* Another one on this scheduler, if the program's style has it and there are not as many as there
 * may be. */
void process_maybe_spawn(weir_runtime *runtime);

/* Everybody sleeps, and time passes: who was killed does not go on for long. */
void process_check_asleep(void);

/* The runtime is over: every one has been told to have ended, once. */
void process_check_end(void);

#endif
