/* SPDX-License-Identifier: MIT */
#include "sim/slow.h"

#include "sim/dice.h"
#include "sim/event.h"
#include "sim/kernel.h"
#include "sim/trace.h"

enum { SPELL_COUNT = 1 << 16, SPELL_NS_MOST = 20000000 };

/* The last ones, in the order of time. */
struct spell {
    uint64_t begin_ns;
    uint64_t end_ns;
};

static struct spell spells[SPELL_COUNT];
static uint64_t count;

void slow_reset(void)
{
    count = 0;
}

void slow_maybe(void)
{
    if (!dice_chance(kernel.faults.slow))
        return;
    struct spell *spell = &spells[count++ % SPELL_COUNT];
    spell->begin_ns = kernel.now_ns;
    spell->end_ns = kernel.now_ns + dice_size(SPELL_NS_MOST);
    trace("a callback takes %lld us", (int64_t)(spell->end_ns - spell->begin_ns) / 1000, 0, 0, 0);
    kernel.now_ns = spell->end_ns;
    event_run_due(kernel.now_ns);
}

uint64_t slow_since_ns(uint64_t since_ns)
{
    uint64_t sum_ns = 0;
    for (uint64_t i = count; i > 0 && count - i < SPELL_COUNT; i--) {
        const struct spell *spell = &spells[(i - 1) % SPELL_COUNT];
        if (spell->end_ns <= since_ns)
            break;
        sum_ns += spell->end_ns - (spell->begin_ns > since_ns ? spell->begin_ns : since_ns);
    }
    return sum_ns;
}
