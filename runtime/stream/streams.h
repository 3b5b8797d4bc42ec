/* SPDX-License-Identifier: MIT */
/* What all streams of a scheduler have in common. */
#ifndef RUNTIME_STREAM_STREAMS_H
#define RUNTIME_STREAM_STREAMS_H

#include <stdint.h>

#include "base/list.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot_list.h"
#include "runtime/scheduler/slot_notes.h"
#include "runtime/scheduler/task.h"
#include "runtime/stream/lingering.h"
#include "runtime/stream/rest.h"

struct output;
struct send_pools;

struct streams {
    struct send_pools *pools;
    struct output *outputs; /* kept for later */
    uint32_t output_count;
    struct slot_list starved;   /* those that wait for a receive to be armed, or for a buffer */
    struct task feed;           /* TASK_WITH_BUFFERS while there are any */
    struct slot_list postponed; /* those that have had their share of this turn, or the last */
    uint32_t postponed_count;
    uint32_t share;         /* what a socket may hand out in this turn: so many packets, or KiB */
    struct task share_out;  /* TASK_LAST, when somebody was postponed or no longer is */
    struct task go_on;      /* TASK_SUBMITTED while somebody is postponed */
    struct list served;     /* calls of threads that have their packet */
    struct task answer;     /* TASK_LAST while there are any */
    struct list limited;    /* outputs that are busy by the runtime's limit */
    struct task relieve;    /* TASK_SOON when they may go on */
    struct list broadcasts; /* parts of those that are under way, in order */
    struct lingering lingering;
    struct rest rest;
    struct slot_notes idle;    /* struct idle_watch of those that have {idle_timeout,_} */
    struct slot_notes proxied; /* struct proxy_header of those that have had one */
};

int streams_open(struct scheduler *scheduler, void **state);
void streams_shut(void *state);

static inline struct streams *streams_of(const struct scheduler *scheduler)
{
    return scheduler->states[KIND_STREAM];
}

#endif
