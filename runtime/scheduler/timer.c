/* SPDX-License-Identifier: MIT */
/*
 * A slot of a level holds what is due within it in no order, and is spread over the levels below
 * when it is reached. That must not take long: with a million timers in a slot of four seconds it
 * were a tenth of a second, in which nothing fires. So from four seconds before a slot of a level
 * above the second is reached its timers are put, a piece at every call, where they will be then,
 * into slots of their own (`ahead`); when it is reached these lists change over as they are. A
 * timer that is armed for such a slot meanwhile goes to the slot itself, and is moved like the
 * others.
 *
 * Slots that become empty stay marked until somebody looks, so that who disarms a timer need not
 * know where it is.
 */
#include "runtime/scheduler/timer.h"

#include "base/check.h"

enum {
    LEVEL_BITS = 6,
    FIRES_A_CALL = 4096,
    MOVES_A_CALL = 4096,
    AHEAD_LEVEL =
        2, /* a slot of the level below has 64 ms: what is due in that is spread at once */
    AHEAD_MS = 4096,
};

/* One slot of the highest level less than it has: the farthest timer is never put where now is. */
#define HORIZON_MS (((TIMER_SLOT_COUNT - 1ull) << (LEVEL_BITS * (TIMER_LEVEL_COUNT - 1))) - 1)

static void slots_init(struct timer_slots *slots)
{
    for (int level = 0; level < TIMER_LEVEL_COUNT; level++)
        for (int slot = 0; slot < TIMER_SLOT_COUNT; slot++)
            list_init(&slots->lists[level][slot]);
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    *wheel = (struct timer_wheel){.now_ms = now_ms, .ahead_ms = UINT64_MAX};
    slots_init(&wheel->slots);
    slots_init(&wheel->ahead);
}

/* The level is that of the highest bit in which expiry and now differ, so that a slot of a level
 * is always reached before the next slot of the level above. */
static unsigned level_of(uint64_t now_ms, uint64_t expiry_ms)
{
    uint64_t different = (now_ms ^ expiry_ms) | 1;
    unsigned level = (63 - (unsigned)__builtin_clzll(different)) / LEVEL_BITS;
    return level < TIMER_LEVEL_COUNT ? level : TIMER_LEVEL_COUNT - 1;
}

static void place(struct timer_slots *slots, uint64_t now_ms, struct timer *timer)
{
    uint64_t expiry_ms = timer->expiry_ms > now_ms ? timer->expiry_ms : now_ms;
    if (expiry_ms - now_ms > HORIZON_MS)
        expiry_ms = now_ms + HORIZON_MS;
    unsigned level = level_of(now_ms, expiry_ms);
    unsigned slot = (expiry_ms >> (level * LEVEL_BITS)) % TIMER_SLOT_COUNT;
    slots->occupied[level] |= 1ull << slot;
    list_append(&slots->lists[level][slot], &timer->link);
}

void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t expiry_ms)
{
    CHECK(!timer->armed);
    timer->armed = true;
    timer->expiry_ms = expiry_ms;
    place(&wheel->slots, wheel->now_ms, timer);
}

void timer_disarm(struct timer_wheel *wheel, struct timer *timer)
{
    (void)wheel;
    if (!timer->armed)
        return;
    timer->armed = false;
    list_remove(&timer->link);
}

/* Whether there is nothing in any slot. */
static bool are_empty(struct timer_slots *slots)
{
    for (int level = 0; level < TIMER_LEVEL_COUNT; level++)
        while (slots->occupied[level]) {
            unsigned slot = (unsigned)__builtin_ctzll(slots->occupied[level]);
            if (!list_is_empty(&slots->lists[level][slot]))
                return false;
            slots->occupied[level] &= slots->occupied[level] - 1;
        }
    return true;
}

static bool is_ahead(const struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    return wheel->ahead_ms != UINT64_MAX && wheel->ahead_level == level &&
           wheel->ahead_slot == slot;
}

static bool is_empty(struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    return list_is_empty(&wheel->slots.lists[level][slot]) &&
           (!is_ahead(wheel, level, slot) || are_empty(&wheel->ahead));
}

static uint64_t rotate_right(uint64_t bits, unsigned count)
{
    return bits >> count | bits << (-count % 64);
}

/* The start of the first slot of a level that has timers, at or after now. UINT64_MAX: none. */
static uint64_t next_of_level(struct timer_wheel *wheel, unsigned level, unsigned *slot)
{
    unsigned shift = level * LEVEL_BITS;
    uint64_t position = wheel->now_ms >> shift;
    uint64_t *occupied = &wheel->slots.occupied[level];
    while (*occupied) {
        unsigned ahead =
            (unsigned)__builtin_ctzll(rotate_right(*occupied, position % TIMER_SLOT_COUNT));
        *slot = (position + ahead) % TIMER_SLOT_COUNT;
        if (!is_empty(wheel, level, *slot)) {
            uint64_t start_ms = (position + ahead) << shift;
            return start_ms > wheel->now_ms ? start_ms : wheel->now_ms;
        }
        *occupied &= ~(1ull << *slot);
    }
    return UINT64_MAX;
}

/* The same, on the lowest level from `*level` on that has one. */
static uint64_t next_slot(struct timer_wheel *wheel, unsigned *level, unsigned *slot)
{
    for (; *level < TIMER_LEVEL_COUNT; ++*level) {
        uint64_t start_ms = next_of_level(wheel, *level, slot);
        if (start_ms != UINT64_MAX)
            return start_ms;
    }
    return UINT64_MAX;
}

/* The next slot of a high level, and when it is reached. UINT64_MAX: none. */
static uint64_t next_high_slot(struct timer_wheel *wheel, unsigned *level, unsigned *slot)
{
    *level = AHEAD_LEVEL;
    return next_slot(wheel, level, slot);
}

/* When that is to be prepared, if it has timers that are not. */
static uint64_t time_to_prepare(struct timer_wheel *wheel)
{
    unsigned level;
    unsigned slot = 0;
    uint64_t start_ms = next_high_slot(wheel, &level, &slot);
    if (start_ms == UINT64_MAX || list_is_empty(&wheel->slots.lists[level][slot]))
        return UINT64_MAX;
    return start_ms > wheel->now_ms + AHEAD_MS ? start_ms - AHEAD_MS : wheel->now_ms;
}

uint64_t timer_next_ms(struct timer_wheel *wheel)
{
    unsigned level = 0;
    unsigned slot = 0;
    uint64_t next_ms = next_slot(wheel, &level, &slot);
    uint64_t prepare_ms = time_to_prepare(wheel);
    return next_ms < prepare_ms ? next_ms : prepare_ms;
}

/* What has been placed ahead changes over: as it is, since its slot is reached, or `together`, back
 * into its slot, since another has come into use that is reached before. */
static void take_ahead(struct timer_wheel *wheel, bool together)
{
    struct list *whole = &wheel->slots.lists[wheel->ahead_level][wheel->ahead_slot];
    for (unsigned level = 0; level < TIMER_LEVEL_COUNT; level++) {
        uint64_t occupied = wheel->ahead.occupied[level];
        wheel->ahead.occupied[level] = 0;
        wheel->slots.occupied[level] |= together ? 0 : occupied;
        for (; occupied; occupied &= occupied - 1) {
            unsigned slot = (unsigned)__builtin_ctzll(occupied);
            list_move_all(together ? whole : &wheel->slots.lists[level][slot],
                          &wheel->ahead.lists[level][slot]);
        }
    }
    wheel->ahead_ms = UINT64_MAX;
}

static void move_ahead(struct timer_wheel *wheel)
{
    unsigned level;
    unsigned slot = 0;
    struct list *node;
    uint64_t start_ms = next_high_slot(wheel, &level, &slot);
    if (start_ms == UINT64_MAX || start_ms > wheel->now_ms + AHEAD_MS)
        return;
    if (wheel->ahead_ms != start_ms || wheel->ahead_level != level) { /* one that comes sooner */
        take_ahead(wheel, true);
        wheel->ahead_ms = start_ms;
        wheel->ahead_level = level;
        wheel->ahead_slot = slot;
    }
    struct list *whole = &wheel->slots.lists[level][slot];
    for (int i = 0; i < MOVES_A_CALL && (node = list_take(whole)); i++)
        place(&wheel->ahead, start_ms, list_entry(node, struct timer, link));
}

/* What is due when it is reached is in the lowest level then. */
static void spread_slot(struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    struct list whole;
    struct list *node;
    list_init(&whole);
    list_move_all(&whole, &wheel->slots.lists[level][slot]);
    if (is_ahead(wheel, level, slot))
        take_ahead(wheel, false);
    while ((node = list_take(&whole)))
        place(&wheel->slots, wheel->now_ms, list_entry(node, struct timer, link));
}

/* What becomes due meanwhile stands behind what is left. */
static void fire_slot(struct timer_wheel *wheel, unsigned slot, int *fires)
{
    struct list *whole = &wheel->slots.lists[0][slot];
    struct list due;
    struct list *node;
    list_init(&due);
    list_move_all(&due, whole);
    while (*fires > 0 && (node = list_take(&due))) {
        struct timer *timer = list_entry(node, struct timer, link);
        --*fires;
        timer->armed = false;
        timer->fire(timer);
    }
    list_move_all(&due, whole);
    list_move_all(whole, &due);
}

void timer_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    int fires = FIRES_A_CALL;
    while (fires > 0) {
        unsigned level = 0;
        unsigned slot = 0;
        uint64_t start_ms = next_slot(wheel, &level, &slot);
        if (start_ms > now_ms) {
            wheel->now_ms = now_ms > wheel->now_ms ? now_ms : wheel->now_ms;
            break;
        }
        wheel->now_ms = start_ms;
        if (level > 0)
            spread_slot(wheel, level, slot);
        else
            fire_slot(wheel, slot, &fires);
    }
    move_ahead(wheel);
}
