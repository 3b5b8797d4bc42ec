/* SPDX-License-Identifier: MIT */
#include "runtime/stream/idle.h"

#include <errno.h>

#include "base/canary.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/close.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/output.h"

static struct idle_watch *watch_of(struct scheduler *scheduler, const struct stream *stream)
{
    return slot_note(&streams_of(scheduler)->idle, &stream->slot);
}

/* The peer reads nothing of what is queued either: nothing of it is waited for. */
static void end(struct scheduler *scheduler, struct stream *stream)
{
    bool is_stuck = output_queued_bytes(stream) > 0;
    scheduler->totals.idle_timeouts++;
    slot_hold(&stream->slot);
    delivery_time_out(scheduler, stream);
    if (is_stuck)
        slot_end(scheduler, &stream->slot, END_ABORT);
    else if (stream_is_live(stream))
        close_after_end(scheduler, stream);
    slot_unhold(scheduler, &stream->slot);
}

static void look(struct timer *timer)
{
    struct idle_watch *watch = list_entry(timer, struct idle_watch, timer);
    struct scheduler *scheduler = watch->scheduler;
    uint64_t passed_ms = (scheduler->now_ns - watch->bytes_ns) / 1000000u;
    switch ((enum socket_state)watch->stream->slot.state) {
    case SOCKET_CONNECTING: /* that has a time-out of its own */
        scheduler_arm(scheduler, timer, watch->limit_ms);
        break;
    case SOCKET_OPEN:
        if (passed_ms >= watch->limit_ms || CANARY(IDLE_ALL_ALONG))
            end(scheduler, watch->stream);
        else
            scheduler_arm(scheduler, timer, watch->limit_ms - passed_ms);
        break;
    case SOCKET_GONE:
    case SOCKET_CLOSED:
    case SOCKET_FREE:
    case SOCKET_STATE_COUNT:
        break;
    }
}

static struct idle_watch *make_watch(struct scheduler *scheduler, struct stream *stream)
{
    struct idle_watch *watch = watch_of(scheduler, stream);
    if (watch)
        return watch;
    watch = memory_allocate(sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct idle_watch){.timer.fire = look, .scheduler = scheduler, .stream = stream};
    if (slot_notes_set(&streams_of(scheduler)->idle, &stream->slot, watch) == 0)
        return watch;
    memory_free(watch);
    return NULL;
}

int idle_watch(struct scheduler *scheduler, struct stream *stream)
{
    int64_t limit_ms = stream_values(stream)->idle_timeout_ms;
    if (limit_ms < 0) {
        idle_forget(scheduler, stream);
        return 0;
    }
    struct idle_watch *watch = make_watch(scheduler, stream);
    if (!watch)
        return error_say(-ENOMEM, "no memory to watch over a socket's idle_timeout");
    watch->limit_ms = (uint64_t)limit_ms;
    watch->bytes_ns = clock_now_ns();
    timer_disarm(&scheduler->timers, &watch->timer);
    scheduler_arm(scheduler, &watch->timer, watch->limit_ms);
    return 0;
}

void idle_forget(struct scheduler *scheduler, struct stream *stream)
{
    struct idle_watch *watch = watch_of(scheduler, stream);
    if (!watch)
        return;
    timer_disarm(&scheduler->timers, &watch->timer);
    (void)slot_notes_set(&streams_of(scheduler)->idle, &stream->slot, NULL);
    memory_free(watch);
}
