/* SPDX-License-Identifier: MIT */
#include "sim/turns.h"

#include "runtime/scheduler/scheduler.h"
#include "sim/pending.h"
#include "sim/program.h"
#include "sim/trace.h"

/* Those that waited at its beginning, and again those that were made in its course, are called back
 * in one turn, but not without end. */
enum { SCHEDULERS_MOST = 4, COUNT_MOST = 3 * PENDING_MOST, INSIST_MOST = 2 * COUNT_MOST };

struct counts {
    uint32_t work;
    uint32_t calls_back;
};

static struct counts counts[SCHEDULERS_MOST];
static uint32_t insisted;

void turns_reset(void)
{
    insisted = 0;
}

void turns_begin(const struct scheduler *scheduler)
{
    counts[scheduler->number] = (struct counts){0};
}

static void count(uint32_t *number, const char *what)
{
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

bool turns_insist(void)
{
    return program_style.insists && !program_winds_down() && insisted++ < INSIST_MOST;
}
