/* SPDX-License-Identifier: MIT */
/* Figures that a scheduler publishes once per turn, so that reading them disturbs nobody. */
#ifndef RUNTIME_SCHEDULER_TOTALS_H
#define RUNTIME_SCHEDULER_TOTALS_H

#include <weir/runtime.h>

void totals_publish(weir_totals *published, const weir_totals *totals);

/* Adds what was published to `sum`. Any thread. */
void totals_add(weir_totals *sum, const weir_totals *published);

#endif
