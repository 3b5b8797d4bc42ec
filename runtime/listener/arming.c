/* SPDX-License-Identifier: MIT */
#include "runtime/listener/arming.h"

#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/ring/features.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

/* When no descriptor is to be had a retry comes with the next close, or after this. */
enum { RETRY_MS = 100 };

/* The kernel wakes who has waited longest. One by one that is another each time; a multishot would
 * stay the first, and have all connections. With a limit no more is accepted than can be kept. Of a
 * local listener that is shut down a multishot does not hear (6.18). */
static void arm(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    bool multishot = listening->serving && !listening->has_rivals && !listening->queuer &&
                     listener->slot.family != WEIR_LOCAL &&
                     (scheduler->profile.features & FEATURE_BIT(MULTISHOT_ACCEPT));
    listening->accepting = ACCEPTING;
    slot_hold(&listener->slot);
    ring_accept(scheduler->ring, slot_operation(&listener->slot, LISTENER_ACCEPT),
                listener->slot.fd, multishot);
}

void arming_update(struct scheduler *scheduler, struct listener *listener)
{
    struct listening *listening = listener->listening;
    bool wanted = listening->serving || !list_is_empty(&listening->acceptors);
    if (wanted && listening->accepting == ACCEPTING_NOT) {
        arm(scheduler, listener);
    } else if (!wanted && listening->accepting == ACCEPTING) {
        listening->accepting = ACCEPTING_CANCELLED;
        cancel_start(scheduler, &listener->slot, LISTENER_ACCEPT);
    }
    arming_look_again(listening);
}

void arming_look_again(struct listening *listening)
{
    if (listening->accepting == ACCEPTING_HEADERS)
        task_add(&listening->scheduler->tasks, TASK_SOON, &listening->look_again);
}

static void resume(struct listening *listening)
{
    arming_forget_pause(listening);
    listening->accepting = ACCEPTING_NOT;
    arming_update(listening->scheduler, listening->listener);
}

static void retry(struct timer *timer)
{
    struct listening *listening = list_entry(timer, struct listening, retry);
    listening->has_paused = true;
    resume(listening);
}

static void try_again(struct scheduler *scheduler, struct task *task)
{
    (void)scheduler;
    resume(list_entry(task, struct listening, try_again));
}

void arming_init(struct listening *listening)
{
    listening->retry.fire = retry;
    task_init(&listening->try_again, try_again);
}

/* Not armed again at once: the connection stays in the backlog, and asking for it over and over
 * would cost a whole core. */
void arming_pause(struct scheduler *scheduler, struct listener *listener, bool until_descriptors)
{
    struct listening *listening = listener->listening;
    listening->accepting = ACCEPTING_PAUSED;
    scheduler->totals.accept_pauses++;
    if (until_descriptors)
        task_add(&scheduler->tasks, TASK_WITH_DESCRIPTORS, &listening->try_again);
    scheduler_arm(scheduler, &listening->retry, RETRY_MS);
}

void arming_forget_pause(struct listening *listening)
{
    task_remove(&listening->try_again);
    timer_disarm(&listening->scheduler->timers, &listening->retry);
}
