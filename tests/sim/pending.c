/* SPDX-License-Identifier: MIT */
#include "sim/pending.h"

#include <errno.h>

#include "runtime/scheduler/call.h"
#include "sim/actor.h"
#include "sim/kernel.h"
#include "sim/life.h"
#include "sim/model.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include <weir/error.h>

static struct pending all[PENDING_MOST];
static uint32_t count;
static uint32_t first_free; /* index + 1 */
static uint32_t touched;

void pending_reset(void)
{
    for (uint32_t i = 0; i < touched; i++)
        all[i] = (struct pending){0};
    count = 0;
    first_free = 0;
    touched = 0;
}

struct pending *pending_begin(enum pending_kind kind)
{
    uint32_t index = first_free;
    if (index)
        first_free = all[--index].next;
    else if (touched < PENDING_MOST)
        index = touched++;
    else
        return NULL;
    all[index] = (struct pending){.kind = (uint8_t)kind,
                                  .begun_ns = kernel.now_ns,
                                  .deadline_ns = UINT64_MAX,
                                  .is_cancelled = all[index].is_cancelled};
    count++;
    return &all[index];
}

void pending_end(struct pending *pending)
{
    pending->kind = PENDING_FREE;
    pending->next = first_free;
    first_free = pending_index(pending) + 1;
    count--;
}

struct pending *pending_at(uint32_t index)
{
    return &all[index];
}

uint32_t pending_index(const struct pending *pending)
{
    return (uint32_t)(pending - all);
}

uint32_t pending_count(void)
{
    return count;
}

static bool is_of(const struct pending *pending, const struct call *call)
{
    return pending->kind != PENDING_FREE && (call->data == pending || pending->call == call);
}

struct pending *pending_of(const struct call *call)
{
    for (uint32_t i = 0; i < touched; i++)
        if (is_of(&all[i], call))
            return &all[i];
    return NULL;
}

static void check_time_out(const struct pending *pending)
{
    enum { MS = 1000000 };
    SIM_CHECK(kernel.now_ns >= pending->deadline_ns, "a time-out %llu us too early",
              (unsigned long long)(pending->deadline_ns - kernel.now_ns) / 1000);
    /* Two bells that take their time, of each that it is taken to, and begins when it arrives.
     * Beside others a scheduler may be held up between reading the clock and sleeping. */
    uint64_t slack_ns = (3ull + 7ull * pending->away) * MS;
    slack_ns += slow_since_ns(actor_is_alone() ? pending->deadline_ns : pending->begun_ns);
    SIM_CHECK(model_stopping || kernel.now_ns <= pending->deadline_ns + slack_ns,
              "a time-out %llu us too late",
              (unsigned long long)(kernel.now_ns - pending->deadline_ns) / 1000);
}

bool pending_may_be_refused(const struct pending *pending, int result)
{
    bool foreseen = !pending->refused || result == pending->expected;
    return (result == -ENOMEM && model_lenient) || (model_stopping && foreseen);
}

void pending_called(struct pending *pending, enum pending_kind kind, int result)
{
    trace("call %lld of kind %lld calls back: %lld", pending_index(pending), kind, result, 0);
    SIM_CHECK(pending->kind == kind, "a call of kind %d calls back again: %s", kind,
              weir_error_name(result));
    SIM_CHECK(pending->returned, "a call calls back before it has returned");
    SIM_CHECK(!pending->refused || result == pending->expected || (model_lenient && result == -12),
              "a call of kind %d gave %s, not %s", kind, weir_error_name(result),
              weir_error_name(pending->expected));
    SIM_CHECK(result != -ECANCELED || pending->is_cancelled, "a call is cancelled by nobody");
    life_check(pending->before_gone, "a call calls back");
    turns_count_call_back();
    if (result == WEIR_TIMEOUT && kind != PENDING_SEND) /* whose time only runs while it waits */
        check_time_out(pending);
    slow_maybe();
}
