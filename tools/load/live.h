/* SPDX-License-Identifier: MIT */
/* What a terminal shows while a run goes on: a line for the last second, over and over. */
#ifndef LOAD_LIVE_H
#define LOAD_LIVE_H

#include "load/results.h"

/* All on standard error, when that is a terminal. It begins: there is nothing to show yet. */
void live_begin(void);

void live_show(const struct results *results, void *unused);

/* Takes the line away. */
void live_end(void);

#endif
