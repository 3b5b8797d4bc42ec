/* SPDX-License-Identifier: MIT */
/*
 * Queues of sockets that are closed and still have something to send. A peer that takes nothing of
 * it for the runtime's close_timeout is reset: else it would hold a descriptor and memory of the
 * queues' limit for as long as it likes. The one that has made no progress for longest comes first,
 * so one timer is enough for all.
 */
#ifndef RUNTIME_STREAM_LINGERING_H
#define RUNTIME_STREAM_LINGERING_H

#include "base/list.h"
#include "runtime/scheduler/timer.h"

struct scheduler;
struct output;

struct lingering {
    struct list outputs;
    struct timer timer;
    struct scheduler *scheduler;
};

void lingering_init(struct lingering *lingering);

/* The output's socket has been closed. */
void lingering_begin(struct scheduler *scheduler, struct output *output);

/* Something of it was sent, whether its socket is closed or not. */
void lingering_progress(struct scheduler *scheduler, struct output *output);

#endif
