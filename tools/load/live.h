/* SPDX-License-Identifier: MIT */
/* What a terminal shows while a run goes on: a line for the last second, over and over. */
#ifndef LOAD_LIVE_H
#define LOAD_LIVE_H

#include "load/results.h"

/* On standard error, when that is a terminal. */
void live_show(const struct results *results, void *unused);

/* Takes the line away. */
void live_end(void);

#endif
