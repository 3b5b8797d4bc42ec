/* SPDX-License-Identifier: MIT */
/* A turn comes to its end, however eager the application is, and a scheduler that has nothing to do
 * sleeps. */
#ifndef SIM_TURNS_H
#define SIM_TURNS_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct scheduler;

void turns_reset(void);

/* A scheduler's next turn. */
void turns_begin(const struct scheduler *scheduler);

/* In a turn: something posted has run, a call has called back. */
void turns_count_work(void);
void turns_count_call_back(void);

/* A packet of a connection is handed out. */
void turns_count_packet(struct conn *conn);

/* Something happens to a scheduler, or it does something. */
void turns_progress(void);

/* A scheduler ends its turn and sleeps, or does not. */
void turns_end(const struct scheduler *scheduler, bool sleeps);

/* Whether the application may be unreasonable once more: does again what failed at once. */
bool turns_insist(void);

#endif
