/* SPDX-License-Identifier: MIT */
/* One run of a plan: starts a runtime, makes the load, stops it. */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include "load/plan.h"
#include "load/results.h"

/* Told of every second of the measured time, by the thread that called run_load; may be NULL. */
typedef void run_watcher(const struct results *results, void *data);

/* 0, or an exit status: what went wrong has been said. Results that were interrupted before they
 * began to count have begin_ns 0. */
int run_load(const struct plan *plan, struct results *results, run_watcher *watcher, void *data);

#endif
