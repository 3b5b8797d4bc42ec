/* SPDX-License-Identifier: MIT */
/* The application's timers: started and cancelled by any thread, fired by their scheduler. */
#ifndef RUNTIME_SCHEDULER_ALARM_H
#define RUNTIME_SCHEDULER_ALARM_H

#include <stdint.h>

#include <weir/timer.h>

struct scheduler;

struct alarm_plan {
    uint64_t delay_ms;
    uint64_t period_ms; /* 0: once */
    weir_fired *fired;
    void *data;
};

/* Starts one on a scheduler that cannot end meanwhile. Any thread. 0, or an error. */
int alarm_start(struct scheduler *scheduler, const struct alarm_plan *plan, weir_timer *timer);

/* As weir_timer_cancel, of a scheduler that cannot end meanwhile. */
int alarm_cancel(struct scheduler *scheduler, weir_timer timer);
/* The same of one that stops. */
int alarm_cancel_stopping(struct scheduler *scheduler, weir_timer timer);

#endif
