/* SPDX-License-Identifier: MIT */
/* Looking names up: what comes back is true, whatever the name server does. */
#ifndef SIM_ACT_LOOK_UP_H
#define SIM_ACT_LOOK_UP_H

#include <weir/runtime.h>

void act_look_up(weir_runtime *runtime);

/* From a thread, which waits for it. */
void act_look_up_and_wait(weir_runtime *runtime);
/* The same: another configuration, for look-ups of whoever that are under way too. */
void act_load_and_wait(weir_runtime *runtime);

#endif
