/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/timer.h"

#include "base/check.h"

enum { LEVEL_BITS = 6 };

/* One slot of the highest level less than it has: the farthest timer is never put where now is. */
#define HORIZON_MS (((TIMER_SLOT_COUNT - 1ull) << (LEVEL_BITS * (TIMER_LEVEL_COUNT - 1))) - 1)

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    *wheel = (struct timer_wheel){.now_ms = now_ms};
    for (int level = 0; level < TIMER_LEVEL_COUNT; level++)
        for (int slot = 0; slot < TIMER_SLOT_COUNT; slot++)
            list_init(&wheel->slots[level][slot]);
}

/* The level is that of the highest bit in which expiry and now differ, so that a slot of a level
 * is always reached before the next slot of the level above. */
static unsigned level_of(uint64_t now_ms, uint64_t expiry_ms)
{
    uint64_t different = (now_ms ^ expiry_ms) | 1;
    unsigned level = (63 - (unsigned)__builtin_clzll(different)) / LEVEL_BITS;
    return level < TIMER_LEVEL_COUNT ? level : TIMER_LEVEL_COUNT - 1;
}

static void place(struct timer_wheel *wheel, struct timer *timer)
{
    uint64_t expiry_ms = timer->expiry_ms > wheel->now_ms ? timer->expiry_ms : wheel->now_ms;
    if (expiry_ms - wheel->now_ms > HORIZON_MS)
        expiry_ms = wheel->now_ms + HORIZON_MS;
    unsigned level = level_of(wheel->now_ms, expiry_ms);
    unsigned slot = (expiry_ms >> (level * LEVEL_BITS)) % TIMER_SLOT_COUNT;
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    wheel->occupied[level] |= 1ull << slot;
    list_append(&wheel->slots[level][slot], &timer->link);
}

void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t expiry_ms)
{
    CHECK(!timer->armed);
    timer->armed = true;
    timer->expiry_ms = expiry_ms;
    place(wheel, timer);
}

static void take_out(struct timer_wheel *wheel, struct timer *timer)
{
    list_remove(&timer->link);
    if (list_is_empty(&wheel->slots[timer->level][timer->slot]))
        wheel->occupied[timer->level] &= ~(1ull << timer->slot);
}

void timer_disarm(struct timer_wheel *wheel, struct timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    take_out(wheel, timer);
}

static uint64_t rotate_right(uint64_t bits, unsigned count)
{
    return bits >> count | bits << (-count % 64);
}

/* The start of the first occupied slot at or after now, on the lowest level that has one. */
static uint64_t next_slot(const struct timer_wheel *wheel, unsigned *level, unsigned *slot)
{
    for (*level = 0; *level < TIMER_LEVEL_COUNT; ++*level) {
        unsigned shift = *level * LEVEL_BITS;
        if (wheel->occupied[*level] == 0)
            continue;
        uint64_t position = wheel->now_ms >> shift;
        unsigned ahead = (unsigned)__builtin_ctzll(
            rotate_right(wheel->occupied[*level], position % TIMER_SLOT_COUNT));
        *slot = (position + ahead) % TIMER_SLOT_COUNT;
        uint64_t start_ms = (position + ahead) << shift;
        return start_ms > wheel->now_ms ? start_ms : wheel->now_ms;
    }
    return UINT64_MAX;
}

uint64_t timer_next_ms(const struct timer_wheel *wheel)
{
    unsigned level;
    unsigned slot = 0;
    return next_slot(wheel, &level, &slot);
}

static void run_slot(struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    struct list due;
    list_init(&due);
    list_move_all(&due, &wheel->slots[level][slot]);
    wheel->occupied[level] &= ~(1ull << slot);
    struct list *node;
    while ((node = list_take(&due))) {
        struct timer *timer = list_entry(node, struct timer, link);
        if (timer->expiry_ms > wheel->now_ms) {
            place(wheel, timer);
            continue;
        }
        timer->armed = false;
        timer->fire(timer);
    }
}

void timer_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    unsigned level;
    unsigned slot = 0;
    for (;;) {
        uint64_t start_ms = next_slot(wheel, &level, &slot);
        if (start_ms > now_ms)
            break;
        wheel->now_ms = start_ms;
        run_slot(wheel, level, slot);
    }
    if (now_ms > wheel->now_ms)
        wheel->now_ms = now_ms;
}
