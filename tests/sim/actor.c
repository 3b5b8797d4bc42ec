/* SPDX-License-Identifier: MIT */
#include "sim/actor.h"

#include <stddef.h>

#include "runtime/scheduler/scheduler.h"
#include "sim/alarms.h"
#include "sim/dice.h"
#include "sim/event.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/process.h"
#include "sim/proxy.h"
#include "sim/trace.h"

/* The run itself can wait as well: while it calls what an ordinary thread would be held up by. */
enum { THE_RUN = FIBER_MOST };

struct actor {
    bool live;
    bool waits;
    bool interrupted;
    struct scheduler *scheduler;
    actor_condition *is_over;
    void *data;
    uint64_t until_ns;
};

static struct actor actors[ACTOR_MOST];
static uint32_t count;
static uint32_t live_count;
static uint32_t current = THE_RUN;

void actor_reset(void)
{
    count = 0;
    live_count = 0;
    current = THE_RUN;
    actors[THE_RUN] = (struct actor){.live = true};
}

void actor_add(fiber_function *run, void *data, struct scheduler *scheduler)
{
    SIM_CHECK(count < FIBER_MOST, "too many actors");
    actors[count] = (struct actor){.live = true, .scheduler = scheduler};
    fiber_start(count, run, data);
    count++;
    live_count++;
}

uint32_t actor_current(void)
{
    return current;
}

bool actor_is_alone(void)
{
    return count == 1;
}

uint32_t actor_live_count(void)
{
    return live_count;
}

static bool is_ready(const struct actor *actor)
{
    if (!actor->live)
        return false;
    return !actor->waits || actor->interrupted || kernel.now_ns >= actor->until_ns ||
           actor->is_over(actor->data);
}

static void resume(uint32_t index)
{
    struct actor *actor = &actors[index];
    struct scheduler *here = scheduler_current();
    actor->waits = false;
    actor->interrupted = false;
    current = index;
    scheduler_become(actor->scheduler);
    if (!fiber_resume(index)) {
        actor->live = false;
        live_count--;
    }
    scheduler_become(here);
    current = THE_RUN;
}

/* The chosen one of those that could go on; `count`: nobody can. */
static uint32_t choose(void)
{
    uint32_t ready[ACTOR_MOST];
    uint32_t ready_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_ready(&actors[i]))
            ready[ready_count++] = i;
    if (ready_count == 0)
        return count;
    return ready[ready_count > 1 ? dice_below(ready_count) : 0];
}

/* Everybody waits, so whoever wanted to wake a scheduler has. */
static void check_all(bool for_ever)
{
    for (uint32_t i = 0; i < count; i++)
        if (actors[i].live && actors[i].scheduler)
            model_check_woken(actors[i].scheduler, for_ever);
}

static bool interrupt_somebody(void)
{
    if (count == 0 || !dice_chance(kernel.faults.interrupted))
        return false;
    struct actor *actor = &actors[dice_below(count)];
    actor->interrupted = actor->scheduler != NULL;
    return actor->interrupted;
}

static bool pass_time(void)
{
    uint64_t next_ns = event_next_ns();
    for (uint32_t i = 0; i < ACTOR_MOST; i++)
        if ((i < count || i == THE_RUN) && actors[i].live && actors[i].waits &&
            actors[i].until_ns < next_ns)
            next_ns = actors[i].until_ns;
    check_all(next_ns == UINT64_MAX);
    process_check_asleep();
    alarms_check_asleep();
    proxy_check_asleep();
    model_check_idle();
    if (next_ns == UINT64_MAX)
        return false;
    if (interrupt_somebody())
        return true;
    if (next_ns > kernel.now_ns)
        kernel.now_ns = next_ns;
    event_run_due(kernel.now_ns);
    return true;
}

bool actor_step(void)
{
    uint32_t next = choose();
    if (next == count)
        return pass_time();
    resume(next);
    return true;
}

static void maybe_yield(uint32_t per_mille)
{
    if (current != THE_RUN && count > 1 && dice_chance(per_mille))
        fiber_yield();
}

void actor_pause(void)
{
    maybe_yield(kernel.faults.preempted);
}

void actor_end_turn(void)
{
    enum { PER_MILLE = 700 };
    maybe_yield(PER_MILLE);
}

static void wait_for_all(const struct actor *run)
{
    while (!is_ready(run) && actor_step())
        continue;
    kernel.asleep_for_ever = !is_ready(run);
}

void actor_wait(actor_condition *is_over, void *data, uint64_t until_ns)
{
    struct actor *self = &actors[current];
    self->waits = true;
    self->is_over = is_over;
    self->data = data;
    self->until_ns = until_ns;
    if (current == THE_RUN) {
        struct scheduler *here = scheduler_current();
        wait_for_all(self);
        self->waits = false;
        scheduler_become(here);
        return;
    }
    fiber_yield();
}
