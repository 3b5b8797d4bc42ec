/* SPDX-License-Identifier: MIT */
/*
 * The application's timers of one scheduler, and what their handles are safe by.
 *
 * Any thread may start and cancel them, so what state a timer is in is changed under the table's
 * lock, and a cancel knows for sure whether it came in time. In the wheel they are put, and taken
 * out of it, by their scheduler alone: others send it the timer's own node. As long as that is on
 * its way the timer's place is not used again. What a place has held goes by its generation, as
 * with sockets; both are counted on together from one scheduler of a number to the next.
 */
#ifndef RUNTIME_SCHEDULER_TIMER_TABLE_H
#define RUNTIME_SCHEDULER_TIMER_TABLE_H

#include <pthread.h>
#include <stdint.h>

#include "runtime/scheduler/inbox.h"
#include "runtime/scheduler/timer.h"
#include <weir/timer.h>

struct timer_chunk;

enum timer_state {
    TIMER_FREE,
    TIMER_STARTING, /* its node is on the way to its scheduler, who puts it in the wheel */
    TIMER_WAITING,  /* in the wheel */
    TIMER_RUNNING,
    TIMER_LAST_RUN,  /* the same, and cancelled: it is not called again */
    TIMER_CANCELLED, /* its node is on the way: its place is free when it arrives */
};

struct timer_entry {
    struct timer timer;
    struct inbox_node node;
    uint64_t period_ms;
    weir_fired *fired;
    void *data;
    uint32_t index;
    uint32_t next_free; /* index + 1; 0: none */
    uint32_t generation;
    enum timer_state state;
};

struct timer_table {
    pthread_mutex_t lock;
    struct timer_chunk **chunks;
    uint32_t chunk_count;
    uint32_t chunk_capacity;
    uint32_t first_free; /* index + 1; 0: none */
    uint32_t first_generation;
};

/* `first_generation` is every place's. */
void timer_table_open(struct timer_table *table, uint32_t first_generation);

/* The scheduler has ended: no node is on its way. Timers that have not fired are forgotten. Returns
 * the highest generation that was used, and sets how many places there were. */
uint32_t timer_table_close(struct timer_table *table, uint32_t *place_count);

/* With the lock held, all of these. 0, -ENOMEM or WEIR_SYSTEM_LIMIT. */
int timer_table_take(struct timer_table *table, struct timer_entry **entry);
void timer_table_give_back(struct timer_table *table, struct timer_entry *entry);
/* The one of that place and generation, unless it is free: NULL. */
struct timer_entry *timer_table_find(const struct timer_table *table, uint32_t index,
                                     uint32_t generation);

#endif
