/* SPDX-License-Identifier: MIT */
/* Google Benchmark for programs in C. */
#ifndef MICRO_H
#define MICRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One measured run: `while (micro_next(run)) ...`, then say what one pass worked through. */
struct micro_run;
bool micro_next(struct micro_run *run);
void micro_worked(struct micro_run *run, uint64_t items, uint64_t bytes);
/* Ends the run as failed. */
void micro_fail(struct micro_run *run, const char *why);

typedef void micro_fn(struct micro_run *run, const void *argument);
void micro_add(const char *name, micro_fn *measure, const void *argument);

/* Runs what was added, as the switches of Google Benchmark say; --smoke only tries each once.
 * 0, or 1 when a run has failed. */
int micro_main(int argc, char **argv);

/* What `value` points to may have been looked at: it must be there. */
static inline void micro_keep(const void *value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
