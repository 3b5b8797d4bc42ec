/* SPDX-License-Identifier: MIT */
/* A turn comes to its end, however eager the application is, and a scheduler that has nothing to do
 * sleeps. */
#ifndef SIM_TURNS_H
#define SIM_TURNS_H

#include <stdbool.h>
#include <stdint.h>

struct scheduler;

void turns_reset(void);

/* A scheduler's next turn. */
void turns_begin(const struct scheduler *scheduler);

/* In a turn: something posted has run, a call has called back. */
void turns_count_work(void);
void turns_count_call_back(void);

/* Whether the application may be unreasonable once more: does again what failed at once. */
bool turns_insist(void);

#endif
