/* SPDX-License-Identifier: MIT */
#include "sim/turns.h"

#include "runtime/scheduler/dispatch.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/share.h"
#include "runtime/stream/streams.h"
#include "sim/model.h"
#include "sim/pending.h"
#include "sim/program.h"
#include "sim/trace.h"

/* Those that waited at its beginning, and again those that were made in its course, are called back
 * in one turn, but not without end: after each of its completions, of which there is a budget, and
 * when they are through. */
enum { SCHEDULERS_MOST = 4, COUNT_MOST = 3 * PENDING_MOST, INSIST_MOST = 2 * COUNT_MOST };

/* How often a scheduler may look in vain before it sleeps. Look-ups go on by a step a turn, of
 * which nothing is to be seen from without: each has some. */
enum { IDLE_MOST = 100, IDLE_MOST_WITH_LOOK_UPS = 4 * PENDING_MOST };

struct counts {
    uint64_t turn;
    uint32_t work;
    uint32_t calls_back;
    uint32_t idle;
    uint64_t progress;
};

static struct counts counts[SCHEDULERS_MOST];
static uint32_t insisted;
static uint64_t progress;

void turns_reset(void)
{
    insisted = 0;
}

static void begin_step(const struct scheduler *scheduler)
{
    counts[scheduler->number].work = counts[scheduler->number].calls_back = 0;
}

void turns_begin(const struct scheduler *scheduler)
{
    struct counts *its = &counts[scheduler->number];
    its->turn++;
    begin_step(scheduler);
}

void __real_dispatch(struct scheduler *scheduler, const struct ring_completion *completion);
void __wrap_dispatch(struct scheduler *scheduler, const struct ring_completion *completion);

void __wrap_dispatch(struct scheduler *scheduler, const struct ring_completion *completion)
{
    begin_step(scheduler);
    model_completed(scheduler, completion);
    __real_dispatch(scheduler, completion);
}

void turns_progress(void)
{
    progress++;
}

void turns_end(const struct scheduler *scheduler, bool sleeps)
{
    struct counts *its = &counts[scheduler->number];
    its->idle = sleeps || its->progress != progress ? 0 : its->idle + 1;
    its->progress = progress;
    bool looks_up = program_style.look_up > 0 || program_style.named > 0;
    uint32_t most = looks_up ? IDLE_MOST_WITH_LOOK_UPS : IDLE_MOST;
    SIM_CHECK(its->idle <= most, "scheduler %u turns for nothing", scheduler->number);
}

static void count(uint32_t *number, const char *what)
{
    progress++;
    SIM_CHECK(++*number <= COUNT_MOST, "a turn does not end: %u times %s", *number, what);
}

void turns_count_work(void)
{
    if (scheduler_current())
        count(&counts[scheduler_current()->number].work, "posted work has run");
}

void turns_count_call_back(void)
{
    if (scheduler_current())
        count(&counts[scheduler_current()->number].calls_back, "a call has called back");
}

/* One more is begun where something is left of its share. */
void turns_count_packet(struct conn *conn)
{
    uint64_t turn = counts[model_home(conn->handle)->number].turn;
    conn->turn_packets = conn->turn == turn ? conn->turn_packets + 1 : 1;
    conn->turn = turn;
    progress++;
    SIM_CHECK(conn->turn_packets <= SHARE_MOST, "link %u is handed more than its share of a turn",
              model_link(conn));
}

bool turns_insist(void)
{
    return program_style.insists && !program_winds_down() && insisted++ < INSIST_MOST;
}
