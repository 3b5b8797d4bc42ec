/* SPDX-License-Identifier: MIT */
/*
 * {idle_timeout,_}. A socket that has one has a watch, which notes when bytes last went either way;
 * its timer looks at that when the time could be up, and not before. Where no socket of a scheduler
 * has one there is nothing to note.
 */
#ifndef RUNTIME_STREAM_IDLE_H
#define RUNTIME_STREAM_IDLE_H

#include "runtime/scheduler/timer.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

struct idle_watch {
    struct timer timer;
    struct scheduler *scheduler;
    struct stream *stream;
    uint64_t bytes_ns; /* when there were some */
    uint64_t limit_ms;
};

/* Starts, changes or ends the watch, as the socket's options say now; the time counts from here.
 * 0, or -ENOMEM. */
int idle_watch(struct scheduler *scheduler, struct stream *stream);

/* The socket's slot is about to be free. */
void idle_forget(struct scheduler *scheduler, struct stream *stream);

/* Bytes came or went. */
static inline void idle_note(struct scheduler *scheduler, const struct stream *stream)
{
    struct idle_watch *watch = slot_note(&streams_of(scheduler)->idle, &stream->slot);
    if (watch)
        watch->bytes_ns = scheduler->now_ns;
}

#endif
