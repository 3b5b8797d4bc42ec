/* SPDX-License-Identifier: MIT */
/* Processes of the program: what they wait for, tell each other and end by. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include <weir/runtime.h>

void process_reset(void);

/* Another one on this scheduler, if the program's style has it and there are not as many as there
 * may be. */
void process_maybe_spawn(weir_runtime *runtime);

/* The runtime is over: every one has been told to have ended, once. */
void process_check_end(void);

#endif
