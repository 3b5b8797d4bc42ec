/* SPDX-License-Identifier: MIT */
/* Looking names up: what comes back is true, whatever the name server does. */
#ifndef SIM_ACT_LOOK_UP_H
#define SIM_ACT_LOOK_UP_H

#include <weir/runtime.h>

void act_look_up(weir_runtime *runtime);

#endif
