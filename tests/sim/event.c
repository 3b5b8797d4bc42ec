/* SPDX-License-Identifier: MIT */
#include "sim/event.h"

#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/trace.h"

enum { CAPACITY = 1 << 16 };

struct event {
    uint64_t at_ns;
    uint64_t order;
    event_function *run;
    uint32_t object;
    uint32_t tag;
};

static struct event heap[CAPACITY];
static uint32_t count;
static uint64_t run_count;
static uint32_t running;

void event_reset(void)
{
    count = 0;
    run_count = 0;
    running = 0;
}

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void event_after(uint64_t delay_ns, event_function *run, uint32_t object, uint32_t tag)
{
    struct event event = {kernel.now_ns + delay_ns, dice_next(), run, object, tag};
    SIM_CHECK(count < CAPACITY, "too many events");
    uint32_t place = count++;
    while (place > 0 && is_before(&event, &heap[(place - 1) / 2])) {
        heap[place] = heap[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    heap[place] = event;
}

static void sink(struct event event)
{
    uint32_t place = 0;
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child >= count)
            break;
        if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &event))
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = event;
}

uint64_t event_next_ns(void)
{
    return count > 0 ? heap[0].at_ns : UINT64_MAX;
}

void event_run_due(uint64_t now_ns)
{
    while (count > 0 && heap[0].at_ns <= now_ns) {
        struct event first = heap[0];
        struct event last = heap[--count];
        if (count > 0)
            sink(last);
        run_count++;
        running++;
        first.run(first.object, first.tag);
        running--;
    }
}

uint64_t event_count(void)
{
    return run_count;
}

bool event_is_running(void)
{
    return running > 0;
}
