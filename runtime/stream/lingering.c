/* SPDX-License-Identifier: MIT */
#include "runtime/stream/lingering.h"

#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/output.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

static struct output *oldest(const struct lingering *lingering)
{
    const struct list *outputs = &lingering->outputs;
    return list_is_empty(outputs) ? NULL : list_entry(outputs->next, struct output, linger_link);
}

static uint64_t deadline_ns(const struct scheduler *scheduler, const struct output *output)
{
    return output->progress_ns + scheduler->limits->close_timeout_ms * UINT64_C(1000000);
}

static void arm(struct lingering *lingering)
{
    struct scheduler *scheduler = lingering->scheduler;
    const struct output *output = oldest(lingering);
    if (!output || lingering->timer.armed)
        return;
    uint64_t until_ns = deadline_ns(scheduler, output);
    uint64_t rest_ns = until_ns > scheduler->now_ns ? until_ns - scheduler->now_ns : 0;
    scheduler_arm(scheduler, &lingering->timer, rest_ns / 1000000u);
}

static void give_up(struct scheduler *scheduler, struct output *output)
{
    list_remove(&output->linger_link);
    scheduler->totals.close_timeouts++;
    slot_end(scheduler, &output->stream->slot, END_ABORT);
}

static void look(struct timer *timer)
{
    struct lingering *lingering = list_entry(timer, struct lingering, timer);
    struct scheduler *scheduler = lingering->scheduler;
    struct output *output;
    while ((output = oldest(lingering)) && deadline_ns(scheduler, output) <= scheduler->now_ns)
        give_up(scheduler, output);
    arm(lingering);
}

void lingering_init(struct lingering *lingering)
{
    list_init(&lingering->outputs);
    lingering->timer.fire = look;
}

static void put_last(struct scheduler *scheduler, struct output *output)
{
    output->progress_ns = scheduler->now_ns;
    list_remove(&output->linger_link);
    list_append(&streams_of(scheduler)->lingering.outputs, &output->linger_link);
}

void lingering_begin(struct scheduler *scheduler, struct output *output)
{
    struct lingering *lingering = &streams_of(scheduler)->lingering;
    lingering->scheduler = scheduler;
    put_last(scheduler, output);
    arm(lingering);
}

void lingering_progress(struct scheduler *scheduler, struct output *output)
{
    if (!list_is_empty(&output->linger_link))
        put_last(scheduler, output);
}
