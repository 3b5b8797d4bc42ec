/* SPDX-License-Identifier: MIT */
/* Whether the figures are the server's, or this program was the one that was slow. */
#ifndef LOAD_VERDICT_H
#define LOAD_VERDICT_H

#include "load/plan.h"
#include "load/results.h"

enum { VERDICT_EXIT_LIMITED = 3 };

enum verdict { VERDICT_SERVER, VERDICT_LAG, VERDICT_CPU };

/*
 * An open loop: the lag's 99th percentile is over --lag-bound. (Its CPU says nothing, since it
 * looks at the clock while it waits for the next time of sending.) A closed loop: the thread was on
 * its core for more than 95% of the time, so the server may have been waiting for it.
 */
enum verdict verdict_of(const struct plan *plan, const struct results *results);

#endif
