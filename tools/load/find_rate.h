/* SPDX-License-Identifier: MIT */
/*
 * The highest rate at which a percentile stays under a bound. The rate is doubled while it holds,
 * then halved between the last that held and the first that did not, until they are 5% apart.
 *
 * A percentile of so many requests is known only so well: by the binomial law its true value lies
 * between two ranks, with 95% confidence. It holds when the upper one is under the bound and no
 * request failed, and does not when the lower one is over it; between the two it is run again, with
 * all that was measured put together, three times at most, and then does not hold. So few that
 * there is no rank above the upper one are never certain.
 */
#ifndef LOAD_FIND_RATE_H
#define LOAD_FIND_RATE_H

#include "load/plan.h"
#include "load/results.h"

struct find_rate_goal {
    double quantile;
    uint64_t bound_ns;
};

/* "p99<1ms", "p99.9<250us". */
bool find_rate_parse(const char *text, struct find_rate_goal *goal);

/* 0, or an exit status. Prints a line for each step. `plan` has the rate that was found then, and
 * `results` what was measured at it. */
int find_rate_run(struct plan *plan, struct results *results);

#endif
