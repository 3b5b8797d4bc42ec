/* SPDX-License-Identifier: MIT */
/*
 * Wakes a scheduler when something is due, from a thread that only sleeps. A sleeping thread is up
 * some 60 us late, so it is woken early, and the scheduler turns until the time has come.
 */
#ifndef LOAD_ALARM_H
#define LOAD_ALARM_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

enum { ALARM_EARLY_NS = 100000 };

#define ALARM_NEVER UINT64_MAX

struct alarm {
    sem_t changed;
    uint64_t due_ns; /* when to wake the scheduler */
    bool is_over;
};

void alarm_init(struct alarm *alarm);
void alarm_destroy(struct alarm *alarm);

/* On the scheduler: it is to be woken by then. */
void alarm_set(struct alarm *alarm, uint64_t due_ns);

/* Any thread: there is nothing to wait for any more. */
void alarm_end(struct alarm *alarm);

enum alarm_news { ALARM_IS_DUE, ALARM_UNTIL, ALARM_IS_OVER, ALARM_SIGNAL };

/* Waits. ALARM_UNTIL: it is `until_ns`; ALARM_SIGNAL: a signal came. */
enum alarm_news alarm_wait(struct alarm *alarm, uint64_t until_ns);

#endif
