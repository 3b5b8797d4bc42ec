/* SPDX-License-Identifier: MIT */
/*
 * What all UDP sockets of a scheduler have in common.
 *
 * Who may touch it: its scheduler. It is there before the first socket and until after the last is
 * free.
 */
#ifndef RUNTIME_DATAGRAM_DATAGRAMS_H
#define RUNTIME_DATAGRAM_DATAGRAMS_H

#include <stdint.h>

#include "base/list.h"
#include "runtime/datagram/intake.h"
#include "runtime/datagram/parcel.h"
#include "runtime/datagram/refusal.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/task.h"
#include "runtime/scheduler/timer.h"

struct datagrams {
    struct scheduler *scheduler;
    struct list unsent;         /* outboxes that the turn's end sends */
    struct slot_list listed;    /* sockets that have their next share when the turn ends */
    struct slot_list expecting; /* those that are listed when what this turn sends has left */
    struct task end_turn;       /* TASK_LAST while there are any of these */
    struct slot_list resting;   /* sockets that fail over and over */
    struct timer rest;          /* while there are any */
    struct parcels parcels;
    struct refusals refusals;
    struct intake buffers; /* the pool's */
    struct intake blocks;
    struct intake local; /* blocks */
};

static inline struct datagrams *datagrams_of(const struct scheduler *scheduler)
{
    return scheduler->states[KIND_DATAGRAM];
}

#endif
