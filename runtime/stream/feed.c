/* SPDX-License-Identifier: MIT */
#include "runtime/stream/feed.h"

#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

void feed_line_up(struct scheduler *scheduler, struct stream *stream)
{
    stream->reading = READING_STARVED;
    slot_list_append(&scheduler->slots, &streams_of(scheduler)->starved, &stream->slot);
    task_add(&scheduler->tasks, TASK_WITH_BUFFERS, &streams_of(scheduler)->feed);
}

void feed_starve(struct scheduler *scheduler, struct stream *stream)
{
    scheduler->totals.starved++;
    buffer_pool_miss(scheduler->buffers);
    feed_line_up(scheduler, stream);
}

void feed_step_back(struct scheduler *scheduler, struct stream *stream)
{
    struct streams *streams = streams_of(scheduler);
    if (stream->reading != READING_STARVED && stream->reading != READING_RESTING)
        return;
    slot_list_remove(&scheduler->slots,
                     stream->reading == READING_STARVED ? &streams->starved
                                                        : &streams->rest.sockets,
                     &stream->slot);
    stream->reading = READING_NOT;
}
