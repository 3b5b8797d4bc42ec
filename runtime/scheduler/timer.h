/* SPDX-License-Identifier: MIT */
/* A hierarchical timer wheel in user space: no timer operation per time-out. Pure. */
#ifndef RUNTIME_SCHEDULER_TIMER_H
#define RUNTIME_SCHEDULER_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct timer {
    struct list link;
    uint64_t expiry_ms;
    bool armed;
    void (*fire)(struct timer *timer);
};

/* Six bits of the expiry per level; 2^36 ms is two years. */
enum { TIMER_LEVEL_COUNT = 6, TIMER_SLOT_COUNT = 64 };

struct timer_slots {
    uint64_t occupied[TIMER_LEVEL_COUNT]; /* a bit per slot; a slot may have become empty since */
    struct list lists[TIMER_LEVEL_COUNT][TIMER_SLOT_COUNT];
};

struct timer_wheel {
    uint64_t now_ms;
    struct timer_slots slots;
    /* Timers of the slot of a high level that comes next, placed as they will be when it is
     * reached. */
    struct timer_slots ahead;
    uint64_t ahead_ms; /* when that is; UINT64_MAX: none is prepared */
    unsigned ahead_level;
    unsigned ahead_slot;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Arms a timer that is not armed. It fires at `expiry_ms` or as soon after as time is advanced. */
void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t expiry_ms);

/* Does nothing when the timer is not armed. */
void timer_disarm(struct timer_wheel *wheel, struct timer *timer);

/* Fires what is due, earliest first, so many timers at most that a turn comes to its end; what is
 * left then is due at once. Timers may be armed and disarmed meanwhile. */
void timer_advance(struct timer_wheel *wheel, uint64_t now_ms);

/* When timer_advance is next worth calling (never later than the next expiry); UINT64_MAX: no
 * timer is armed. */
uint64_t timer_next_ms(struct timer_wheel *wheel);

#endif
