/* SPDX-License-Identifier: MIT */
#include "runtime/stream/share.h"

#include "base/canary.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/feed.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static void postpone(struct scheduler *scheduler, struct stream *stream)
{
    feed_step_back(scheduler, stream);
    stream->postponed = true;
    streams_of(scheduler)->postponed_count++;
    slot_list_append(&scheduler->slots, &streams_of(scheduler)->postponed, &stream->slot);
    task_add(&scheduler->tasks, TASK_LAST, &streams_of(scheduler)->share_out);
}

void share_renew(const struct scheduler *scheduler, struct stream *stream)
{
    uint16_t turn = (uint16_t)scheduler->totals.turns;
    if (stream->share_turn == turn)
        return;
    stream->share_turn = turn;
    stream->share_used = 0;
}

bool share_is_left(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->share_used < streams_of(scheduler)->share || CANARY(IGNORED_SHARE))
        return true;
    postpone(scheduler, stream);
    return false;
}

void share_spend(struct stream *stream, size_t size)
{
    enum { UNIT_BYTES = 1024 };
    size_t units = 1 + size / UNIT_BYTES;
    stream->share_used += (uint16_t)(units < SHARE_MOST ? units : SHARE_MOST);
}

void share_out(struct scheduler *scheduler, struct task *task)
{
    struct streams *streams = streams_of(scheduler);
    uint32_t share = SHARE_TURN / (streams->postponed_count + 1);
    (void)task;
    if (share > SHARE_MOST)
        share = SHARE_MOST;
    streams->share = share > SHARE_LEAST ? share : SHARE_LEAST;
    streams->postponed_count = 0;
    if (!slot_list_is_empty(&streams->postponed))
        task_add(&scheduler->tasks, TASK_SUBMITTED, &streams->go_on);
}

void share_forget(struct scheduler *scheduler, struct stream *stream)
{
    if (stream->postponed)
        slot_list_remove(&scheduler->slots, &streams_of(scheduler)->postponed, &stream->slot);
    stream->postponed = false;
}

struct stream *share_take_due(struct scheduler *scheduler)
{
    struct slot *slot = slot_list_first(&scheduler->slots, &streams_of(scheduler)->postponed);
    if (!slot || stream_of(slot)->share_turn == (uint16_t)scheduler->totals.turns)
        return NULL;
    share_forget(scheduler, stream_of(slot));
    return stream_of(slot);
}
