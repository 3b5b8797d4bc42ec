/* SPDX-License-Identifier: MIT */
/* The program's timers: started and cancelled from everywhere. Each fires when it is due, no sooner
 * and not much later, on its scheduler, and never once a cancel has said that it will not. */
#ifndef SIM_ALARMS_H
#define SIM_ALARMS_H

#include <weir/runtime.h>

struct scheduler;

void alarms_reset(void);

/* Starts one, or cancels one. */
void alarms_act(weir_runtime *runtime);

/* A scheduler has come to its end, and with it its timers. */
void alarms_scheduler_over(const struct scheduler *scheduler);

/* Everybody sleeps, and time passes: none is overdue. */
void alarms_check_asleep(void);

#endif
