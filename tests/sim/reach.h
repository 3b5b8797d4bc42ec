/* SPDX-License-Identifier: MIT */
/* What the program does to sockets wherever they live: it runs work for them, and cancels calls. */
#ifndef SIM_REACH_H
#define SIM_REACH_H

#include "sim/model.h"

void reach_reset(void);

/* Has something run for a connection, on its scheduler. */
void reach_run_for(struct conn *conn);

/* Cancels what waits in recv of a connection of this scheduler, or from a thread; or does so in
 * vain. */
void reach_cancel(struct conn *conn);

/* The runtime is over: all work was run. */
void reach_check_end(void);

#endif
